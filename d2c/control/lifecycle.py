"""The lifecycle of a migration that runs: cancel, suspend and resume, each by a flag in the lake."""

import asyncio
from collections.abc import Sequence
from typing import Any

from d2c.api.requests import parse_cancel
from d2c.app import clock
from d2c.clients import durable
from d2c.clients.threads import in_turn
from d2c.control import migrations, operations
from d2c.control.app import App
from d2c.control.work import read_work
from d2c.errors import ConflictError
from d2c.state import paths
from d2c.state.ids import start_instance_id
from d2c.state.operations import last_migrating
from d2c.state.table_states import UNDER_WAY


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
        names = await migrations.table_names(app.lake, migration)
        tables = await in_turn(parse_cancel, body, names)
        await flag_cancelled(app, migration, tables)
        return {"state": state}
    operation = await operations.cancel(app, migration)
    if operation is None:
        raise ConflictError(f"Migration {migration} is {state} already.", "There is nothing left to cancel.")
    await wake_all(app, migration, operation["number"])
    return {name: operation[name] for name in ("operation", "number", "state")}


async def flag_cancelled(app: App, migration: str, tables: Sequence[str] | None) -> None:
    """Write the cancel flag of a migration or of tables of it, and wake whatever waits so that it reads the flag.

    Args:
        app: the app.
        migration: its id.
        tables: their names, or None for the whole migration.
    """
    number = await app.lake.run(last_migrating, migration)
    path = paths.MigrationFiles(migration).cancel(number)
    flag = await app.lake.read_json(path)
    cancelled = (flag or {}).get("tables")
    if flag is None or cancelled is not None:
        names = sorted({*tables, *(cancelled or ())}) if tables is not None else None
        await app.lake.write_json(path, {"cancelled_at": clock.text(), "tables": names})
    await wake_all(app, migration, number)


async def suspend(app: App, migration: str) -> None:
    """Pause a migration: running stages finish, no new stage starts.

    Raises:
        NotFoundError: if there is no such migration.
        ConflictError: if it has ended.
    """
    await _refuse_if_ended(app, migration)
    await app.lake.write_json(paths.MigrationFiles(migration).pause, {"paused_at": clock.text()})


async def resume(app: App, migration: str) -> None:
    """Resume a paused migration.

    Raises:
        NotFoundError: if there is no such migration.
        ConflictError: if it has ended.
    """
    await _refuse_if_ended(app, migration)
    await app.lake.delete(paths.MigrationFiles(migration).pause)
    await wake_all(app, migration, await app.lake.run(last_migrating, migration))


async def _refuse_if_ended(app: App, migration: str) -> None:
    state = await migrations.state_of(app, migration)
    if state not in UNDER_WAY:
        raise ConflictError(
            f"Migration {migration} is {state} already.",
            "A retry starts the failed and cancelled tables again.",
        )


async def wake_all(app: App, migration: str, operation: int) -> None:
    """Make every waiting orchestration of an operation poll at once instead of at its next interval.

    Args:
        app: the app.
        migration: its id.
        operation: the operation's number.
    """
    work = await read_work(app.lake, migration, operation, await migrations.plan_of(app.lake, migration))
    idle = [lane for lane in work.lanes() if work.queue and not work.queue.is_busy(lane)]
    claimed = [
        instance for name in (work.queue.positions if work.queue else ()) for instance in work.instances(name)
    ]
    instances = [start_instance_id(migration, operation), *work.lane_instances(idle), *dict.fromkeys(claimed)]
    await asyncio.gather(*(durable.wake(app.durable, instance) for instance in instances))
