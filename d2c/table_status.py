"""How one table stands, in the words of the HTTP API, from its line in the log or from its orchestration."""

from collections.abc import Mapping
from typing import Any

from d2c.progress import percent_of_table

COUNTS = ("items_exported", "items_written", "items_rejected", "items_expired", "mismatches")

Json = dict[str, Any]


def ended_table(end: Mapping[str, Any]) -> Json:
    """Return how a table stands that has ended, from its line in the log."""
    return _described(end["table"], end["state"], end["stage"], end, error=end["error"])


def pending_table(table: str) -> Json:
    """Return how a table stands whose turn has not come."""
    return _described(table, "pending", None, {})


def table_under_way(
    table: str,
    state: str,
    shown: Mapping[str, Any],
    progress: Mapping[str, Any] | None,
    error: Mapping[str, Any] | None,
) -> Json:
    """Return how a table stands whose orchestration was looked at.

    Args:
        table: its name.
        state: its orchestration's state.
        shown: its orchestration's custom status, by `orchestrators.stage_log`.
        progress: what the stage that it waits in found at its last look, if anything.
        error: why it failed, or None.
    """
    stage = (error or {}).get("stage") or _stage(shown, progress)
    waiting = shown.get("waiting")
    if (progress or {}).get("waits_for"):
        waiting = {"for": "group", "until": None}
    return _described(table, state, stage, shown, progress, error, waiting)


def _stage(shown: Mapping[str, Any], progress: Mapping[str, Any] | None) -> str:
    """Return the stage under way; of those that share a load run, the run itself tells."""
    stages = (progress or {}).get("stages")
    stage: str = stages[-1]["stage"] if stages else shown.get("stage", "export")
    return stage


def _described(
    table: str,
    state: str,
    stage: str | None,
    counts: Mapping[str, Any],
    progress: Mapping[str, Any] | None = None,
    error: Mapping[str, Any] | None = None,
    waiting: Mapping[str, Any] | None = None,
) -> Json:
    return {
        "table": table,
        "state": state,
        "stage": stage,
        **{name: counts.get(name) for name in COUNTS},
        "percent": percent_of_table(state, stage, progress),
        "eta": None,
        "waiting": waiting,
        "stalled": None,
        "error": error,
    }
