"""A table's record: its settings and the results of its stages, stored in the lake for later operations.

A verify or a replay reads the record, and updates it once it has succeeded.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from d2c.app import clock
from d2c.shapes import (
    ComparingKind,
    LoadResult,
    LoadScope,
    OperationKind,
    PastOperation,
    Rules,
    Sums,
    TableEnd,
    TableInput,
    TableRecord,
)
from d2c.shapes.operations import KINDS
from d2c.state.operations import may_have_written
from d2c.state.progress import counts_of_load

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


def rules_history(record: TableRecord) -> Sequence[Mapping[str, Any]]:
    """Return the plan's rules for a table, then those of its replays."""
    return record.get("rules_history") or [record["rules"]]


def rejected_folder(record: TableRecord) -> str | None:
    """Return the lake folder with the currently rejected items, or None if the table was not loaded."""
    load = record.get("load")
    if not load or "result_path" not in load:
        return None
    return record.get("rejected_folder") or f"{load['result_path'].rpartition('/')[0]}/rejected"


def items_rejected(record: TableRecord) -> int:
    """Return the number of currently rejected items."""
    load = record.get("load")
    counted = (load.get("loaded") or load.get("assessed")) if load else None
    return counted["rejected"] if counted else 0


def mismatches_path(record: TableRecord) -> str | None:
    """Return the lake file of the last load run that verified, or None if there is none."""
    load = record.get("load")
    return record.get("verified_by") or (load.get("result_path") if load else None)


def table_end(record: TableRecord) -> TableEnd:
    """Return a table's line in the log of ended tables: enough to show its state without its record."""
    export, load = record.get("export"), record.get("load")
    error = record["error"]
    return {
        "table": record["table"],
        "operation": record["operation"],
        "state": record["state"],
        "stage": (error or record["stages"][-1])["stage"],
        "error": error,
        "items_exported": export["items"] if export else None,
        **counts_of_load(load or {}),
        "started_at": record["started_at"],
        "finished_at": clock.text(),
    }


def why_not_allowed(record: TableRecord | None, kind: ComparingKind) -> str | None:
    """Return why a table does not allow an operation, or None if it does.

    Args:
        record: the table's, or None if there is none.
        kind: the operation's.
    """
    if record is None:
        return "it has no record in the lake"
    load = record.get("load")
    if KINDS[kind].needs_load and not (load and load.get("loaded")):
        return f"it is {record['state']} and was not loaded, so there is nothing to add to"
    if not may_have_written(record):
        return f"it is {record['state']} and its load did not begin, so there is nothing to compare"
    return None


def compared_input(
    record: TableRecord, kind: OperationKind, number: int, entry: Mapping[str, Any]
) -> TableInput:
    """Return what a verify or a replay knows of a table.

    Args:
        record: the table's.
        kind: the operation's.
        number: the operation's.
        entry: the table as the request has it: its ``rules`` and ``verify``, None where nothing changes.
    """
    history = [*rules_history(record)]
    if entry["rules"] is not None and entry["rules"] != history[-1]:
        history.append(entry["rules"])
    copied = {name: value for name, value in record.items() if name in COPIED}
    load = record.get("load")
    loaded = load.get("loaded") if load else None
    scope: LoadScope = {
        "stages": KINDS[kind].load_stages,
        "rules_history": history,
        # Items that had expired by the time of the export are not written in any case.
        "load_started_at": (load and load.get("load_started_at")) or _epoch(record["export"]["time"]),
        "documents_written": loaded["documents"] if loaded else 0,
        "rejected_folder": rejected_folder(record),
        "items_rejected": items_rejected(record),
    }
    verify = entry["verify"] or record["verify"]
    compared = {**copied, "operation": number, "stages": [], "verify": verify, "scope": scope}
    return cast("TableInput", compared)


def after_operation(
    record: TableRecord, kind: ComparingKind, table: TableInput, result: LoadResult, now: str
) -> TableRecord:
    """Return the record after the load run of a verify or a replay has succeeded; a repeated try changes nothing.

    Args:
        record: the table's before it.
        kind: the operation's.
        table: as returned by `compared_input`.
        result: the load run's.
        now: when it finished, in ISO 8601.
    """
    operations = record.get("operations", [])
    if any(one["number"] == table["operation"] for one in operations):
        return record
    replayed = result["replayed"]
    operation: PastOperation = {
        "operation": kind,
        "number": table["operation"],
        "finished_at": now,
        "items": replayed and _items(replayed),
        "verification": result["verification"],
        "verify_ru_per_second": table.get("verify_ru_per_second"),
    }
    after = _with_replayed(record, table, result, replayed) if replayed else record
    load = cast("LoadResult", {**(after.get("load") or {}), "verification": result["verification"]})
    return {
        **after,
        "load": load,
        "verified_by": result["result_path"],
        "operations": [*operations, operation],
    }


def _with_replayed(record: TableRecord, table: TableInput, result: LoadResult, replayed: Sums) -> TableRecord:
    """Return the record with the sums of load and replays: each rejected item is counted by its current outcome."""
    load = record["load"]
    loaded = cast("Sums", load["loaded"])
    sums: Sums = {
        **loaded,
        "documents": loaded["documents"] + replayed["documents"],
        "expired": loaded["expired"] + replayed["expired"],
        "document_bytes": loaded["document_bytes"] + replayed["document_bytes"],
        "rejected": replayed["rejected"],
        "rejected_by_reason": replayed["rejected_by_reason"],
    }
    return {
        **record,
        "load": {**load, "loaded": sums},
        "rejected_folder": f"{result['result_path'].rpartition('/')[0]}/rejected",
        "rules_history": cast("list[Rules]", table["scope"]["rules_history"]),
    }


def _items(replayed: Sums) -> dict[str, int]:
    return {
        "replayed": replayed["lines"],
        "written": replayed["documents"],
        "rejected": replayed["rejected"],
        "expired": replayed["expired"],
    }


def _epoch(time: str) -> int:
    return int(datetime.fromisoformat(time).timestamp())
