"""The log of a load run's unit: tables that ended, by a cancellation for instance, need not be loaded any more."""

from collections.abc import Mapping, Sequence
from typing import Any


def ended_tables(entries: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the tables that have ended; each entry is ``{"table"}``, and the same may be there twice."""
    return {entry["table"] for entry in entries}
