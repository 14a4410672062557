"""How a table ends in an operation: its throughput is put back, its record and its part of the report are written."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, cast

from d2c.app import clock
from d2c.app.logs import log_fields
from d2c.app.observing import measure
from d2c.clients.azure.lake import Lake
from d2c.clients.clients import Clients
from d2c.errors import PermanentError, RefusedError
from d2c.load_run.throughput.scaling import put_back
from d2c.load_run.told.result import read_result
from d2c.report.contents import ended_stages, table_report
from d2c.shapes import (
    ComparingKind,
    ErrorDict,
    LoadResult,
    OperationRef,
    QueueEntry,
    Restored,
    StageEntry,
    TableEnd,
    TableInput,
    TableOutcome,
    TableRecord,
)
from d2c.shapes.operations import MIGRATING, is_comparing
from d2c.state import paths
from d2c.state.container_lock import find_lock, holder_of, record_path
from d2c.state.outbox import notify_of_table
from d2c.state.table_files import keep, read_record, read_table, with_stages
from d2c.state.table_record import after_operation, mismatches_path, table_end
from d2c.state.table_states import state_of

logger = logging.getLogger(__name__)


def end_table(
    clients: Clients,
    payload: OperationRef,
    name: str,
    *,
    error: ErrorDict | None,
    stages: Sequence[StageEntry] = (),
    found: Mapping[str, Any] | None = None,
    restore_error: ErrorDict | None = None,
    table: TableInput | None = None,
) -> None:
    """End a table; a repeated try writes the same again, and a table that has ended stays as it is.

    The line in the queue comes last: until it is there, whoever has the table tries again.

    Args:
        clients: the app's.
        payload: the operation.
        name: the table's.
        error: why it failed, with the ``stage`` unless the last one of ``stages`` is meant; None if it succeeded.
        stages: those that have ended since its file was written.
        found: what they found.
        restore_error: why its throughput cannot be put back, so that it is not tried any more.
        table: what its file holds, if the caller has just kept it; None to read it.
    """
    with log_fields(table=name):
        _end(clients, payload, name, error, stages, found or {}, restore_error, table)


def _end(
    clients: Clients,
    payload: OperationRef,
    name: str,
    error: ErrorDict | None,
    stages: Sequence[StageEntry],
    found: Mapping[str, Any],
    restore_error: ErrorDict | None,
    kept: TableInput | None,
) -> None:
    lake, migration, operation = clients.lake, payload["migration"], payload["operation"]
    if _has_ended(lake, payload, name):
        return
    line = _line_of_end(lake, payload, name)
    if line:
        _append_end(lake, payload, name, line["error"])
        return
    try:
        table = kept or read_table(lake, migration, operation, name)
    except PermanentError as gone:
        _end_without_file(lake, payload, name, {**gone.to_dict(), "stage": "report"})
        return
    table = cast("TableInput", {**table, **found, "stages": with_stages(table, *stages)})
    if error and "stage" not in error:
        error = {**error, "stage": table["stages"][-1]["stage"] if table["stages"] else "export"}
    if payload["kind"] in MIGRATING:
        error = _end_migrated(clients, table, error, restore_error)
    elif error is None and is_comparing(payload["kind"]):
        _end_compared(clients, payload["kind"], table)
    _append_end(lake, payload, name, error)


def _append_end(lake: Lake, payload: OperationRef, name: str, error: ErrorDict | None) -> None:
    entry: QueueEntry = {
        "did": "ended",
        "table": name,
        "state": state_of(error),
        "error": error,
        "at": clock.text("milliseconds"),
    }
    lake.append(paths.MigrationFiles(payload["migration"]).work(payload["operation"]).queue_log, entry)


def _end_without_file(lake: Lake, payload: OperationRef, name: str, error: ErrorDict) -> None:
    """End a table of which nothing is known any more, so that nothing waits for it."""
    if payload["kind"] in MIGRATING:
        line: TableEnd = {
            "table": name,
            "operation": payload["operation"],
            "state": "failed",
            "stage": error["stage"],
            "error": error,
            "items_exported": None,
            "items_written": None,
            "items_rejected": None,
            "items_expired": None,
            "mismatches": None,
            "started_at": clock.text("milliseconds"),
            "finished_at": clock.text("milliseconds"),
        }
        lake.append(paths.MigrationFiles(payload["migration"]).ended_tables, line)
    _append_end(lake, payload, name, error)


def _has_ended(lake: Lake, payload: OperationRef, name: str) -> bool:
    log = lake.read_log(paths.MigrationFiles(payload["migration"]).work(payload["operation"]).queue_log)
    return any(entry["did"] == "ended" and entry["table"] == name for entry in log)


def _line_of_end(lake: Lake, payload: OperationRef, name: str) -> TableEnd | None:
    """Return the line that an earlier try, which broke off before its last step, wrote of how a table ended."""
    if payload["kind"] not in MIGRATING:
        return None
    lines: list[TableEnd] = lake.read_log(paths.MigrationFiles(payload["migration"]).ended_tables)
    mine = (line for line in reversed(lines) if line["table"] == name)
    return next((line for line in mine if line["operation"] == payload["operation"]), None)


def _end_migrated(
    clients: Clients, table: TableInput, error: ErrorDict | None, restore_error: ErrorDict | None
) -> ErrorDict | None:
    """Put the throughput back, whatever happened before, and write the record; the result is the error of both."""
    began, restored = clock.now(), None
    if restore_error is None and "restored" not in table:
        try:
            restored = _restore(clients, table)
        except (PermanentError, RefusedError) as failure:
            restore_error = failure.to_dict()
        else:
            table = keep(clients.lake, table, restored=restored)
    error = with_word_of_indexes(table, _joined(error, restore_error))
    report: StageEntry = {
        "stage": "report",
        "state": state_of(error) if restore_error else "succeeded",
        "started_at": began.isoformat(timespec="milliseconds"),
        "seconds": round((clock.now() - began).total_seconds(), 3),
    }
    outcome: TableOutcome = {
        **table,
        "started_at": table.get("started_at")
        or (table["stages"][0]["started_at"] if table["stages"] else clock.text("milliseconds")),
        "state": state_of(error),
        "error": error,
        "stages": [*table["stages"], report],
    }
    write_record(clients, cast("TableRecord", outcome))
    return error


def with_word_of_indexes(table: TableInput, error: ErrorDict | None) -> ErrorDict | None:
    """Return an error with what became of a container that was to get its indexes after the load."""
    if error is None or "final_policy" not in table.get("described", {}) or not table.get("is_asked_for"):
        return error
    if table.get("is_indexing"):
        detail = "Cosmos DB goes on building the container's indexes with the RU/s that are left."
        return {**error, "detail": f"{error['detail']} {detail}"}
    if error.get("stage") == "index" and not error["cancelled"]:
        return error
    return {
        **error,
        "detail": f"{error['detail']} The container has no indexes yet.",
        "next_step": f"{error['next_step']} A retry gives it its indexing policy once the table is loaded.",
    }


def _restore(clients: Clients, table: TableInput) -> Restored | None:
    """Put the container's throughput to what the plan wants afterwards, or to what it was; then others may load it.

    A container that nothing was asked of stays as it is, or is not even there: assess may have failed before.
    """
    if "described" not in table:
        return None
    lake, path = clients.lake, record_path(clients.settings, table)
    lock = find_lock(lake, path)
    if lock and holder_of(lock[0]) != holder_of(table):
        return {"after_ru_per_second": None}
    after = None
    if table.get("may_be_scaled"):
        after = put_back(clients.cosmos_management, table["database"], table["container"], table["described"])
    if lock:
        # One that changes hands meanwhile stays.
        lake.delete(path, lock[1])
    return {"after_ru_per_second": after}


def _joined(error: ErrorDict | None, restore_error: ErrorDict | None) -> ErrorDict | None:
    """Return the first error, with the text of the second: throughput that stays up costs money every hour."""
    if restore_error is None:
        return error
    if error is None:
        return {**restore_error, "stage": "report"}
    return {
        **error,
        "detail": f"{error['detail']} The throughput could not be put back either: {restore_error['detail']}",
        "next_step": f"{error['next_step']} For the throughput: {restore_error['next_step']}",
    }


def _end_compared(clients: Clients, kind: ComparingKind, table: TableInput) -> None:
    """Write the record after a verify or a replay that has succeeded."""
    record = read_record(clients.lake, table["migration"], table["table"])
    load: LoadResult = table["load"]
    write_record(clients, after_operation(record, kind, table, load, clock.text("milliseconds")))


def write_record(clients: Clients, record: TableRecord) -> None:
    """Write a table's record and its part of the report, with what is too large for history and is in the lake.

    The line in the log of ended tables comes last: a reader that finds it finds the rest.
    """
    lake, files = clients.lake, paths.MigrationFiles(record["migration"])
    record = cast("TableRecord", {**record, "stages": ended_stages(record["stages"])})
    report = report_of(lake, record)
    lake.write_json(files.table(record["table"]).record, record)
    lake.write_json(files.table(record["table"]).report, report)
    line = table_end(record)
    if not record.get("operations"):
        _measure(report)
    lake.append(files.ended_tables, line)
    if not record.get("operations"):
        notify_of_table(lake, clients.settings, record["migration"], line)


def report_of(lake: Lake, record: TableRecord) -> dict[str, Any]:
    """Return a table's part of the report, by its record and what its load run left in the lake."""
    load, verified_by = record.get("load"), mismatches_path(record)
    loaded_by = load.get("result_path") if load else None
    assessed = _result(lake, loaded_by)
    verified = assessed if verified_by == loaded_by else _result(lake, verified_by)
    estimate = lake.read_json(paths.MigrationFiles(record["migration"]).estimate) or {}
    return table_report(
        record, verified.get("mismatches") or [], assessed.get("census"), estimate.get("basis")
    )


def _measure(report: Mapping[str, Any]) -> None:
    """Send the numbers of a table that has ended; a try that is repeated sends them twice."""
    for name, count in report["items"].items():
        measure(f"d2c.items.{name}", count)
    verification = report["verification"]
    mismatches = [verification[kind] for kind in ("missing", "unexpected", "different")]
    measure("d2c.mismatches", sum(mismatches) if None not in mismatches else None)
    measure("d2c.throughput.peak", report["throughput"]["peak_ru_per_second"])
    for stage in report["stages"]:
        measure("d2c.stage.duration", stage.get("seconds"), stage=stage["stage"], state=stage["state"])


def _result(lake: Lake, path: str | None) -> Mapping[str, Any]:
    """Return the result of a load run; nothing where there was none, or where its file is gone or another one now."""
    try:
        return (read_result(lake.read, path) if path else None) or {}
    except PermanentError as error:
        logger.warning("The report has no census and no examples: %s", error)
        return {}
