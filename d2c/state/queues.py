"""Who is next: what the logs of turns and slots say, which many append to and where an entry may stand twice."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Entries = Sequence[Mapping[str, Any]]


def unit_number(entries: Entries, lane: int, turn: int) -> int:
    """Return the number of the unit of work that a lane has taken.

    Args:
        entries: the log of turns, each ``{"lane", "turn"}``; the first to stand in it has unit 0.
        lane: the lane's number.
        turn: how many units the lane took before.

    Raises:
        ValueError: if the lane's turn is not in the log.
    """
    distinct = dict.fromkeys((entry["lane"], entry["turn"]) for entry in entries)
    try:
        return list(distinct).index((lane, turn))
    except ValueError:
        raise ValueError(f"turn {turn} of lane {lane} is not in the log; append it before asking") from None


def has_asked(entries: Entries, who: str) -> bool:
    """Return whether somebody has asked for a slot, be it still wanted or left.

    Args:
        entries: a log of slots, as `may_go` takes it.
        who: the name that it asks by.
    """
    return any(entry.get("ask") == who for entry in entries)


def may_go(entries: Entries, who: str, cap: int, most_bytes: int | None = None) -> bool:
    """Return whether somebody has a slot: first come, first served, and who has one keeps it until it is left.

    Args:
        entries: a log of slots. ``{"ask": who, "of": members, "bytes": size}`` asks for one; ``of`` (1 if left out) is
            how many use it together, ``bytes`` (0 if left out) what it takes of ``most_bytes``.
            ``{"leave": who, "by": member}`` gives it back once all members have left.
        who: the name that it asks by.
        cap: how many slots there are.
        most_bytes: what those with a slot may have together; who is first may go with more than that.
    """
    bytes_together = 0
    for place, ask in enumerate(_open_asks(entries)):
        bytes_together += ask.get("bytes") or 0
        if place >= cap or (place and most_bytes is not None and bytes_together > most_bytes):
            return False
        if ask["ask"] == who:
            return True
    return False


def _open_asks(entries: Entries) -> Iterator[Mapping[str, Any]]:
    """Return the asks that have not been left by all their members, oldest first."""
    asks: dict[str, Mapping[str, Any]] = {}
    left: defaultdict[str, set[str]] = defaultdict(set)
    for entry in entries:
        if "ask" in entry:
            asks.setdefault(entry["ask"], entry)
        else:
            left[entry["leave"]].add(entry["by"])
    return (ask for who, ask in asks.items() if len(left[who]) < ask.get("of", 1))
