"""Stalled tables of a migration: detected by the watchdog, stored in the lake, reported once."""

import asyncio
import logging
from datetime import datetime

from d2c.app.logs import log_fields
from d2c.app.observing import measure
from d2c.clients import durable
from d2c.clients.azure.async_lake import AsyncLake
from d2c.clients.durable import Snapshot
from d2c.control.app import App
from d2c.control.progress_files import read_progress
from d2c.control.work import Work, as_told, at_work
from d2c.state import paths
from d2c.state.outbox import TABLE_STALLED, notify
from d2c.state.stall_rules import Stall, StallSample, WatchdogFile, after_samples, new_stalls

logger = logging.getLogger(__name__)


async def look_for_stalls(app: App, work: Work, before: WatchdogFile, now: datetime) -> None:
    """Store since when each running table has not changed, and report the tables that have stalled since.

    Args:
        app: the app.
        work: the migration's.
        before: the watchdog's file so far.
        now: the current time.
    """
    running = [table.table for table in work.tables if table.state == "running" and not table.end]
    snapshot = await durable.snapshot(app.durable, work.migration)
    samples = await asyncio.gather(*(_sample(app.lake, snapshot, work, table) for table in running))
    after = after_samples(before, samples, now)
    after["operation"] = work.operation
    measure("d2c.tables.stalled", sum(1 for kept in after["tables"].values() if kept["stalled"]))
    for table, stall in new_stalls(before, after).items():
        await _report(app, work.migration, work.operation, table, stall)
    await app.lake.write_json(paths.MigrationFiles(work.migration).watchdog, after)


async def _report(app: App, migration: str, number: int, table: str, stall: Stall) -> None:
    with log_fields(migration=migration, table=table, stage=stall["stage"]):
        logger.warning("Table %s of migration %s is stalled: %s", table, migration, stall["detail"])
    data, identity = {"operation": number, **stall}, (number, stall["stage"], stall["since"])
    await app.lake.run(notify, app.settings, TABLE_STALLED, migration, table, data, *identity)


async def _sample(lake: AsyncLake, snapshot: Snapshot, work: Work, table: str) -> StallSample:
    """Return the progress of a table; one that no lane has waits."""
    now = await at_work(snapshot, work, table)
    size = work.queue.tables[table]["size_bytes"] if work.queue else None
    if now is None:
        return StallSample(table, work.operation, "report", None, waits=True, size_bytes=size)
    if now.file:
        now = as_told(now, await read_progress(lake, now.file))
    return StallSample(table, work.operation, now.stage, now.progress, now.is_held, size)
