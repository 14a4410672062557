"""A table's record: its settings and the results of its stages, stored in the lake for later operations.

A verify or a replay reads the record, and updates it once it has succeeded.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from d2c.app import clock
from d2c.shapes import TableEnd
from d2c.state.operations import may_have_written
from d2c.state.progress import counts_of_load

Record = Mapping[str, Any]

COPIED = (
    "migration",
    "table",
    "database",
    "container",
    "account",
    "region",
    "size_bytes",
    "source",
    "export",
    "copy",
    "limits",
    "rules",
)
STAGES_OF = {"verify": ("verify",), "replay": ("replay", "verify")}
SUMS = ("documents", "expired", "document_bytes")


def rules_history(record: Record) -> Sequence[Mapping[str, Any]]:
    """Return the plan's rules for a table, then those of its replays."""
    return record.get("rules_history") or [record["rules"]]


def rejected_folder(record: Record) -> str | None:
    """Return the lake folder with the currently rejected items, or None if the table was not loaded."""
    load = record.get("load") or {}
    if "result_path" not in load:
        return None
    folder: str = record.get("rejected_folder") or f"{load['result_path'].rpartition('/')[0]}/rejected"
    return folder


def items_rejected(record: Record) -> int:
    """Return the number of currently rejected items."""
    load = record.get("load") or {}
    counted = load.get("loaded") or load.get("assessed") or {}
    rejected: int = counted.get("rejected") or 0
    return rejected


def mismatches_path(record: Record) -> str | None:
    """Return the lake file of the last load run that verified, or None if there is none."""
    path: str | None = record.get("verified_by") or (record.get("load") or {}).get("result_path")
    return path


def table_end(record: Record) -> TableEnd:
    """Return a table's line in the log of ended tables: enough to show its state without its record."""
    export = record.get("export") or {}
    error = record["error"]
    return {
        "table": record["table"],
        "operation": record["operation"],
        "state": record["state"],
        "stage": (error or record["stages"][-1])["stage"],
        "error": error,
        "items_exported": export.get("items"),
        **counts_of_load(record.get("load") or {}),
        "started_at": record["started_at"],
        "finished_at": clock.text(),
    }


def why_not_allowed(record: Record | None, kind: str) -> str | None:
    """Return why a table does not allow an operation, or None if it does.

    Args:
        record: the table's, or None if there is none.
        kind: ``verify`` or ``replay``.
    """
    if record is None:
        return "it has no record in the lake"
    if kind == "replay" and not (record.get("load") or {}).get("loaded"):
        return f"it is {record['state']} and was not loaded, so there is nothing to add to"
    if not may_have_written(record):
        return f"it is {record['state']} and its load did not begin, so there is nothing to compare"
    return None


def compared_input(record: Record, kind: str, number: int, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a verify or a replay knows of a table.

    Args:
        record: the table's.
        kind: ``verify`` or ``replay``.
        number: the operation's.
        entry: the table as the request has it: its ``rules`` and ``verify``, None where nothing changes.
    """
    history = [*rules_history(record)]
    if entry["rules"] is not None and entry["rules"] != history[-1]:
        history.append(entry["rules"])
    load = record.get("load") or {}
    return {
        **{name: record[name] for name in COPIED if name in record},
        "operation": number,
        "stages": [],
        "verify": entry["verify"] or record["verify"],
        "scope": {
            "stages": STAGES_OF[kind],
            "rules_history": history,
            # Items that had expired by the time of the export are not written in any case.
            "load_started_at": load.get("load_started_at") or _epoch(record["export"]["time"]),
            "documents_written": (load.get("loaded") or {}).get("documents", 0),
            "rejected_folder": rejected_folder(record),
            "items_rejected": items_rejected(record),
        },
    }


def after_operation(
    record: Record, kind: str, table: Mapping[str, Any], result: Mapping[str, Any], now: str
) -> dict[str, Any]:
    """Return the record after the load run of a verify or a replay has succeeded; a repeated try changes nothing.

    Args:
        record: the table's before it.
        kind: ``verify`` or ``replay``.
        table: as returned by `compared_input`.
        result: the load run's.
        now: when it finished, in ISO 8601.
    """
    if any(one["number"] == table["operation"] for one in record.get("operations", ())):
        return dict(record)
    load = {**(record.get("load") or {}), "verification": result["verification"]}
    replayed = result["replayed"]
    changes: dict[str, Any] = {}
    if replayed:
        load["loaded"] = _with_replayed(load["loaded"], replayed)
        folder = result["result_path"].rpartition("/")[0]
        changes = {
            "rejected_folder": f"{folder}/rejected",
            "rules_history": table["scope"]["rules_history"],
        }
    operation = {
        "operation": kind,
        "number": table["operation"],
        "finished_at": now,
        "items": replayed and _items(replayed),
        "verification": result["verification"],
    }
    operations = [*record.get("operations", ()), operation]
    return {**record, **changes, "load": load, "verified_by": result["result_path"], "operations": operations}


def _with_replayed(loaded: Mapping[str, Any], replayed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sums of load and replays: each rejected item is counted by its current outcome."""
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
