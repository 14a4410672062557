"""Stalled tables of a migration: detected by the watchdog, stored in the lake, reported once."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime

from d2c.app.logs import log_fields
from d2c.app.observing import measure
from d2c.clients import durable
from d2c.clients.durable import Snapshot
from d2c.control import queries
from d2c.control.app import App
from d2c.shapes import ListedTables
from d2c.state import paths
from d2c.state.ids import table_instance_id
from d2c.state.outbox import TABLE_STALLED, notify
from d2c.state.stall_rules import Stall, StallSample, WatchdogFile, after_samples, new_stalls
from d2c.state.status import table_under_way
from d2c.state.table_states import TableState

logger = logging.getLogger(__name__)


async def look_for_stalls(
    app: App, migration: str, number: int, tables: Sequence[TableState], before: WatchdogFile, now: datetime
) -> None:
    """Store since when each running table has not changed, and report the tables that have stalled since.

    Args:
        app: the app.
        migration: its id.
        number: of its last retry, or 0.
        tables: those that run by the lake's logs.
        before: the watchdog's file so far.
        now: the current time.
    """
    listed: ListedTables | None = await app.lake.read_json(paths.tables_path(migration))
    sizes = {table["table"]: table.get("size_bytes") for table in (listed["tables"] if listed else ())}
    snapshot = await durable.snapshot(app.durable, migration)
    samples = await asyncio.gather(
        *(_sample(snapshot, migration, table, sizes.get(table.table)) for table in tables)
    )
    after = after_samples(before, [sample for sample in samples if sample], now)
    after["round"] = number
    measure("d2c.tables.stalled", sum(1 for kept in after["tables"].values() if kept["stalled"]))
    for table, stall in new_stalls(before, after).items():
        await _report(app, migration, number, table, stall)
    await app.lake.write_json(paths.watchdog_path(migration), after)


async def _report(app: App, migration: str, number: int, table: str, stall: Stall) -> None:
    with log_fields(migration=migration, table=table, stage=stall["stage"]):
        logger.warning("Table %s of migration %s is stalled: %s", table, migration, stall["detail"])
    data, identity = {"round": number, **stall}, (number, stall["stage"], stall["since"])
    await app.lake.run(notify, app.settings, TABLE_STALLED, migration, table, data, *identity)


async def _sample(
    snapshot: Snapshot, migration: str, table: TableState, size_bytes: int | None
) -> StallSample | None:
    """Return the progress of a table, or None if its orchestration does not run."""
    status = await snapshot.status(table_instance_id(migration, table.table, table.retry))
    if not durable.has_not_ended(status):
        return None
    shown = status.custom_status or {}
    stage = shown.get("stage", "export")
    wait = await queries.stage_status(snapshot, migration, table.table, stage, table.retry)
    progress = wait.custom_status if durable.has_not_ended(wait) else None
    stage = table_under_way(table.table, "running", shown, progress, None)["stage"] or stage
    is_held = any(durable.runtime_status(one) == "Suspended" for one in (status, wait) if one)
    is_waiting = any(part.get(name) for part in (shown, progress or {}) for name in ("waiting", "waits_for"))
    return StallSample(table.table, table.retry, stage, progress, is_held or is_waiting, size_bytes)
