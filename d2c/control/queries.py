"""How migrations and their tables stand, put together from few files of the lake and from what still runs.

A table that has ended left a line in a log, and one whose turn has not come is in no lane's turn; so only for those
between the two Durable is asked, for all of them by one call.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from d2c.app.settings import app_settings
from d2c.clients import durable
from d2c.clients.azure.lake import Lake, connect_lake
from d2c.clients.durable import Snapshot
from d2c.control import migrations
from d2c.errors import NotFoundError, RefusedError
from d2c.mapping import REASONS
from d2c.state import paths
from d2c.state.ids import stage_instance_id, table_instance_id
from d2c.state.rejected_pages import read_page, read_token
from d2c.state.status import (
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
from d2c.state.table_record import rejected_folder
from d2c.state.table_states import STATES, UNDER_WAY, TableState, named_tables, standings

TABLES_OF_A_PAGE = 100
MOST_TABLES_OF_A_PAGE = 1000
# Stages that another one's orchestration waits for.
WAITING_FOR_STAGE = {"assess": ("load",), "verify": ("load",), "copy": ("copy", "arrival")}

Json = dict[str, Any]


class Wanted(NamedTuple):
    """Which tables of a migration are asked for.

    Args:
        state: the state that they are in; any if None.
        top: how many at the most.
        begin: the place of the first one among all tables.
    """

    state: str | None = None
    top: int = TABLES_OF_A_PAGE
    begin: int = 0


def wanted_tables(params: Mapping[str, str]) -> Wanted:
    """Return which tables a request asks for by ``state``, ``top`` and ``token``.

    Raises:
        RefusedError: if one of them has a fault.
    """
    state, token = params.get("state") or None, params.get("token") or "0"
    if state is not None and state not in STATES:
        raise RefusedError(f"state is {state!r}.", f"Give one of {', '.join(STATES)}.")
    if not (token.isascii() and token.isdecimal()):
        raise RefusedError(f"token is {token!r}.", "Give the `next` of the page before, or none.")
    return Wanted(state, page_size(params, TABLES_OF_A_PAGE, MOST_TABLES_OF_A_PAGE), int(token))


def page_size(params: Mapping[str, str], usual: int, most: int) -> int:
    """Return how many entries a request asks for at the most.

    Raises:
        RefusedError: if that is not a number, or out of bounds.
    """
    size = params.get("top", str(usual))
    if not size.isdecimal() or not 1 <= int(size) <= most:
        raise RefusedError(f"top is {size!r}.", f"Give a whole number from 1 to {most}.")
    return int(size)


async def page_of_migrations(client: Any, size: int, token: str | None) -> tuple[list[Json], str | None]:
    """Return one page of migrations, newest first, and the next page's token or None."""
    lake = connect_lake(app_settings())
    entries, following = await asyncio.to_thread(lake.page, paths.MIGRATIONS_BY_TIME, size, token)
    found = await asyncio.gather(*(_entry(client, entry) for entry in entries))
    return [migration for migration in found if migration], following


async def _entry(client: Any, path: str) -> Json | None:
    """Return a migration as the list has it; None if its start broke off, or it was purged."""
    migration = paths.migration_of_index(path)
    status = await client.get_status(migration)
    if not status:
        return None
    accepted_at = datetime.fromtimestamp(paths.time_of_index(path) / 1000, UTC)
    return {"id": migration, **durable.times_and_state(status), "started_at": in_seconds(accepted_at)}


async def status_of(client: Any, migration: str, wanted: Wanted) -> Json:
    """Return how a migration and a page of its tables stand; ``instance`` of a table is its orchestration's id.

    Raises:
        NotFoundError: if there is no such migration.
    """
    lake = connect_lake(app_settings())
    instance = await migrations.instance_of(client, migration)
    accepted, number, is_paused, watched = await asyncio.gather(
        migrations.accepted_of(lake, migration),
        migrations.last_round(lake, migration),
        asyncio.to_thread(lake.exists, paths.pause_path(migration)),
        asyncio.to_thread(lake.read_json, paths.watch_path(migration)),
    )
    known = await standings_of(lake, migration, number, accepted["plan"])
    looks = await _looks(client, migration, known)
    whole = durable.times_and_state(instance)
    began = instance.created_time.astimezone(UTC) if whole["state"] in UNDER_WAY else None
    times = times_of(accepted["plan"], began, is_paused, datetime.now(UTC))
    kept = (watched or {}).get("tables", {}) if (watched or {}).get("round") == number else {}
    page, following = page_of(looks, wanted.state, wanted.top, wanted.begin)
    return {
        "id": migration,
        **whole,
        "started_at": in_seconds(datetime.fromisoformat(accepted["accepted_at"])),
        "error": _error_of(instance),
        **sums_of(looks, number, times),
        "tables": [_shown(migration, look, times, kept) for look in page],
        "next": following,
    }


async def standings_of(lake: Lake, migration: str, number: int, plan: Json) -> list[TableState]:
    """Return how a migration's tables stand by the lake's logs, in a round of its work."""
    folder = paths.round_folder(migration, number)
    listed, members, turns, ended = await asyncio.gather(
        asyncio.to_thread(lake.read_json, paths.tables_path(migration)),
        asyncio.to_thread(lake.read_json, paths.members_path(folder)),
        asyncio.to_thread(lake.read_log, paths.turns_path(folder)),
        asyncio.to_thread(lake.read_log, paths.ended_tables_path(migration)),
    )
    tables = listed["tables"] if listed else named_tables(plan)
    return standings(tables, number, members["units"] if members else (), turns, ended)


async def _looks(client: Any, migration: str, known: Sequence[TableState]) -> list[TableView]:
    """Return how each table stands; Durable is asked only where the logs do not say it."""
    running = [standing for standing in known if standing.state == "running"]
    if not running:
        return [_look_by_logs(standing) for standing in known]
    seen = await durable.snapshot(client, migration)
    looks = await asyncio.gather(*(_look_at_running(seen, migration, standing) for standing in running))
    found = {look.standing.table: look for look in looks}
    return [found.get(standing.table) or _look_by_logs(standing) for standing in known]


def _look_by_logs(standing: TableState) -> TableView:
    """Return how a table stands whose orchestration is over, or has not begun."""
    return TableView(standing, ended_table(standing.end) if standing.end else pending_table(standing.table))


async def _look_at_running(seen: Snapshot, migration: str, standing: TableState) -> TableView:
    """Return how a table stands that is in a lane's turn and has left no line in the log."""
    status = await seen.status(table_instance_id(migration, standing.table, standing.round))
    if not status:
        return _look_by_logs(standing)
    shown, state = status.custom_status or {}, durable.state_of(status)
    if state in UNDER_WAY:
        progress = await _progress(seen, migration, standing, shown)
        table = table_under_way(standing.table, state, shown, progress, None)
        return TableView(standing, table, status.created_time.astimezone(UTC))
    error = _error_of(status)
    if error and "stage" not in error:
        error = {**error, "stage": shown.get("stage", "export")}
    return TableView(standing, table_under_way(standing.table, state, shown, None, error))


async def _progress(seen: Snapshot, migration: str, standing: TableState, shown: Json) -> Any:
    """Return what the stage that a table is in found at its last look; None before the first, and while it waits."""
    if "stage" not in shown or shown.get("waiting"):
        return None
    running = await waiting_for(seen, migration, standing.table, shown["stage"], standing.round)
    return running.custom_status if running else None


async def waiting_for(seen: Snapshot, migration: str, table: str, stage: str, number: int) -> Any:
    """Return the status of the orchestration that waits for what a stage runs outside; None before there is one.

    Args:
        seen: the migration's orchestrations.
        migration: its id.
        table: the table.
        stage: the stage; a copy may be one that others make.
        number: the round of the migration's work.
    """
    names = WAITING_FOR_STAGE.get(stage, (stage,))
    return await seen.status(*(stage_instance_id(migration, table, name, number) for name in names))


def _error_of(status: Any) -> Json | None:
    """Return why an orchestration failed or was cancelled; None for one that did not."""
    if durable.runtime_status(status) == "Completed":
        error: Json | None = status.output.get("error")
        return error
    state = durable.state_of(status)
    return None if state in UNDER_WAY else durable.broken_off(state, status.output)


def _shown(migration: str, look: TableView, times: Times, watched: Json) -> Json:
    """Return a table with the id of its orchestration, and with the stall that the watch found."""
    name, number = look.standing.table, look.standing.round
    stalled = watched.get(name, {}).get("stalled")
    return {**shown_table(look, times, stalled), "instance": table_instance_id(migration, name, number)}


async def page(
    migration: str, *, size: int, table: str | None, reason: str | None, token: str | None
) -> tuple[list[bytes], str | None]:
    """Return one page of rejected items as JSON text, and the next page's token or None.

    Args:
        migration: its id.
        size: how many items to return at the most.
        table: the table whose items are asked for; every table's if None.
        reason: why they were rejected; any reason if None.
        token: the second value of the page before, or None for the first page.

    Raises:
        RefusedError: if there is no such reason, or the token is none.
        NotFoundError: if the migration has no such table.
    """
    if reason is not None and reason not in REASONS:
        raise RefusedError(f"reason is {reason!r}.", f"Give one of {', '.join(REASONS)}.")
    begin = read_token(token) if token is not None else None
    lake = connect_lake(app_settings())
    names = await migrations.table_names(lake, migration)
    if table is not None and table not in names:
        raise NotFoundError(
            f"Migration {migration} has no table {table}.", f"Give one of {', '.join(names[:20])}."
        )
    folders = await asyncio.to_thread(_folders, lake, migration, names if table is None else [table])
    items, following = await asyncio.to_thread(read_page, lake, folders, reason, size, begin)
    return items, following.to_token() if following else None


def _folders(lake: Lake, migration: str, tables: list[str]) -> dict[str, str]:
    """Return the folder of each table's rejected items; a table that has not come so far has none."""
    folders = {}
    for table in tables:
        record = lake.read_json(paths.table_record_path(migration, table))
        folder = rejected_folder(record) if record else None
        if folder is not None:
            folders[table] = folder
    return folders
