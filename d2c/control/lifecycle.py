"""Holding a migration back, ending it early, and going on with what failed."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from d2c.api.requests import parse_retry
from d2c.app.settings import app_settings
from d2c.clients import durable
from d2c.clients.azure.lake import Lake, connect_lake
from d2c.control import migrations, operations, queries
from d2c.errors import BodyError, ConflictError
from d2c.plan.model import Plan
from d2c.state import paths
from d2c.state.ids import stage_instance_id, start_instance_id
from d2c.state.operations import why_not_changed

# What waits in an orchestration of its own, which an event can wake.
WAITING = ("exports-turn", "export", "copies-turn", "copy", "arrival", "loads-turn", "prepare", "load")
RETRIED_STATES = ("failed", "cancelled")

Json = dict[str, Any]


async def cancel(client: Any, migration: str, tables: Sequence[str] | None) -> None:
    """Mark a migration, or tables of it, as cancelled, and wake what waits so that it sees the mark at once.

    Args:
        client: Durable's.
        migration: its id.
        tables: their names, or None for the whole migration.
    """
    lake, path = connect_lake(app_settings()), paths.cancel_path(migration)
    before = await asyncio.to_thread(lake.read_json, path)
    named = (before or {}).get("tables")
    if before is None or named is not None:
        wanted = sorted({*tables, *(named or ())}) if tables is not None else None
        mark = {"cancelled_at": _now(), "tables": wanted}
        await asyncio.to_thread(lake.write_json, path, mark)
    await wake_all(client, lake, migration)


async def suspend(migration: str) -> None:
    """Let no stage of a migration begin that has not begun; what runs goes on to its end."""
    lake = connect_lake(app_settings())
    await asyncio.to_thread(lake.write_json, paths.pause_path(migration), {"paused_at": _now()})


async def resume(client: Any, migration: str) -> None:
    """Let a migration go on that was suspended."""
    lake = connect_lake(app_settings())
    await asyncio.to_thread(lake.delete, paths.pause_path(migration))
    await wake_all(client, lake, migration)


async def retry(client: Any, migration: str, body: bytes) -> int:
    """Go on with tables that failed or were cancelled, from where they stopped; the result is the round's number.

    Raises:
        NotFoundError: if there is no such migration.
        BodyError: with every fault of the body.
        ConflictError: if the migration or a revisit of it runs, or a table cannot be retried.
    """
    state = await migrations.state_of(client, migration)
    lake = connect_lake(app_settings())
    if state in migrations.UNDER_WAY:
        raise ConflictError(f"Migration {migration} is {state}.", "Retry once it has ended.")
    await operations.refuse_beside_one(client, lake, migration)
    listed = await asyncio.to_thread(lake.read_json, paths.tables_path(migration))
    plan = Plan.model_validate(await migrations.plan_of(lake, migration))
    number = await migrations.last_round(lake, migration) + 1
    if listed is None:
        asked: list[Json] = []
        if body.strip():
            raise BodyError(["tables: the migration ended before its tables were listed; leave them out"])
    else:
        asked = await _asked(lake, migration, [table["table"] for table in listed["tables"]], body)
    accepted = {"round": number, "accepted_at": _now(), "tables": asked}
    path, content = paths.retry_path(migration, number), json.dumps(accepted, indent=1).encode()
    if not await asyncio.to_thread(lake.create, path, content):
        raise ConflictError(
            f"Another retry of migration {migration} was asked for at the same moment.",
            "See the migration's status.",
        )
    await asyncio.to_thread(lake.delete, paths.cancel_path(migration))
    await migrations.begin_round(client, lake, plan, number)
    return number


async def _asked(lake: Lake, migration: str, names: Sequence[str], body: bytes) -> list[Json]:
    """Return the tables to retry, each with what changes for it."""
    named = parse_retry(body, names)
    ended = await asyncio.to_thread(lake.read_log, paths.ended_tables_path(migration))
    states = dict.fromkeys(names, "failed") | {line["table"]: line["state"] for line in ended}
    if named is None:
        asked: list[Json] = [{"table": name} for name in names if states[name] in RETRIED_STATES]
        if not asked:
            raise ConflictError(
                f"No table of migration {migration} has failed or was cancelled.",
                "There is nothing to retry; replay loads rejected items, verify compares again.",
            )
        return asked
    for entry in named:
        if states[entry["table"]] not in RETRIED_STATES:
            raise ConflictError(
                f"Table {entry['table']} is {states[entry['table']]}.",
                "Name tables that failed or were cancelled.",
            )
    await asyncio.gather(*(_check_changes(lake, migration, entry) for entry in named))
    return named


async def _check_changes(lake: Lake, migration: str, entry: Mapping[str, Any]) -> None:
    path = paths.table_record_path(migration, entry["table"])
    why = why_not_changed(await asyncio.to_thread(lake.read_json, path), entry)
    if why:
        raise ConflictError(f"Table {entry['table']} cannot have other rules: {why}.", "Leave its rules out.")


async def wake_all(client: Any, lake: Lake, migration: str) -> None:
    """Make everything of a migration that waits look at once instead of at its next interval."""
    number, plan = await asyncio.gather(
        migrations.last_round(lake, migration), migrations.plan_of(lake, migration)
    )
    tables = await queries.standings_of(lake, migration, number, plan)
    await asyncio.gather(
        durable.wake(client, start_instance_id(migration, number)),
        *(wake(client, migration, table.table, number) for table in tables if table.state == "running"),
    )


async def wake(
    client: Any, migration: str, table: str, number: int, waiting: Sequence[str] = WAITING
) -> None:
    """Make what waits for a table look at once.

    Args:
        client: Durable's.
        migration: its id.
        table: the table.
        number: the round of the migration's work.
        waiting: what may wait.
    """
    for thing in waiting:
        await durable.wake(client, stage_instance_id(migration, table, thing, number))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
