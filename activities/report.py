"""Stage report: what happened, written to the lake."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import azure.durable_functions as df

from activities.outcome import outcome
from d2c.app.observing import measure_tables
from d2c.app.threads import side_by_side
from d2c.clients.azure.lake import Lake
from d2c.clients.clients import Clients
from d2c.errors import PermanentError
from d2c.report.contents import assemble_report, table_report, worst_state
from d2c.report.page import render_report
from d2c.shapes import (
    ErrorDict,
    ListedTable,
    ListedTables,
    OperationResult,
    QueueEntry,
    ReportInput,
)
from d2c.shapes.operations import MIGRATING
from d2c.state import paths
from d2c.state.operations import accepted_plan
from d2c.state.outbox import MIGRATION_ENDED, notify
from d2c.state.queue import Queue
from d2c.state.table_states import state_of

PARTS_READ_AT_ONCE = 16
blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def write_report(clients: Clients, payload: ReportInput) -> OperationResult:
    """Put the tables' parts together, in the plan's order, as JSON and as a page.

    The result is how the operation ended: of a start or a retry the worst state that a table of the migration has now.
    """
    lake, migration = clients.lake, payload["migration"]
    accepted = accepted_plan(lake, migration)
    listed = lake.read_json(paths.MigrationFiles(migration).tables)
    tables = _in_order(accepted["plan"], listed)
    parts = side_by_side(lambda table: _part(lake, migration, table), tables, at_once=PARTS_READ_AT_ONCE)
    states = Counter(part["state"] for part in parts)
    error = payload["error"]
    if payload["kind"] not in MIGRATING:
        report = assemble_report(migration, worst_state(states), accepted, parts, None)
        _write(lake, migration, report)
        return _compared(lake, payload)
    measure_tables(states.elements())
    state = worst_state([state_of(error), *states])
    _write(lake, migration, assemble_report(migration, state, accepted, parts, None if states else error))
    if _have_all_ended(lake, payload, tables):
        lake.delete(paths.MigrationFiles(migration).is_open)
    ended = {"operation": payload["operation"], "state": state, "counts": dict(states)}
    notify(lake, clients.settings, MIGRATION_ENDED, migration, None, ended, payload["operation"])
    return {"state": state, "tables": dict(states), "error": error}


def _write(lake: Lake, migration: str, report: Mapping[str, Any]) -> None:
    lake.write_json(paths.MigrationFiles(migration).report, report)
    lake.write(paths.MigrationFiles(migration).report_page, render_report(report).encode())


def _compared(lake: Lake, payload: ReportInput) -> OperationResult:
    """Return how the tables of a verify or a replay ended."""
    entries = lake.read_log(paths.MigrationFiles(payload["migration"]).work(payload["operation"]).queue_log)
    ends = {entry["table"]: entry for entry in reversed(entries) if entry["did"] == "ended"}
    states = Counter(end["state"] for end in ends.values())
    errors = [_named(end) for end in ends.values() if end["error"]]
    error = payload["error"] or next(iter(errors), None)
    return {"state": worst_state([state_of(error), *states]), "tables": dict(states), "error": error}


def _named(end: QueueEntry) -> ErrorDict | None:
    """Return the error of a table with its name."""
    error = end["error"]
    return {**error, "detail": f"Table {end['table']}: {error['detail']}"} if error else None


def _have_all_ended(lake: Lake, payload: ReportInput, tables: Sequence[ListedTable]) -> bool:
    """Return whether every table has its line in the log; if not, the watchdog cleans up its orphans."""
    files = paths.MigrationFiles(payload["migration"])
    lines = lake.read_log(files.ended_tables)
    ended = {line["table"] for line in lines}
    ended_now = {line["table"] for line in lines if line["operation"] >= payload["operation"]}
    queue = lake.read_json(files.work(payload["operation"]).queue)
    if queue is None:
        return not tables
    log = lake.read_log(files.work(payload["operation"]).queue_log)
    is_open = Queue(queue, log).positions.keys() - ended_now
    return not is_open and all(table["table"] in ended for table in tables)


def _in_order(plan: Mapping[str, Any], listed: ListedTables | None) -> list[ListedTable]:
    """Return a migration's tables, those that the plan names first; none if it ended before they were listed."""
    places = {table["table"]: place for place, table in enumerate(plan["tables"])}
    tables = listed["tables"] if listed else []
    return sorted(tables, key=lambda table: places.get(table["table"], len(places)))


def _part(lake: Lake, migration: str, table: ListedTable) -> dict[str, Any]:
    """Return a table's part of the report; a table that left none is in the report as failed."""
    path = paths.MigrationFiles(migration).table(table["table"]).report
    part: dict[str, Any] | None = lake.read_json(path)
    if part is not None:
        return part
    error = PermanentError(
        f"The table's migration ended without its part of the report, {path}.",
        "See how the table's orchestration ended: its links are in the migration's status.",
    )
    failed = {"state": "failed", "error": {**error.to_dict(), "stage": "report"}, "stages": []}
    return table_report({**table, **failed}, mismatches=())
