"""How far a table migration is, in the words of the HTTP API."""

from collections.abc import Mapping
from typing import Any

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
MISMATCHES = ("missing", "unexpected", "different")
COUNTS = ("items_exported", "items_written", "items_rejected", "items_expired", "mismatches")


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


def pending_table(table: str) -> dict[str, Any]:
    """Return the description of a table whose turn has not come."""
    return describe_table(table, "pending", {}, None, None)


def describe_table(
    table: str,
    state: str,
    shown: Mapping[str, Any],
    progress: Mapping[str, Any] | None,
    error: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return how a table stands.

    Args:
        table: its name.
        state: its state.
        shown: its orchestration's custom status, by `orchestrators.stage_log`.
        progress: what the stage that it waits in found at its last look, if anything.
        error: why it failed, or None.
    """
    stage = (error or {}).get("stage") or _stage(shown, progress)
    return {
        "table": table,
        "state": state,
        "stage": stage,
        **{name: shown.get(name) for name in COUNTS},
        "percent": 100 if state == "succeeded" else STAGE_BEGINS_AT.get(stage or "export", 0),
        "error": error,
    }


def _stage(shown: Mapping[str, Any], progress: Mapping[str, Any] | None) -> str | None:
    """Return the stage under way; of those that share a load run, the run itself tells."""
    stages = (progress or {}).get("stages")
    stage: str | None = stages[-1]["stage"] if stages else shown.get("stage")
    return stage
