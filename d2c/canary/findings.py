"""What a check finds: its assumption holds, fails, or could not be tried."""

from dataclasses import dataclass

HOLDS, FAILS, UNTRIED = "holds", "fails", "could not be tried"
STATES = (HOLDS, FAILS, UNTRIED)


@dataclass(frozen=True)
class Found:
    """The state of an assumption, and what was seen, or why it could not be tried."""

    state: str
    seen: str


class UntriedError(Exception):
    """A check cannot be tried here; the text says why."""


def holds(seen: str) -> Found:
    """Return that an assumption holds."""
    return Found(HOLDS, seen)


def fails(seen: str) -> Found:
    """Return that an assumption does not hold."""
    return Found(FAILS, seen)


def judged(is_so: bool, seen: str) -> Found:
    """Return that an assumption holds or fails, by what was seen."""
    return holds(seen) if is_so else fails(seen)
