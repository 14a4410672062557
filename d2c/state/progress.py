"""The percent done and the estimated completion time of tables and migrations, from the progress of stages."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict

from d2c.plan.schedule import Window, open_seconds, time_after

# The percent at which each stage begins; DynamoDB's export takes minutes even for an empty table.
STAGE_BEGINS_AT = {
    "export": 0,
    "copy": 30,
    "prepare": 45,
    "assess": 50,
    "load": 60,
    "verify": 85,
    "index": 95,
    "report": 98,
}
WHOLE_WAY = 100
# The stages whose progress is in items; that of copy is in bytes.
COUNTING_ITEMS = ("assess", "load", "verify")
# The service tells percent only.
COUNTING_NOTHING = ("index",)
MOST = 2**63
# A time that a date can hold: beyond it, nothing moves.
LONGEST_SECONDS = 366 * 24 * 3600.0
MISMATCHES = ("missing", "unexpected", "different")
# With less than this done, the rest cannot be extrapolated.
SHORTEST_SECONDS = 30
SMALLEST_PERCENT = 2


class LoadCounts(TypedDict):
    """The counts of a table's items by outcome; None where none were counted."""

    items_written: int | None
    items_rejected: int | None
    items_expired: int | None
    mismatches: int | None


def counts_of_load(load: Mapping[str, Any]) -> LoadCounts:
    """Return the counts of a table's items by outcome.

    Args:
        load: the result of its load run, with the changes of later operations.
    """
    loaded, verification = load.get("loaded") or {}, load.get("verification")
    counted = loaded or load.get("assessed") or {}
    return {
        "items_written": loaded.get("documents"),
        "items_rejected": counted.get("rejected"),
        "items_expired": counted.get("expired"),
        "mismatches": verification and sum(verification[kind] or 0 for kind in MISMATCHES),
    }


class StageProgress(TypedDict):
    """How far the stage of a table is, in the words of the HTTP API; None where that is unknown."""

    items: int | None
    items_total: int | None
    bytes: int | None
    bytes_total: int | None
    items_per_second: float | None
    bytes_per_second: float | None


NO_PROGRESS: StageProgress = {
    "items": None,
    "items_total": None,
    "bytes": None,
    "bytes_total": None,
    "items_per_second": None,
    "bytes_per_second": None,
}


def progress_of_stage(stage: str | None, progress: Mapping[str, Any] | None) -> StageProgress | None:
    """Return how far a stage is; None if it does not tell.

    Args:
        stage: the stage under way.
        progress: the stage's, at the last poll.
    """
    if not progress or not _number(progress, "total") or stage in COUNTING_NOTHING:
        return None
    if stage not in COUNTING_ITEMS:
        done, total = (_whole(progress, name) for name in ("done", "total"))
        return {**NO_PROGRESS, "bytes": done, "bytes_total": total}
    return {
        "items": _whole(progress, "done"),
        "items_total": _whole(progress, "total"),
        "bytes": _whole(progress, "bytes"),
        "bytes_total": _whole(progress, "bytes_total"),
        "items_per_second": _number(progress, "items_per_second"),
        "bytes_per_second": _number(progress, "bytes_per_second"),
    }


def seconds_to_the_end(progress: Mapping[str, Any] | None) -> float | None:
    """Return how long a table still takes at the rate of its running stage; None if that does not tell."""
    left, after = (_number(progress or {}, name) for name in ("seconds_left", "seconds_after"))
    return None if left is None or after is None else min(left + after, LONGEST_SECONDS)


def _whole(progress: Mapping[str, Any], name: str) -> int | None:
    number = _number(progress, name)
    return None if number is None else int(number)


def _number(progress: Mapping[str, Any], name: str) -> float | None:
    """Return a number of a progress, which may come from a file; None if it has no such number."""
    value = progress.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return value if 0 <= value < MOST else None


def percent_of_table(state: str, stage: str | None, progress: Mapping[str, Any] | None = None) -> float:
    """Return the percent done of a table.

    Args:
        state: its state.
        stage: the current or last stage; None before the first. A replay counts as a load.
        progress: the stage's: ``done`` of a ``total``, in bytes or items.
    """
    if state == "succeeded":
        return WHOLE_WAY
    if stage is None:
        return 0
    begins = STAGE_BEGINS_AT["load" if stage == "replay" else stage]
    ends = min((value for value in STAGE_BEGINS_AT.values() if value > begins), default=WHOLE_WAY)
    return begins + (ends - begins) * _part_done(progress or {})


def _part_done(progress: Mapping[str, Any]) -> float:
    done, total = _number(progress, "done") or 0, _number(progress, "total") or 0
    return min(done / total, 1.0) if total else 0.0


def percent_of_all(tables: Sequence[tuple[int | None, float]]) -> float:
    """Return the percent done of all tables, weighted by their numbers of items.

    Args:
        tables: of each the number of its items, None if unknown (then the others' average counts), and its percent.
    """
    known = [items for items, _ in tables if items is not None]
    usual = sum(known) / len(known) if known else 1
    weights = [max(usual if items is None else items, 1) for items, _ in tables]
    way = sum(weight * percent for weight, (_, percent) in zip(weights, tables, strict=True))
    return way / sum(weights) if tables else 0


def estimated_end(
    began: datetime, now: datetime, percent: float, window: Window | None = None
) -> datetime | None:
    """Extrapolate the completion time from elapsed time and percent done; None if too early.

    Args:
        began: when the work began, with an offset.
        now: with an offset.
        percent: done.
        window: the hours of the day in which stages may start; all if None.
    """
    elapsed = open_seconds(began, now, window) if window else (now - began).total_seconds()
    if elapsed < SHORTEST_SECONDS or percent < SMALLEST_PERCENT:
        return None
    rest = elapsed * (WHOLE_WAY - percent) / percent
    return time_after(now, rest, window) if window else now + timedelta(seconds=rest)
