"""The watch: looks at every migration that is open, tells which stages are stalled, and has finished what was left.

It decides by what is there, not by what happened, so it may come late, twice or after a crash: the next look puts
right what the one before could not.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from d2c.app.observing import measure_tables, observed
from d2c.app.settings import app_settings
from d2c.clients import durable
from d2c.clients.azure.lake import Lake, connect_lake
from d2c.control import lifecycle, migrations, orphans, queries
from d2c.control.stall_watch import look_for_stalls
from d2c.errors import D2CError
from d2c.plan.model import Plan
from d2c.state import paths
from d2c.state.ids import lane_instance_id, start_instance_id, table_instance_id
from d2c.state.table_states import TableState

logger = logging.getLogger(__name__)
Json = dict[str, Any]


class Watched(NamedTuple):
    """An open migration, as the lake tells of it.

    Args:
        migration: its id.
        plan: its plan.
        since: when it was accepted.
        round: the round of its work that was begun last.
        tables: those that have not ended.
        containers: who holds a container for it and is no longer under way.
    """

    migration: str
    plan: Plan
    since: str
    round: int
    tables: Sequence[TableState]
    containers: Sequence[Json]


async def look_at_everything(client: Any, now: datetime) -> None:
    """Look at every open migration, and at every container that is being loaded.

    Args:
        client: Durable's.
        now: the time, with an offset.
    """
    settings = app_settings()
    lake = connect_lake(settings)
    open_ones = set(await asyncio.to_thread(lake.sizes, paths.MIGRATIONS_OPEN))
    records = await _container_records(lake, paths.containers_folder(settings.cosmos_account))
    left = await orphans.left_containers(client, records)
    for migration in sorted(open_ones | {container["migration"] for container in left}):
        containers = [container for container in left if container["migration"] == migration]
        with observed("watch", migration=migration):
            try:
                if migration in open_ones:
                    await _look_at_migration(client, lake, migration, containers, now)
                else:
                    number = await migrations.last_round(lake, migration)
                    await orphans.start_clean_up(client, lake, migration, number, containers=containers)
            except D2CError as error:
                logger.warning("The watch could not look at migration %s: %s", migration, error)
            except Exception:
                # Durable's client raises a bare Exception for every refusal; the other migrations are looked at.
                logger.exception("The watch failed at migration %s", migration)
    await _forget_others(lake, open_ones)


async def _look_at_migration(
    client: Any, lake: Lake, migration: str, containers: Sequence[Json], now: datetime
) -> None:
    accepted = await asyncio.to_thread(lake.read_json, paths.plan_path(migration))
    kept = await asyncio.to_thread(lake.read_json, paths.watch_path(migration)) or {}
    if accepted is None:
        await _look_at_lost_plan(lake, migration, kept)
        return
    plan, number = Plan.model_validate(accepted["plan"]), await migrations.last_round(lake, migration)
    status = await client.get_status(migration, show_input=True)
    is_of_round = bool(status) and orphans.input_of(status)["round"] == number
    members = paths.members_path(paths.round_folder(migration, number))
    has_begun = is_of_round or kept.get("round") == number or await asyncio.to_thread(lake.exists, members)
    if not has_begun:
        await _look_at_lost_start(client, lake, plan, number, kept)
        return
    tables: list[TableState] = []
    if await asyncio.to_thread(lake.exists, paths.tables_path(migration)):
        known = await queries.standings_of(lake, migration, number, accepted["plan"])
        tables = [table for table in known if not table.end]
        measure_tables(table.state for table in known)
    watched = Watched(migration, plan, accepted["accepted_at"], number, tables, containers)
    if is_of_round and durable.goes_on(status):
        running = [table for table in tables if table.state == "running"]
        await look_for_stalls(client, lake, migration, number, running, kept, now)
        left = await orphans.left_tables(client, migration, running)
        await _clean_up(client, lake, watched, left)
    else:
        await _look_at_the_end(client, lake, watched, status if is_of_round else None)


async def _look_at_the_end(client: Any, lake: Lake, watched: Watched, status: Any) -> None:
    """Look at a migration whose orchestration has ended: what such a one has started, Durable lets go on."""
    migration, number = watched.migration, watched.round
    state, error = durable.state_of(status) if status else "cancelled", None
    if not status or durable.runtime_status(status) != "Completed":
        error = durable.broken_off(state, status.output if status else "it is no longer known")
        await lifecycle.cancel(client, migration, None)
        await durable.terminate(client, start_instance_id(migration, number), orphans.ENDED_BY_HAND)
    running = await asyncio.gather(
        *(_goes_on(client, table_instance_id(migration, it.table, it.round)) for it in watched.tables),
        *(
            _goes_on(client, lane_instance_id(migration, number, lane))
            for lane in range(watched.plan.max_parallel_tables)
        ),
    )
    if any(running):
        left = await orphans.left_tables(client, migration, watched.tables)
        await _clean_up(client, lake, watched, left)
    else:
        left = await orphans.left_tables(client, migration, watched.tables, ended_as=state)
        await _clean_up(client, lake, watched, left, {"state": state, "error": error})


async def _clean_up(
    client: Any, lake: Lake, watched: Watched, tables: Sequence[Json], ends: Json | None = None
) -> None:
    """Have finished what was found, if anything was."""
    if tables:
        # A table may have told its end since the log was read.
        log = await asyncio.to_thread(lake.read_log, paths.ended_tables_path(watched.migration))
        told = {(line["table"], line["round"]) for line in log}
        tables = [table for table in tables if (table["table"], table["round"]) not in told]
    if tables or watched.containers or ends:
        left: Json = {
            "tables": tables,
            "containers": watched.containers,
            "ends": ends,
            "since": watched.since,
        }
        await orphans.start_clean_up(client, lake, watched.migration, watched.round, **left)


async def _look_at_lost_plan(lake: Lake, migration: str, kept: Json) -> None:
    """Close at the second sight what is open without a plan: its start broke off before it was accepted."""
    if kept.get("lost") == "plan":
        logger.warning("Migration %s has no plan in the lake and is closed", migration)
        await asyncio.to_thread(lake.delete, paths.open_path(migration))
    else:
        await asyncio.to_thread(lake.write_json, paths.watch_path(migration), {"lost": "plan"})


async def _look_at_lost_start(client: Any, lake: Lake, plan: Plan, number: int, kept: Json) -> None:
    """Start at the second sight a round of work that was accepted, and whose start broke off."""
    if kept.get("lost") != number:
        await asyncio.to_thread(lake.write_json, paths.watch_path(plan.name), {"lost": number})
        return
    logger.warning(
        "Round %s of migration %s was accepted and not started; it is started now", number, plan.name
    )
    if number:
        # As a retry does before it starts.
        await asyncio.to_thread(lake.delete, paths.cancel_path(plan.name))
    await migrations.begin_round(client, lake, plan, number)


async def _goes_on(client: Any, instance: str) -> bool:
    return durable.goes_on(await client.get_status(instance))


async def _container_records(lake: Lake, folder: str) -> dict[str, Json]:
    """Return the records of containers that are being loaded, by their paths."""
    record_paths = [f"{folder}/{name}" for name in await asyncio.to_thread(lake.sizes, folder)]
    records = await asyncio.gather(*(asyncio.to_thread(lake.read_json, path) for path in record_paths))
    return {path: record for path, record in zip(record_paths, records, strict=True) if record}


async def _forget_others(lake: Lake, open_ones: set[str]) -> None:
    """Delete what the watch keeps of migrations that have ended."""
    for name in await asyncio.to_thread(lake.sizes, paths.WATCH):
        if name.removesuffix(".json") not in open_ones:
            await asyncio.to_thread(lake.delete, f"{paths.WATCH}{name}")
