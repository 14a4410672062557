"""The app's clock, in one place, so that a simulation can put another one there."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the time, with its offset from UTC."""
    return datetime.now(UTC)
