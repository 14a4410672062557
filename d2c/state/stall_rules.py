"""When a stage counts as stalled: for longer than its kind should take, nothing of it has changed.

The watch looks every few minutes and adds up the time between its looks. It does not compare clocks over longer: they
may be set in between, and an app that was off has not seen whether anything changed.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

Json = dict[str, Any]

MINUTE, HOUR, GIGABYTE = 60, 3600, 10**9
# The most that a look adds, however long ago the one before was.
LONGEST_STEP_SECONDS = 15 * MINUTE


class Patience(NamedTuple):
    """How long a stage may be without change, and where to look then.

    Args:
        seconds: for any table.
        seconds_per_gigabyte: in addition, by the table's size in DynamoDB.
        look: where the cause may be seen.
    """

    seconds: float
    seconds_per_gigabyte: float
    look: str


PATIENCE = {
    # DynamoDB does not tell how far an export is, so its size alone can; minutes for any table, hours for terabytes.
    "export": Patience(2 * HOUR, 36, "See the export in DynamoDB's console."),
    # Data Factory tells bytes every few seconds; it may queue a run for minutes, and listing many files takes some.
    "copy": Patience(30 * MINUTE, 0, "See the copy run in Data Factory's monitor."),
    # Beyond 10,000 RU/s for each partition that there is, Cosmos DB splits partitions first, which takes 4 to 6 hours.
    # https://learn.microsoft.com/azure/cosmos-db/scaling-provisioned-throughput-best-practices
    "prepare": Patience(8 * HOUR, 0, "See the container's throughput in the Azure portal."),
    # A cluster starts within 20 minutes or fails; then the notebook tells each file that it has read.
    "assess": Patience(45 * MINUTE, 0, "See the load run in Databricks."),
    # Documents are counted as they are written; with too little throughput they get slow, not silent.
    "load": Patience(
        45 * MINUTE, 0, "See the load run in Databricks, and how many requests Cosmos DB throttles."
    ),
    # Reading a container back with little throughput starts slowly.
    "verify": Patience(90 * MINUTE, 0, "See the load run in Databricks."),
    # A few small files; a service that is away is asked for about 40 minutes.
    "report": Patience(HOUR, 0, "See the app's log."),
}


class StallSample(NamedTuple):
    """What one look at a table saw.

    Args:
        table: its name.
        round: the round of the migration's work.
        stage: the stage that is under way.
        progress: what the stage tells of itself; JSON.
        waits: whether it waits for its turn, for its time or for a user, which is no stall.
        size_bytes: the table's size, None if unknown.
    """

    table: str
    round: int
    stage: str
    progress: Any
    waits: bool
    size_bytes: int | None


def patience_seconds(stage: str, size_bytes: int | None) -> float:
    """Return how long a stage may be without change."""
    patience = PATIENCE[stage]
    return patience.seconds + patience.seconds_per_gigabyte * (size_bytes or 0) / GIGABYTE


def after_looks(before: Mapping[str, Any], looks: Iterable[StallSample], now: datetime) -> Json:
    """Return what the watch keeps of a migration: of each table that runs, since when it has not changed.

    Args:
        before: what was kept at the time before; empty at first.
        looks: one at each table that runs.
        now: with an offset.

    Returns:
        ``looked_at``, and ``tables`` by name, each with ``stalled``: None, or ``stage``, ``since`` and ``detail``.
    """
    step = 0.0
    if before.get("looked_at"):
        passed = (now - datetime.fromisoformat(before["looked_at"])).total_seconds()
        step = min(max(passed, 0.0), LONGEST_STEP_SECONDS)
    known = before.get("tables", {})
    tables = {look.table: _after_look(known.get(look.table), look, step, now) for look in looks}
    return {"looked_at": now.isoformat(timespec="seconds"), "tables": tables}


def new_stalls(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Json]:
    """Return the tables that are stalled and were not at the time before, with their stalls."""
    known = before.get("tables", {})
    return {
        name: kept["stalled"]
        for name, kept in after["tables"].items()
        if kept["stalled"] and kept["stalled"] != known.get(name, {}).get("stalled")
    }


def _after_look(before: Mapping[str, Any] | None, look: StallSample, step: float, now: datetime) -> Json:
    seen = _digest(look)
    if before is None or look.waits or before["seen"] != seen:
        return {"seen": seen, "seconds": 0.0, "stalled": None}
    seconds, stalled = before["seconds"] + step, before["stalled"]
    if stalled is None and seconds > patience_seconds(look.stage, look.size_bytes):
        stalled = _stalled(look, seconds, now)
    return {"seen": seen, "seconds": seconds, "stalled": stalled}


def _digest(look: StallSample) -> str:
    text = json.dumps([look.round, look.stage, look.progress, look.waits], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _stalled(look: StallSample, seconds: float, now: datetime) -> Json:
    limit = patience_seconds(look.stage, look.size_bytes)
    since = now - timedelta(seconds=seconds)
    return {
        "stage": look.stage,
        "since": since.isoformat(timespec="seconds"),
        "detail": (
            f"Nothing of {look.stage} has changed for {_in_words(seconds)}, and {_in_words(limit)} should do. "
            f"{PATIENCE[look.stage].look} It is still waited for; cancel the table to give up."
        ),
    }


def _in_words(seconds: float) -> str:
    minutes = round(seconds / MINUTE)
    return f"{minutes} minutes" if minutes < 120 else f"{round(minutes / 60, 1):g} hours"
