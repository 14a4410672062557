"""A stage is stalled when its progress has not changed for longer than that stage should take.

The watchdog takes a sample every few minutes and adds up the time between its samples. It does not compare clocks over
longer periods: they may be set in between, and an app that was off cannot know whether anything changed.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypedDict

MINUTE, HOUR, GIGABYTE = 60, 3600, 10**9
# The most that a sample adds, however long ago the one before was.
LONGEST_STEP_SECONDS = 15 * MINUTE


class Patience(NamedTuple):
    """The longest time that a stage may be without change, and where to look for the cause.

    Args:
        seconds: for any table.
        seconds_per_gigabyte: in addition, by the table's size in DynamoDB.
        advice: where the cause can be seen.
    """

    seconds: float
    seconds_per_gigabyte: float
    advice: str


WAITS_FOR_THROUGHPUT = "throughput"
PATIENCE = {
    # DynamoDB does not report the progress of an export, so only its size counts: minutes for any table, hours for
    # terabytes.
    "export": Patience(2 * HOUR, 36, "See the export in DynamoDB's console."),
    # Data Factory reports bytes every few seconds; it may queue a run for minutes, and listing many files takes some.
    "copy": Patience(30 * MINUTE, 0, "See the copy run in Data Factory's monitor."),
    # A few calls for each container; a service that is away is asked for about 40 minutes.
    "prepare": Patience(HOUR, 0, "See the app's log."),
    # A cluster starts within 20 minutes or fails; then the notebook reports items every few seconds.
    "assess": Patience(45 * MINUTE, 0, "See the load run in Databricks."),
    # Between assess and load. Beyond 10,000 RU/s for each partition that there is, Cosmos DB splits partitions first,
    # which takes 4 to 6 hours.
    # https://learn.microsoft.com/azure/cosmos-db/scaling-provisioned-throughput-best-practices
    WAITS_FOR_THROUGHPUT: Patience(8 * HOUR, 0, "See the container's throughput in the Azure portal."),
    # Documents are counted as they are written; with too little throughput they get slow, not silent.
    "load": Patience(
        45 * MINUTE, 0, "See the load run in Databricks, and how many requests Cosmos DB throttles."
    ),
    # Reading a container back with little throughput starts slowly.
    "verify": Patience(90 * MINUTE, 0, "See the load run in Databricks."),
    # The service builds an index with the RU/s that nobody else uses, and tells whole percent.
    "index": Patience(2 * HOUR, 0, "See how many of the container's RU/s others use."),
    # A few small files; a service that is away is asked for about 40 minutes.
    "report": Patience(HOUR, 0, "See the app's log."),
}


class StallSample(NamedTuple):
    """The progress of a table at one moment.

    Args:
        table: its name.
        operation: the number of the start or retry that it is part of.
        stage: the stage that is under way.
        progress: the stage's; JSON.
        waits: whether it waits for a lane, a time window or a user, which is no stall.
        size_bytes: the table's size, None if unknown.
    """

    table: str
    operation: int
    stage: str
    progress: Any
    waits: bool
    size_bytes: int | None


class Stall(TypedDict):
    """A stall: the stage, since when it has not changed, and the words for a user."""

    stage: str
    since: str
    detail: str


class WatchedTable(TypedDict):
    """A running table in the watchdog's file: a digest of its progress, and for how long that is the same."""

    seen: str
    seconds: float
    stalled: Stall | None


class WatchdogFile(TypedDict, total=False):
    """The watchdog's file of a migration."""

    operation: int  # the number of the last retry, or 0
    looked_at: str
    tables: dict[str, WatchedTable]
    lost: int | str  # a start or retry without a trace, or "plan": seen once


def patience_seconds(name: str, size_bytes: int | None) -> float:
    """Return the longest time that a stage, or the wait for a container's throughput, may be without change."""
    patience = PATIENCE[name]
    return patience.seconds + patience.seconds_per_gigabyte * (size_bytes or 0) / GIGABYTE


def after_samples(before: WatchdogFile, samples: Iterable[StallSample], now: datetime) -> WatchdogFile:
    """Return the watchdog's file of a migration after new samples.

    Args:
        before: the file so far; empty at first.
        samples: one of each running table.
        now: with an offset.
    """
    step = 0.0
    if before.get("looked_at"):
        passed = (now - datetime.fromisoformat(before["looked_at"])).total_seconds()
        step = min(max(passed, 0.0), LONGEST_STEP_SECONDS)
    known = before.get("tables", {})
    tables = {sample.table: _after_sample(known.get(sample.table), sample, step, now) for sample in samples}
    return {"looked_at": now.isoformat(timespec="seconds"), "tables": tables}


def new_stalls(before: WatchdogFile, after: WatchdogFile) -> dict[str, Stall]:
    """Return the stalls that were not in the watchdog's file before, by their tables."""
    known = {name: table["stalled"] for name, table in before.get("tables", {}).items()}
    return {
        name: table["stalled"]
        for name, table in after["tables"].items()
        if table["stalled"] and table["stalled"] != known.get(name)
    }


def _after_sample(
    before: WatchedTable | None, sample: StallSample, step: float, now: datetime
) -> WatchedTable:
    seen = _digest(sample)
    if before is None or sample.waits or before["seen"] != seen:
        return {"seen": seen, "seconds": 0.0, "stalled": None}
    seconds, stalled = before["seconds"] + step, before["stalled"]
    if stalled is None and seconds > patience_seconds(_patience_of(sample), sample.size_bytes):
        stalled = _stall(sample, seconds, now)
    return {"seen": seen, "seconds": seconds, "stalled": stalled}


def _patience_of(sample: StallSample) -> str:
    is_waiting = sample.stage == "load" and sample.progress and sample.progress.get("is_waiting")
    return WAITS_FOR_THROUGHPUT if is_waiting else sample.stage


def _digest(sample: StallSample) -> str:
    text = json.dumps([sample.operation, sample.stage, sample.progress, sample.waits], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _stall(sample: StallSample, seconds: float, now: datetime) -> Stall:
    name = _patience_of(sample)
    limit = patience_seconds(name, sample.size_bytes)
    since = now - timedelta(seconds=seconds)
    return {
        "stage": sample.stage,
        "since": since.isoformat(timespec="seconds"),
        "detail": (
            f"No progress of {name} for {_in_words(seconds)}; {_in_words(limit)} should be enough. "
            f"{PATIENCE[name].advice} The app still waits for it; cancel the table to give up."
        ),
    }


def _in_words(seconds: float) -> str:
    minutes = round(seconds / MINUTE)
    return f"{minutes} minutes" if minutes < 120 else f"{round(minutes / 60, 1):g} hours"
