"""The app's clock, in one place, so that a simulation can put another one there."""

from datetime import UTC, datetime
from typing import Literal


def now() -> datetime:
    """Return the time, with its offset from UTC."""
    return datetime.now(UTC)


def text(timespec: Literal["seconds", "milliseconds"] = "seconds") -> str:
    """Return the time in ISO 8601.

    Args:
        timespec: how exact.
    """
    return now().isoformat(timespec=timespec)
