"""The state of migrations and their tables, read from few files of the lake and from active orchestrations.

A table that has ended left a line in a log, and the queue says which tables wait; so Durable is asked for the others
only, for all of them by one call.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypedDict

from d2c.clients import durable
from d2c.clients.azure.lake import Lake
from d2c.clients.threads import in_thread
from d2c.control import migrations
from d2c.control.app import App
from d2c.control.progress_files import ProgressFiles
from d2c.control.work import AtWork, Work, as_told, at_work, read_work
from d2c.shapes import ErrorDict, Waiting
from d2c.state import paths
from d2c.state.operations import last_migrating
from d2c.state.progress import seconds_to_the_end
from d2c.state.stall_rules import WatchdogFile
from d2c.state.status import (
    TableView,
    Times,
    ended_table,
    in_seconds,
    page_of,
    shown_table,
    sums_of,
    table_under_way,
    times_of,
)
from d2c.state.table_states import UNDER_WAY, TableState, held_back_by, loads_of_stages, waiting_of

PROGRESS_FILES = ProgressFiles()


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

    state: str | None
    top: int
    begin: int


async def page_of_migrations(
    app: App, size: int, token: str | None
) -> tuple[list[ListedMigration], str | None]:
    """Return one page of migrations, newest first, and the next page's token or None.

    Args:
        app: the app.
        size: how many migrations to return at the most.
        token: the second value of the page before, or None for the first page; it is the name of an index entry.
    """
    index = paths.MIGRATIONS_BY_TIME
    after = index + token if token else None
    entries = await app.lake.run(Lake.paths_after, index, after, size + 1)
    page = await asyncio.gather(*(_entry(app, entry) for entry in entries[:size]))
    following = entries[size - 1].removeprefix(index) if len(entries) > size else None
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


class _Shown(NamedTuple):
    """A table's view, and the orchestration that its links name."""

    view: TableView
    instance: str


async def status_of(app: App, migration: str, tables: TableFilter) -> dict[str, Any]:
    """Return the status of a migration and a page of its tables; a table's ``instance`` is that of what is at work.

    Raises:
        NotFoundError: if there is no such migration.
    """
    instance = await migrations.instance_of(app, migration)
    accepted, number, is_paused, watched = await asyncio.gather(
        migrations.accepted_of(app.lake, migration),
        app.lake.run(last_migrating, migration),
        app.lake.exists(paths.MigrationFiles(migration).pause),
        app.lake.read_json(paths.MigrationFiles(migration).watchdog),
    )
    work = await read_work(app.lake, migration, number, accepted["plan"])
    runs = durable.state_of(instance) in UNDER_WAY
    times = times_of(accepted["plan"], _began(instance) if runs else None, is_paused, datetime.now(UTC))
    shown = await in_thread(_views, work, await _all_at_work(app, work), times if runs else None)
    status = await in_thread(_status_of_tables, work, shown, times, _watched_in(watched, number), tables)
    return {
        "id": migration,
        **durable.times_and_state(instance),
        "started_at": in_seconds(datetime.fromisoformat(accepted["accepted_at"])),
        "error": _error_of(instance),
        **(_stages(work) if runs else {"stages": None, "held_back_by": None}),
        **status,
    }


def _status_of_tables(
    work: Work, shown: Sequence[_Shown], times: Times, watched: WatchdogFile, tables: TableFilter
) -> dict[str, Any]:
    """Return the sums over all tables, and a page of them."""
    views = [one.view for one in shown]
    instances = {one.view.by_logs.table: one.instance for one in shown}
    page, following = page_of(views, tables.state, tables.top, tables.begin)
    return {
        **sums_of(views, work.operation, times),
        "tables": [_status(view, instances[view.by_logs.table], times, watched) for view in page],
        "next": following,
    }


def _began(instance: Any) -> datetime:
    began: datetime = instance.created_time.astimezone(UTC)
    return began


def _stages(work: Work) -> dict[str, Any]:
    """Return how busy each stage is, and which one holds the migration back."""
    if work.queue is None or work.file is None:
        return {"stages": None, "held_back_by": None}
    loads = loads_of_stages(work.queue, work.file)
    return {
        "stages": {stage: load._asdict() for stage, load in loads.items()},
        "held_back_by": held_back_by(loads),
    }


def _watched_in(watched: WatchdogFile | None, number: int) -> WatchdogFile:
    """Return the watchdog's file, or an empty one if it is of an earlier start or retry."""
    return watched if watched and watched.get("operation") == number else {}


async def _all_at_work(app: App, work: Work) -> dict[str, AtWork]:
    """Return what is at work for each table that a lane has; Durable is asked only where the lake does not answer."""
    claimed = [table.table for table in work.tables if work.claim(table.table) and not table.end]
    if not claimed:
        return {}
    snapshot = await durable.snapshot(app.durable, work.migration)
    found = await asyncio.gather(*(at_work(snapshot, work, name) for name in claimed))
    told = await PROGRESS_FILES.read(app.lake, [now.file for now in found if now and now.file])
    return {
        name: as_told(now, told.get(now.file or "")) for name, now in zip(claimed, found, strict=True) if now
    }


def _views(work: Work, at_work_now: Mapping[str, AtWork], times: Times | None) -> list[_Shown]:
    """Return a view of each table.

    Args:
        work: the migration's.
        at_work_now: what is at work for a table, if a lane has it.
        times: the migration's if it runs, or None.
    """
    held, runs = _held(times) if times else None, times is not None
    views = [_view(work, at_work_now.get(table.table), table, held) for table in work.tables]
    # Nothing is waited for once nobody takes it.
    return [one if runs else _without_waiting(one) for one in views]


def _without_waiting(one: _Shown) -> _Shown:
    return one._replace(view=one.view._replace(status={**one.view.status, "waiting": None}))


def _held(times: Times) -> Waiting | None:
    """Return what holds back every table that no lane has."""
    if times.paused:
        return {"for": "pause", "until": None, "place": None}
    if times.waits_until:
        is_start = times.began is not None and times.began > times.now
        return {
            "for": "start" if is_start else "window",
            "until": in_seconds(times.waits_until),
            "place": None,
        }
    return None


def _waits(now: AtWork) -> Waiting | None:
    """Return what a table waits for that has been assessed and is not loaded yet."""
    if now.stage != "load" or not (now.progress or {}).get("is_waiting"):
        return None
    return {"for": "throughput", "until": None, "place": None}


def _view(work: Work, now: AtWork | None, table: TableState, held: Waiting | None) -> _Shown:
    name, queue = table.table, work.queue
    if table.end:
        return _Shown(TableView(table, ended_table(table.end)), work.migration)
    items = queue.items.get(name) if queue else None
    if now:
        status = table_under_way(name, table.state, now.stage, items, now.progress, _waits(now))
        began = queue.begun.get(name) if queue else None
        return _Shown(TableView(table, status, began, seconds_to_the_end(now.progress)), now.instance)
    position = queue.positions.get(name) if queue else None
    waiting = waiting_of(queue, name, held) if queue and position else held
    stage = position.stage if position and table.state == "running" else None
    status = table_under_way(
        name,
        table.state,
        "prepare" if stage == "load" else stage,
        items,
        None,
        waiting if table.state in UNDER_WAY else None,
    )
    return _Shown(TableView(table, status, queue.begun.get(name) if queue else None), work.migration)


def _error_of(status: Any) -> ErrorDict | None:
    """Return why an orchestration failed or was cancelled; None for one that did not."""
    if durable.runtime_status(status) == "Completed":
        error: ErrorDict | None = status.output.get("error")
        return error
    state = durable.state_of(status)
    return None if state in UNDER_WAY else durable.broken_off(state, status.output)


def _status(view: TableView, instance: str, times: Times, watched: WatchdogFile) -> dict[str, Any]:
    """Return a table's status with the orchestration at work, and with the stall that the watchdog found."""
    kept = watched.get("tables", {}).get(view.by_logs.table)
    return {**shown_table(view, times, kept["stalled"] if kept else None), "instance": instance}
