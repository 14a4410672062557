"""The state of migrations and their tables, read from few files of the lake and from active orchestrations.

A table that has ended left a line in a log, and no lane has taken one that has not started; so Durable is asked for
the tables between the two only, for all of them by one call.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypedDict

from d2c.clients import durable
from d2c.clients.azure.async_lake import AsyncLake
from d2c.clients.durable import Snapshot
from d2c.control import migrations
from d2c.control.app import App
from d2c.errors import RefusedError
from d2c.shapes import ErrorDict, ListedTables, Members, Progress, TableEnd
from d2c.state import paths
from d2c.state.ids import stage_instance_id, table_instance_id
from d2c.state.operations import last_retry
from d2c.state.stall_rules import WatchdogFile
from d2c.state.status import (
    TableStatus,
    TableView,
    Times,
    ended_table,
    in_seconds,
    page_of,
    pending_table,
    shown_table,
    sums_of,
    table_under_way,
    times_of,
)
from d2c.state.table_states import STATES, UNDER_WAY, TableState, named_tables, states_of_tables

TABLES_OF_A_PAGE = 100
MOST_TABLES_OF_A_PAGE = 1000
# Stages that another one's orchestration waits for.
WAITING_FOR_STAGE = {"assess": ("load",), "verify": ("load",), "copy": ("copy", "arrival")}


class ListedMigration(TypedDict):
    """A migration in the list of all."""

    id: str
    state: str
    started_at: str | None
    finished_at: str | None


class TableFilter(NamedTuple):
    """The tables of a migration that a request asks for.

    Args:
        state: the state that they are in; any if None.
        top: how many at the most.
        begin: the position of the first one among all tables.
    """

    state: str | None = None
    top: int = TABLES_OF_A_PAGE
    begin: int = 0


def table_filter(params: Mapping[str, str]) -> TableFilter:
    """Return the tables that a request asks for by ``state``, ``top`` and ``token``.

    Raises:
        RefusedError: if one of them has a fault.
    """
    state, token = params.get("state") or None, params.get("token") or "0"
    if state is not None and state not in STATES:
        raise RefusedError(f"state is {state!r}.", f"Give one of {', '.join(STATES)}.")
    if not (token.isascii() and token.isdecimal()):
        raise RefusedError(f"token is {token!r}.", "Give the `next` of the page before, or none.")
    return TableFilter(state, page_size(params, TABLES_OF_A_PAGE, MOST_TABLES_OF_A_PAGE), int(token))


def page_size(params: Mapping[str, str], default: int, most: int) -> int:
    """Return how many entries a request asks for at the most.

    Raises:
        RefusedError: if that is not a number, or out of bounds.
    """
    size = params.get("top", str(default))
    if not size.isdecimal() or not 1 <= int(size) <= most:
        raise RefusedError(f"top is {size!r}.", f"Give a whole number from 1 to {most}.")
    return int(size)


async def page_of_migrations(
    app: App, size: int, token: str | None
) -> tuple[list[ListedMigration], str | None]:
    """Return one page of migrations, newest first, and the next page's token or None."""
    entries, following = await app.lake.page(paths.MIGRATIONS_BY_TIME, size, token)
    page = await asyncio.gather(*(_entry(app, entry) for entry in entries))
    return [migration for migration in page if migration], following


async def _entry(app: App, path: str) -> ListedMigration | None:
    """Return a migration as the list has it; None if its start broke off, or it was purged."""
    migration = paths.migration_of_index(path)
    status = await app.durable.get_status(migration)
    if not status:
        return None
    times = durable.times_and_state(status)
    accepted_at = datetime.fromtimestamp(paths.time_of_index(path) / 1000, UTC)
    return {
        "id": migration,
        "state": times["state"],
        "started_at": in_seconds(accepted_at),
        "finished_at": times["finished_at"],
    }


async def status_of(app: App, migration: str, tables: TableFilter) -> dict[str, Any]:
    """Return the status of a migration and a page of its tables; a table's ``instance`` is its orchestration's id.

    Raises:
        NotFoundError: if there is no such migration.
    """
    instance = await migrations.instance_of(app, migration)
    accepted, number, is_paused, watched = await asyncio.gather(
        migrations.accepted_of(app.lake, migration),
        app.lake.run(last_retry, migration),
        app.lake.exists(paths.pause_path(migration)),
        app.lake.read_json(paths.watchdog_path(migration)),
    )
    states = await table_states(app.lake, migration, number, accepted["plan"])
    views = await _views(app, migration, states)
    whole = durable.times_and_state(instance)
    began = instance.created_time.astimezone(UTC) if whole["state"] in UNDER_WAY else None
    times = times_of(accepted["plan"], began, is_paused, datetime.now(UTC))
    page, following = page_of(views, tables.state, tables.top, tables.begin)
    return {
        "id": migration,
        **whole,
        "started_at": in_seconds(datetime.fromisoformat(accepted["accepted_at"])),
        "error": _error_of(instance),
        **sums_of(views, number, times),
        "tables": [_shown(migration, view, times, _watched_in(watched, number)) for view in page],
        "next": following,
    }


def _watched_in(watched: WatchdogFile | None, number: int) -> WatchdogFile:
    """Return the watchdog's file, or an empty one if it is of an earlier start or retry."""
    return watched if watched and watched.get("round") == number else {}


async def table_states(
    lake: AsyncLake, migration: str, number: int, plan: Mapping[str, Any]
) -> list[TableState]:
    """Return the states of a migration's tables by the lake's logs.

    Args:
        lake: the lake.
        migration: its id.
        number: of its last retry, or 0.
        plan: as it was accepted.
    """
    folder = paths.operation_folder(migration, number)
    listed: ListedTables | None
    members: Members | None
    ended: list[TableEnd]
    listed, members, turns, ended = await asyncio.gather(
        lake.read_json(paths.tables_path(migration)),
        lake.read_json(paths.members_path(folder)),
        lake.read_log(paths.turns_path(folder)),
        lake.read_log(paths.ended_tables_path(migration)),
    )
    tables = listed["tables"] if listed else named_tables(plan)
    return states_of_tables(tables, number, members["units"] if members else (), turns, ended)


async def _views(app: App, migration: str, states: Sequence[TableState]) -> list[TableView]:
    """Return a view of each table; Durable is asked only where the logs do not answer."""
    running = [table for table in states if table.state == "running"]
    if not running:
        return [_view_by_logs(table) for table in states]
    snapshot = await durable.snapshot(app.durable, migration)
    views = await asyncio.gather(*(_view_of_running(snapshot, migration, table) for table in running))
    by_name = {view.by_logs.table: view for view in views}
    return [by_name.get(table.table) or _view_by_logs(table) for table in states]


def _view_by_logs(table: TableState) -> TableView:
    """Return the view of a table whose orchestration has ended, or has not started."""
    return TableView(table, ended_table(table.end) if table.end else pending_table(table.table))


async def _view_of_running(snapshot: Snapshot, migration: str, table: TableState) -> TableView:
    """Return the view of a table that a lane has taken and that has no line in the log."""
    status = await snapshot.status(table_instance_id(migration, table.table, table.retry))
    if not status:
        return _view_by_logs(table)
    shown, state = status.custom_status or {}, durable.state_of(status)
    if state in UNDER_WAY:
        progress = await _progress(snapshot, migration, table, shown)
        view = table_under_way(table.table, state, shown, progress, None)
        return TableView(table, view, status.created_time.astimezone(UTC))
    error = _error_of(status)
    if error and "stage" not in error:
        error = {**error, "stage": shown.get("stage", "export")}
    return TableView(table, table_under_way(table.table, state, shown, None, error))


async def _progress(
    snapshot: Snapshot, migration: str, table: TableState, shown: Mapping[str, Any]
) -> Progress | None:
    """Return the progress of a table's stage at its last poll; None before the first, and while it waits."""
    if "stage" not in shown or shown.get("waiting"):
        return None
    status = await stage_status(snapshot, migration, table.table, shown["stage"], table.retry)
    progress: Progress | None = status.custom_status if status else None
    return progress


async def stage_status(snapshot: Snapshot, migration: str, table: str, stage: str, number: int) -> Any:
    """Return the status of the orchestration that waits for a stage's external run; None before there is one.

    Args:
        snapshot: the migration's orchestrations.
        migration: its id.
        table: the table.
        stage: the stage; a copy may be an existing export.
        number: 0 for the migration's start, or the number of a retry.
    """
    names = WAITING_FOR_STAGE.get(stage, (stage,))
    return await snapshot.status(*(stage_instance_id(migration, table, name, number) for name in names))


def _error_of(status: Any) -> ErrorDict | None:
    """Return why an orchestration failed or was cancelled; None for one that did not."""
    if durable.runtime_status(status) == "Completed":
        error: ErrorDict | None = status.output.get("error")
        return error
    state = durable.state_of(status)
    return None if state in UNDER_WAY else durable.broken_off(state, status.output)


def _shown(migration: str, view: TableView, times: Times, watched: WatchdogFile) -> dict[str, Any]:
    """Return a table's status with the id of its orchestration, and with the stall that the watchdog found."""
    name = view.by_logs.table
    kept = watched.get("tables", {}).get(name)
    status: TableStatus = shown_table(view, times, kept["stalled"] if kept else None)
    return {**status, "instance": table_instance_id(migration, name, view.by_logs.retry)}
