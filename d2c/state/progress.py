"""How far tables and migrations are, and when they may arrive: arithmetic over what their stages tell."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from d2c.plan.schedule import Window, open_seconds, time_after

# At how many percent of the way each stage begins; DynamoDB's export takes minutes even for an empty table.
STAGE_BEGINS_AT = {
    "export": 0,
    "copy": 30,
    "prepare": 45,
    "assess": 50,
    "load": 60,
    "verify": 85,
    "report": 98,
}
WHOLE_WAY = 100
MISMATCHES = ("missing", "unexpected", "different")
# With less than this behind it, a way says nothing about the rest.
SHORTEST_SECONDS = 30
SMALLEST_PERCENT = 2


def counts_of_load(load: Mapping[str, Any]) -> dict[str, int | None]:
    """Return what the items of a table became.

    Args:
        load: what its load run found, and what revisits added.
    """
    loaded, verification = load.get("loaded") or {}, load.get("verification")
    counted = loaded or load.get("assessed") or {}
    return {
        "items_written": loaded.get("documents"),
        "items_rejected": counted.get("rejected"),
        "items_expired": counted.get("expired"),
        "mismatches": verification and sum(verification[kind] or 0 for kind in MISMATCHES),
    }


def percent_of_table(state: str, stage: str | None, progress: Mapping[str, Any] | None = None) -> float:
    """Return how much of its way a table has behind it.

    Args:
        state: its state.
        stage: the stage that is under way or that was the last one; None before the first.
        progress: what the stage tells of itself: ``done`` of a ``total``, in bytes or items.
    """
    if state == "succeeded":
        return WHOLE_WAY
    if stage is None:
        return 0
    begins = STAGE_BEGINS_AT[stage]
    ends = min((value for value in STAGE_BEGINS_AT.values() if value > begins), default=WHOLE_WAY)
    return begins + (ends - begins) * _part_done(progress or {})


def _part_done(progress: Mapping[str, Any]) -> float:
    done, total = progress.get("done") or 0, progress.get("total") or 0
    return min(done / total, 1.0) if total else 0.0


def percent_of_all(tables: Sequence[tuple[int | None, float]]) -> float:
    """Return how much of the way of all tables is behind them, each weighing as much as it has items.

    Args:
        tables: of each the number of its items, None where it is unknown (it weighs like the others then), and its
            percent.
    """
    known = [items for items, _ in tables if items is not None]
    usual = sum(known) / len(known) if known else 1
    weights = [max(usual if items is None else items, 1) for items, _ in tables]
    way = sum(weight * percent for weight, (_, percent) in zip(weights, tables, strict=True))
    return way / sum(weights) if tables else 0


def estimated_arrival(
    began: datetime, now: datetime, percent: float, window: Window | None = None
) -> datetime | None:
    """Return when the rest of a way may be over, if it takes as long as what is behind did; None if that is too little.

    Args:
        began: when the way began, with an offset.
        now: with an offset.
        percent: how much of the way is behind.
        window: the hours of the day in which anything happens; all if None.
    """
    elapsed = open_seconds(began, now, window) if window else (now - began).total_seconds()
    if elapsed < SHORTEST_SECONDS or percent < SMALLEST_PERCENT:
        return None
    rest = elapsed * (WHOLE_WAY - percent) / percent
    return time_after(now, rest, window) if window else now + timedelta(seconds=rest)
