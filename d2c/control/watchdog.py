"""The watchdog: reconciles every open migration, reports stalls, and starts the clean-up of orphans.

It decides by the current state, not by past events, so it may run late, twice or after a crash: the next run corrects
what the one before could not.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from d2c.app.observing import measure_tables, observed
from d2c.clients import durable
from d2c.clients.azure.async_lake import AsyncLake
from d2c.control import lifecycle, migrations, orphans, queries
from d2c.control.app import App
from d2c.control.stall_watch import look_for_stalls
from d2c.errors import D2CError
from d2c.plan.model import Plan
from d2c.shapes import AcceptedPlan, ContainerHolder, ErrorDict, MigrationEnd, OrphanedTable, State
from d2c.state import paths
from d2c.state.ids import lane_instance_id, start_instance_id, table_instance_id
from d2c.state.operations import last_retry
from d2c.state.stall_rules import WatchdogFile
from d2c.state.table_states import TableState

logger = logging.getLogger(__name__)


class OpenMigration(NamedTuple):
    """An open migration, by the lake.

    Args:
        id: its id.
        plan: its plan.
        since: when it was accepted.
        number: of its last retry, or 0.
        tables: those that have not ended.
        containers: holders of containers that are orphans of it.
    """

    id: str
    plan: Plan
    since: str
    number: int
    tables: Sequence[TableState]
    containers: Sequence[ContainerHolder]


async def reconcile_all(app: App, now: datetime) -> None:
    """Reconcile every open migration, and every container that is being loaded.

    Args:
        app: the app.
        now: the time, with an offset.
    """
    open_migrations = set(await app.lake.sizes(paths.MIGRATIONS_OPEN))
    locks = await _container_locks(app.lake, paths.containers_folder(app.settings.cosmos_account))
    orphaned = await orphans.orphaned_containers(app.durable, locks)
    for migration in sorted(open_migrations | {container["migration"] for container in orphaned}):
        containers = [container for container in orphaned if container["migration"] == migration]
        with observed("watch", migration=migration):
            try:
                if migration in open_migrations:
                    await _reconcile(app, migration, containers, now)
                else:
                    number = await app.lake.run(last_retry, migration)
                    await orphans.start_clean_up(app, migration, number, containers=containers)
            except D2CError as error:
                logger.warning("The watchdog could not reconcile migration %s: %s", migration, error)
            except Exception:
                # Durable's client raises a bare Exception for every refusal; the other migrations are reconciled.
                logger.exception("The watchdog failed at migration %s", migration)
    await _forget_ended(app.lake, open_migrations)


async def _reconcile(app: App, migration: str, containers: Sequence[ContainerHolder], now: datetime) -> None:
    accepted: AcceptedPlan | None = await app.lake.read_json(paths.plan_path(migration))
    watched: WatchdogFile = await app.lake.read_json(paths.watchdog_path(migration)) or WatchdogFile()
    if accepted is None:
        await _close_without_plan(app.lake, migration, watched)
        return
    plan, number = Plan.model_validate(accepted["plan"]), await app.lake.run(last_retry, migration)
    status = await app.durable.get_status(migration, show_input=True)
    is_current = bool(status) and orphans.input_of(status)["round"] == number
    if not (is_current or await _has_started(app.lake, migration, number, watched)):
        await _start_again(app, plan, number, watched)
        return
    tables = await _tables_not_ended(app.lake, migration, number, accepted["plan"])
    found = OpenMigration(migration, plan, accepted["accepted_at"], number, tables, containers)
    if is_current and durable.has_not_ended(status):
        running = [table for table in tables if table.state == "running"]
        await look_for_stalls(app, migration, number, running, watched, now)
        await _clean_up(app, found, await orphans.orphaned_tables(app.durable, migration, running))
    else:
        await _end(app, found, status if is_current else None)


async def _has_started(lake: AsyncLake, migration: str, number: int, watched: WatchdogFile) -> bool:
    """Return whether a start or retry has left a trace, though its orchestration is gone."""
    members = paths.members_path(paths.operation_folder(migration, number))
    return watched.get("round") == number or await lake.exists(members)


async def _tables_not_ended(
    lake: AsyncLake, migration: str, number: int, plan: Mapping[str, Any]
) -> list[TableState]:
    if not await lake.exists(paths.tables_path(migration)):
        return []
    tables = await queries.table_states(lake, migration, number, plan)
    measure_tables(table.state for table in tables)
    return [table for table in tables if not table.end]


async def _end(app: App, found: OpenMigration, status: Any) -> None:
    """End a migration whose orchestration has ended; Durable lets the orchestrations run that such a one started."""
    error: ErrorDict | None = None
    state = durable.state_of(status) if status else "cancelled"
    if not status or durable.runtime_status(status) != "Completed":
        error = durable.broken_off(state, status.output if status else "it is no longer known")
        await lifecycle.flag_cancelled(app, found.id, None)
        await durable.terminate(app.durable, start_instance_id(found.id, found.number), orphans.TERMINATED)
    instances = [
        *(table_instance_id(found.id, table.table, table.retry) for table in found.tables),
        *(lane_instance_id(found.id, found.number, lane) for lane in range(found.plan.max_parallel_tables)),
    ]
    statuses = await asyncio.gather(*(app.durable.get_status(instance) for instance in instances))
    if any(durable.has_not_ended(one) for one in statuses):
        tables = await orphans.orphaned_tables(app.durable, found.id, found.tables)
        await _clean_up(app, found, tables)
    else:
        tables = await orphans.orphaned_tables(app.durable, found.id, found.tables, ended_as=state)
        await _clean_up(app, found, tables, {"state": cast("State", state), "error": error})


async def _clean_up(
    app: App, found: OpenMigration, tables: Sequence[OrphanedTable], ends: MigrationEnd | None = None
) -> None:
    """Start a clean-up if there are orphans, or the migration ends."""
    if tables:
        # A table may have recorded its result since the log was read.
        log = await app.lake.read_log(paths.ended_tables_path(found.id))
        ended = {(line["table"], line["round"]) for line in log}
        tables = [table for table in tables if (table["table"], table["round"]) not in ended]
    if tables or found.containers or ends:
        await orphans.start_clean_up(
            app,
            found.id,
            found.number,
            tables=tables,
            containers=found.containers,
            ends=ends,
            since=found.since,
        )


async def _close_without_plan(lake: AsyncLake, migration: str, watched: WatchdogFile) -> None:
    """Close a migration seen twice without a plan: its start broke off before the plan was accepted."""
    if watched.get("lost") == "plan":
        logger.warning("Migration %s has no plan in the lake and is closed", migration)
        await lake.delete(paths.open_path(migration))
    else:
        await lake.write_json(paths.watchdog_path(migration), {"lost": "plan"})


async def _start_again(app: App, plan: Plan, number: int, watched: WatchdogFile) -> None:
    """Start a migration or a retry that was seen twice accepted and not started."""
    if watched.get("lost") != number:
        await app.lake.write_json(paths.watchdog_path(plan.name), {"lost": number})
        return
    logger.warning(
        "%s of migration %s was accepted and not started; starting it now",
        f"Retry {number}" if number else "The start",
        plan.name,
    )
    if number:
        # As a retry does before it starts.
        await app.lake.delete(paths.cancel_path(plan.name))
    await migrations.start_orchestration(app, plan, number)


async def _container_locks(lake: AsyncLake, folder: str) -> dict[str, Any]:
    """Return the locks of containers that are being loaded, by their paths."""
    lock_paths = [f"{folder}/{name}" for name in await lake.sizes(folder)]
    locks = await asyncio.gather(*(lake.read_json(path) for path in lock_paths))
    return {path: lock for path, lock in zip(lock_paths, locks, strict=True) if lock}


async def _forget_ended(lake: AsyncLake, open_migrations: set[str]) -> None:
    """Delete the watchdog's files of migrations that have ended."""
    for name in await lake.sizes(paths.WATCHDOG):
        if name.removesuffix(".json") not in open_migrations:
            await lake.delete(f"{paths.WATCHDOG}{name}")
