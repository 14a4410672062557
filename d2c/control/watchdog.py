"""The watchdog: reconciles every open migration, reports stalls, and starts the clean-up of orphans.

It decides by the current state, not by past events, so it may run late, twice or after a crash: the next run corrects
what the one before could not.
"""

import asyncio
import logging
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from d2c.app.observing import measure_tables, observed
from d2c.app.one_of_many import one_of_many
from d2c.clients import durable
from d2c.clients.azure.async_lake import AsyncLake
from d2c.control import lifecycle, migrations, orphans
from d2c.control.app import App
from d2c.control.stall_watch import look_for_stalls
from d2c.control.work import Work, read_work
from d2c.errors import D2CError
from d2c.foreign_json import quoted
from d2c.plan.fields import NAME
from d2c.shapes import AcceptedPlan, ContainerHolder, ErrorDict, State
from d2c.state import paths
from d2c.state.container_lock import parse_lock
from d2c.state.ids import start_instance_id
from d2c.state.operations import last_migrating
from d2c.state.stall_rules import WatchdogFile

logger = logging.getLogger(__name__)


async def reconcile_all(app: App, now: datetime) -> None:
    """Reconcile every open migration, and every container that is being loaded.

    Args:
        app: the app.
        now: the time, with an offset.
    """
    open_migrations = {
        name for name in await app.lake.sizes(paths.MIGRATIONS_OPEN) if re.fullmatch(NAME, name)
    }
    locks = await _container_locks(app.lake, paths.containers_folder(app.settings.cosmos_account))
    orphaned = await orphans.orphaned_containers(app.lake, locks, open_migrations)
    for migration in sorted(open_migrations | {container["migration"] for container in orphaned}):
        containers = [container for container in orphaned if container["migration"] == migration]
        held = [
            orphans.holder_at(path, lock) for path, lock in locks.items() if lock["migration"] == migration
        ]
        with observed("watch", migration=migration):
            try:
                if migration in open_migrations:
                    await _reconcile(app, migration, containers, held, now)
                else:
                    number = await app.lake.run(last_migrating, migration)
                    await orphans.start_clean_up(app, migration, number, containers=containers)
            except D2CError as error:
                logger.warning("The watchdog could not reconcile migration %s: %s", migration, error)
            except Exception:
                # Durable's client raises a bare Exception for every refusal; the other migrations are reconciled.
                logger.exception("The watchdog failed at migration %s", migration)
    await _forget_ended(app.lake, open_migrations)


async def _reconcile(
    app: App,
    migration: str,
    containers: Sequence[ContainerHolder],
    held: Sequence[ContainerHolder],
    now: datetime,
) -> None:
    """Reconcile an open migration.

    Args:
        app: the app.
        migration: its id.
        containers: orphans of it.
        held: all containers that its tables hold.
        now: the time.
    """
    accepted: AcceptedPlan | None = await app.lake.read_json(paths.MigrationFiles(migration).plan)
    watched: WatchdogFile = (
        await app.lake.read_json(paths.MigrationFiles(migration).watchdog) or WatchdogFile()
    )
    if accepted is None:
        await _close_without_plan(app.lake, migration, watched)
        return
    number = await app.lake.run(last_migrating, migration)
    status = await app.durable.get_status(migration, show_input=True)
    is_current = bool(status) and orphans.input_of(status)["operation"] == number
    if not (is_current or await _has_started(app.lake, migration, number, watched)):
        await _start_again(app, migration, accepted, number, watched)
        return
    work = await read_work(app.lake, migration, number, accepted["plan"])
    measure_tables(table.state for table in work.tables)
    if is_current and durable.has_not_ended(status):
        await look_for_stalls(app, work, watched, now)
        if containers:
            await orphans.start_clean_up(app, migration, number, containers=containers)
    else:
        await _end(app, work, held, accepted, status if is_current else None)


async def _has_started(lake: AsyncLake, migration: str, number: int, watched: WatchdogFile) -> bool:
    """Return whether a start or retry has left a trace, though its orchestration is gone."""
    return watched.get("operation") == number or await lake.exists(
        paths.MigrationFiles(migration).work(number).queue
    )


async def _end(
    app: App, work: Work, held: Sequence[ContainerHolder], accepted: AcceptedPlan, status: Any
) -> None:
    """End a migration whose orchestration has ended; Durable lets the orchestrations run that such a one started."""
    error: ErrorDict | None = None
    cause: str | None = None
    state = durable.state_of(status) if status else "cancelled"
    if not status or durable.runtime_status(status) != "Completed":
        cause = str(status.output or "") if status else "it is no longer known"
        error = durable.broken_off(state, cause)
        # The lanes read the flag, end their tables and then themselves.
        await lifecycle.flag_cancelled(app, work.migration, None)
        start = start_instance_id(work.migration, work.operation)
        await durable.terminate(app.durable, start, orphans.TERMINATED)
    lanes = await asyncio.gather(*(app.durable.get_status(lane) for lane in work.lane_instances()))
    if any(durable.has_not_ended(lane) for lane in lanes):
        return
    tables = await orphans.orphaned_tables(app.durable, work, state, cause)
    await orphans.start_clean_up(
        app,
        work.migration,
        work.operation,
        tables=tables,
        containers=held,
        ends={"state": cast("State", state), "error": error},
        accepted=accepted,
    )


async def _close_without_plan(lake: AsyncLake, migration: str, watched: WatchdogFile) -> None:
    """Close a migration seen twice without a plan: its start broke off before the plan was accepted."""
    if watched.get("lost") == "plan":
        logger.warning("Migration %s has no plan in the lake and is closed", migration)
        await lake.delete(paths.MigrationFiles(migration).is_open)
    else:
        await lake.write_json(paths.MigrationFiles(migration).watchdog, {"lost": "plan"})


async def _start_again(
    app: App, migration: str, accepted: AcceptedPlan, number: int, watched: WatchdogFile
) -> None:
    """Start a migration or a retry that was seen twice accepted and not started."""
    if watched.get("lost") != number:
        await app.lake.write_json(paths.MigrationFiles(migration).watchdog, {"lost": number})
        return
    logger.warning(
        "%s of migration %s was accepted and not started; starting it now",
        f"Retry {number}" if number else "The start",
        migration,
    )
    await migrations.start_orchestration(app, accepted, number)


async def _container_locks(lake: AsyncLake, folder: str) -> dict[str, Any]:
    """Return the locks of containers that are being loaded, by their paths."""
    lock_paths = [f"{folder}/{name}" for name in await lake.sizes(folder)]
    locks = await asyncio.gather(*(_lock(lake, path) for path in lock_paths))
    return {path: lock for path, lock in zip(lock_paths, locks, strict=True) if lock}


async def _lock(lake: AsyncLake, path: str) -> Any:
    """Return a lock; None if it is gone, or is none."""
    with one_of_many(f"The lock {quoted(path)}"):
        value = await lake.read_json(path)
        return None if value is None else parse_lock(value, path)
    return None


async def _forget_ended(lake: AsyncLake, open_migrations: set[str]) -> None:
    """Delete the watchdog's files of migrations that have ended."""
    for name in await lake.sizes(paths.WATCHDOG):
        if name.removesuffix(".json") not in open_migrations:
            with one_of_many(f"The file {quoted(name)} of the watchdog"):
                await lake.delete(f"{paths.WATCHDOG}{name}")
