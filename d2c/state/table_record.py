"""A table's record: its entry in the plan with all that its stages found, kept in the lake for those who come later.

A revisit (verify alone, replay of rejected items) reads the record, and leaves one that tells of it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from d2c.state.progress import counts_of_load

Record = Mapping[str, Any]

COPIED_TO_RUN = ("migration", "table", "database", "container", "source", "export", "copy", "limits", "rules")
STAGES_OF = {"verify": ("verify",), "replay": ("replay", "verify")}
SUMS = ("documents", "expired", "document_bytes")


def revisit_name(operation: str, number: int) -> str:
    """Return what a revisit's folders, runs and instances are called after."""
    return f"{operation}-{number}"


def rules_history(record: Record) -> Sequence[Mapping[str, Any]]:
    """Return the plan's rules for a table, then those of its replays."""
    return record.get("rules_history") or [record["rules"]]


def rejected_folder(record: Record) -> str | None:
    """Return the lake folder with the items that are rejected now, or None if the table did not come so far."""
    load = record.get("load") or {}
    if "result_path" not in load:
        return None
    folder: str = record.get("rejected_folder") or f"{load['result_path'].rpartition('/')[0]}/rejected"
    return folder


def items_rejected(record: Record) -> int:
    """Return how many items are rejected now."""
    load = record.get("load") or {}
    counted = load.get("loaded") or load.get("assessed") or {}
    rejected: int = counted.get("rejected") or 0
    return rejected


def mismatches_path(record: Record) -> str | None:
    """Return the lake file of the load run that verified last, or None if none came so far."""
    path: str | None = record.get("verified_by") or (record.get("load") or {}).get("result_path")
    return path


def table_end(record: Record) -> dict[str, Any]:
    """Return what the log of ended tables says of a table: enough to tell how it stands without its record."""
    export = record.get("export") or {}
    error = record["error"]
    return {
        "table": record["table"],
        "round": record["round"],
        "state": record["state"],
        "stage": (error or record["stages"][-1])["stage"],
        "error": error,
        "items_exported": export.get("items"),
        **counts_of_load(record.get("load") or {}),
        "started_at": record["started_at"],
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def why_no_revisit(record: Record | None, operation: str) -> str | None:
    """Return why a table cannot be revisited, or None if it can.

    Args:
        record: the table's, or None if it left none.
        operation: ``verify`` or ``replay``.
    """
    if record is None:
        return "it left no record in the lake"
    if operation == "replay" and not (record.get("load") or {}).get("loaded"):
        return f"it is {record['state']} and was not loaded, so there is nothing to add to"
    if "assess" not in [stage["stage"] for stage in record["stages"]]:
        return f"it is {record['state']} and its container was not prepared, so there is nothing to compare"
    return None


def run_payload(record: Record, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `start_load` needs for the load run of a revisit.

    Args:
        record: the table's.
        asked: the revisit's ``operation``, ``number`` and ``waits``, and the table's ``rules`` and ``verify``, which
            are None where nothing else than before is asked for.
    """
    history = [*rules_history(record)]
    if asked["rules"] is not None and asked["rules"] != history[-1]:
        history.append(asked["rules"])
    load = record.get("load") or {}
    return {
        **{name: record[name] for name in COPIED_TO_RUN},
        "waits": asked["waits"],
        "verify": asked["verify"] or record["verify"],
        "revisit": {
            "name": revisit_name(asked["operation"], asked["number"]),
            "stages": STAGES_OF[asked["operation"]],
            "rules_history": history,
            # What had expired by the time of the export was not to be written either way.
            "load_started_at": load.get("load_started_at") or _epoch(record["export"]["time"]),
            "documents_written": (load.get("loaded") or {}).get("documents", 0),
            "rejected_folder": rejected_folder(record),
            "items_rejected": items_rejected(record),
        },
    }


def after_revisit(
    record: Record, asked: Mapping[str, Any], payload: Mapping[str, Any], found: Mapping[str, Any], now: str
) -> dict[str, Any]:
    """Return the record once a revisit's load run has succeeded.

    Args:
        record: the table's before it.
        asked: as given to `run_payload`.
        payload: as returned by it.
        found: what the load run found, as `look_at_load` summarises it.
        now: when it finished, in ISO 8601.
    """
    load = {**(record.get("load") or {}), "verification": found["verification"]}
    replayed = found["replayed"]
    changes: dict[str, Any] = {}
    if replayed:
        load["loaded"] = _with_replayed(load["loaded"], replayed)
        folder = found["result_path"].rpartition("/")[0]
        changes = {
            "rejected_folder": f"{folder}/rejected",
            "rules_history": payload["revisit"]["rules_history"],
        }
    revisit = {
        "operation": asked["operation"],
        "number": asked["number"],
        "finished_at": now,
        "items": replayed and _items(replayed),
        "verification": found["verification"],
    }
    revisits = [*record.get("revisits", ()), revisit]
    return {**record, **changes, "load": load, "verified_by": found["result_path"], "revisits": revisits}


def _with_replayed(loaded: Mapping[str, Any], replayed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sums of load and replays: each item that was rejected is counted as what it is now."""
    return {
        **loaded,
        **{name: loaded[name] + replayed[name] for name in SUMS},
        **{name: replayed[name] for name in ("rejected", "rejected_by_reason")},
    }


def _items(replayed: Mapping[str, Any]) -> dict[str, int]:
    return {
        "replayed": replayed["lines"],
        "written": replayed["documents"],
        "rejected": replayed["rejected"],
        "expired": replayed["expired"],
    }


def _epoch(time: str) -> int:
    return int(datetime.fromisoformat(time).timestamp())
