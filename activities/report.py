"""Stage report: what happened, written to the lake."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import azure.durable_functions as df

from activities.outcome import outcome
from activities.turns import make_room
from d2c.app.observing import measure, measure_tables
from d2c.app.threads import side_by_side
from d2c.clients.azure.lake import Lake
from d2c.clients.clients import Clients
from d2c.errors import PermanentError
from d2c.report.contents import assemble_report, ended_stages, table_report, worst_state
from d2c.report.page import render_report
from d2c.shapes import (
    AcceptedPlan,
    ListedTable,
    ListedTables,
    Members,
    OperationTableInput,
    ReportInput,
    ReportResult,
    TableRecord,
)
from d2c.state import paths
from d2c.state.operations import last_retry
from d2c.state.outbox import MIGRATION_ENDED, notify, notify_of_table
from d2c.state.paths import table_record_path
from d2c.state.table_record import mismatches_path, table_end
from d2c.state.table_states import states_of_tables

PARTS_READ_AT_ONCE = 16
blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def write_table_report(clients: Clients, payload: TableRecord) -> None:
    """Write one table's record and its part of the report, with what is too large for history and is in the lake.

    The line in the log of ended tables comes last: a reader that finds it finds the rest.
    """
    lake = clients.lake
    names = payload["migration"], payload["table"]
    record: TableRecord = {**payload, "stages": ended_stages(payload["stages"])}
    load = record.get("load")
    assessed = _result(lake, load.get("result_path") if load else None)
    verified = _result(lake, mismatches_path(record))
    estimate = lake.read_json(paths.estimate_path(payload["migration"])) or {}
    report = table_report(
        record, verified.get("mismatches") or [], assessed.get("census"), estimate.get("basis")
    )
    lake.write_json(paths.table_record_path(*names), record)
    lake.write_json(paths.table_report_path(*names), report)
    make_room(lake, record)
    line = table_end(record)
    if not record.get("revisits"):
        _measure(report)
    lake.append(paths.ended_tables_path(payload["migration"]), line)
    if not record.get("revisits"):
        notify_of_table(lake, clients.settings, payload["migration"], line)


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


@blueprint.activity_trigger(input_name="payload")
@outcome
def write_report(clients: Clients, payload: ReportInput) -> ReportResult:
    """Put the tables' parts together, in the plan's order, as JSON and as a page.

    The result is how the migration ended, all its rounds together: the worst state that a table has now.
    """
    lake, migration = clients.lake, payload["migration"]
    path = paths.plan_path(migration)
    accepted: AcceptedPlan | None = lake.read_json(path)
    if accepted is None:
        raise PermanentError(
            f"The plan of migration {migration} is no longer in the lake: {path}.",
            "Look for what deletes files there; each table's part of the report is still there.",
        )
    listed = lake.read_json(paths.tables_path(migration))
    tables = _in_order(accepted["plan"], listed)
    parts = side_by_side(lambda table: _part(lake, migration, table), tables, at_once=PARTS_READ_AT_ONCE)
    states = Counter(part["state"] for part in parts)
    measure_tables(states.elements())
    state = worst_state([payload["state"], *states])
    report = assemble_report(migration, state, accepted, parts, payload.get("error"))
    lake.write_json(paths.report_path(migration), report)
    lake.write(paths.report_page_path(migration), render_report(report).encode())
    number = last_retry(lake, migration)
    if _have_all_ended(lake, migration, number, tables):
        lake.delete(paths.open_path(migration))
    ended = {"round": number, "state": state, "counts": dict(states)}
    notify(lake, clients.settings, MIGRATION_ENDED, migration, None, ended, number)
    return {"state": state, "tables": dict(states)}


def _have_all_ended(lake: Lake, migration: str, number: int, tables: list[ListedTable]) -> bool:
    """Tell whether every table has its line in the log; if not, the watchdog cleans up its orphans."""
    members: Members | None = lake.read_json(paths.members_path(paths.operation_folder(migration, number)))
    ended = lake.read_log(paths.ended_tables_path(migration))
    units = members["units"] if members else ()
    return all(table.end for table in states_of_tables(tables, number, units, (), ended))


def _in_order(plan: Mapping[str, Any], listed: ListedTables | None) -> list[ListedTable]:
    """Return a migration's tables, those that the plan names first; none if it ended before they were listed."""
    places = {table["table"]: place for place, table in enumerate(plan["tables"])}
    tables = listed["tables"] if listed else []
    return sorted(tables, key=lambda table: places.get(table["table"], len(places)))


def _result(lake: Lake, path: str | None) -> Mapping[str, Any]:
    """Return the result of a load run; nothing where there was none, or where its file is gone."""
    result: Mapping[str, Any] | None = lake.read_json(path) if path else None
    return result or {}


def _part(lake: Lake, migration: str, table: ListedTable) -> dict[str, Any]:
    """Return a table's part of the report; a table that left none is in the report as failed."""
    path = paths.table_report_path(migration, table["table"])
    part: dict[str, Any] | None = lake.read_json(path)
    if part is not None:
        return part
    error = PermanentError(
        f"The table's migration ended without its part of the report, {path}.",
        "See how the table's orchestration ended: its links are in the migration's status.",
    )
    failed = {"state": "failed", "error": {**error.to_dict(), "stage": "report"}, "stages": []}
    return table_report({**table, **failed}, mismatches=())


@blueprint.activity_trigger(input_name="payload")
@outcome
def read_table_record(clients: Clients, payload: OperationTableInput) -> TableRecord:
    """Return all that a table's stages found."""
    path = table_record_path(payload["migration"], payload["table"])
    record: TableRecord | None = clients.lake.read_json(path)
    if record is None:
        raise PermanentError(
            f"The record of the table {payload['table']} is no longer in the lake: {path}.",
            "Look for what deletes files there.",
        )
    return record
