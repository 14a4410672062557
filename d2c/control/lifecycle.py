"""The lifecycle of a migration that runs: cancel, suspend and resume, each by a flag in the lake."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from d2c.api.requests import parse_cancel
from d2c.clients import durable
from d2c.control import migrations, operations, queries
from d2c.control.app import App
from d2c.errors import ConflictError
from d2c.state import paths
from d2c.state.ids import stage_instance_id, start_instance_id
from d2c.state.operations import last_retry
from d2c.state.table_states import UNDER_WAY

# Stages, and waits before them, that run in an orchestration of their own, which an event can wake.
WAITING = ("exports-turn", "export", "copies-turn", "copy", "arrival", "loads-turn", "prepare", "load")


async def cancel(app: App, migration: str, body: bytes) -> dict[str, Any]:
    """Cancel a migration, tables of it, or the operation that runs on it.

    Args:
        app: the app.
        migration: its id.
        body: as ``docs/reference/http-api.md`` describes it.

    Returns:
        The ``state`` of the migration, or ``operation``, ``number`` and ``state`` of the operation.

    Raises:
        NotFoundError: if there is no such migration.
        BodyError: with every fault of the body.
        ConflictError: if the migration has ended, and no operation on it runs.
    """
    state = await migrations.state_of(app, migration)
    if state in UNDER_WAY:
        tables = parse_cancel(body, await migrations.table_names(app.lake, migration))
        await flag_cancelled(app, migration, tables)
        return {"state": state}
    operation = await operations.cancel(app, migration)
    if operation is None:
        raise ConflictError(f"Migration {migration} is {state} already.", "There is nothing left to cancel.")
    return {name: operation[name] for name in ("operation", "number", "state")}


async def flag_cancelled(app: App, migration: str, tables: Sequence[str] | None) -> None:
    """Write the cancel flag of a migration or of tables of it, and wake whatever waits so that it reads the flag.

    Args:
        app: the app.
        migration: its id.
        tables: their names, or None for the whole migration.
    """
    path = paths.cancel_path(migration)
    flag = await app.lake.read_json(path)
    cancelled = (flag or {}).get("tables")
    if flag is None or cancelled is not None:
        names = sorted({*tables, *(cancelled or ())}) if tables is not None else None
        await app.lake.write_json(path, {"cancelled_at": _now(), "tables": names})
    await wake_all(app, migration)


async def suspend(app: App, migration: str) -> None:
    """Pause a migration: running stages finish, no new stage starts.

    Raises:
        NotFoundError: if there is no such migration.
        ConflictError: if it has ended.
    """
    await _refuse_if_ended(app, migration)
    await app.lake.write_json(paths.pause_path(migration), {"paused_at": _now()})


async def resume(app: App, migration: str) -> None:
    """Resume a paused migration.

    Raises:
        NotFoundError: if there is no such migration.
        ConflictError: if it has ended.
    """
    await _refuse_if_ended(app, migration)
    await app.lake.delete(paths.pause_path(migration))
    await wake_all(app, migration)


async def _refuse_if_ended(app: App, migration: str) -> None:
    state = await migrations.state_of(app, migration)
    if state not in UNDER_WAY:
        raise ConflictError(
            f"Migration {migration} is {state} already.",
            "A retry starts the failed and cancelled tables again.",
        )


async def wake_all(app: App, migration: str) -> None:
    """Make every waiting orchestration of a migration poll at once instead of at its next interval."""
    number, plan = await asyncio.gather(
        app.lake.run(last_retry, migration), migrations.plan_of(app.lake, migration)
    )
    tables = await queries.table_states(app.lake, migration, number, plan)
    await asyncio.gather(
        durable.wake(app.durable, start_instance_id(migration, number)),
        *(wake(app, migration, table.table, number) for table in tables if table.state == "running"),
    )


async def wake(app: App, migration: str, table: str, number: int, stages: Sequence[str] = WAITING) -> None:
    """Make the waiting orchestrations of a table poll at once.

    Args:
        app: the app.
        migration: its id.
        table: the table.
        number: 0 for the migration's start, or the number of a retry.
        stages: the stages that may wait.
    """
    for stage in stages:
        await durable.wake(app.durable, stage_instance_id(migration, table, stage, number))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
