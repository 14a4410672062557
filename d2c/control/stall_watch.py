"""Which tables of a migration are stalled: looked at by the watch, kept in the lake, and told once."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from d2c.app.logs import log_fields
from d2c.app.observing import measure
from d2c.app.settings import app_settings
from d2c.clients import durable
from d2c.clients.azure.lake import Lake
from d2c.clients.durable import Snapshot
from d2c.control import queries
from d2c.state import paths
from d2c.state.ids import table_instance_id
from d2c.state.outbox import TABLE_STALLED, notify
from d2c.state.stall_rules import StallSample, after_looks, new_stalls
from d2c.state.status import table_under_way
from d2c.state.table_states import TableState

logger = logging.getLogger(__name__)
Json = dict[str, Any]


async def look_for_stalls(
    client: Any,
    lake: Lake,
    migration: str,
    number: int,
    tables: Sequence[TableState],
    before: Mapping[str, Any],
    now: datetime,
) -> None:
    """Keep since when each table that runs has not changed, and tell of those that are stalled since this look.

    Args:
        client: Durable's.
        lake: the lake.
        migration: its id.
        number: the round of its work.
        tables: those that run by the lake's logs.
        before: what the watch kept at the time before.
        now: the time of this look.
    """
    listed = await asyncio.to_thread(lake.read_json, paths.tables_path(migration)) or {"tables": []}
    sizes = {table["table"]: table.get("size_bytes") for table in listed["tables"]}
    seen = await durable.snapshot(client, migration)
    looks = await asyncio.gather(
        *(_look_at_table(seen, migration, table, sizes.get(table.table)) for table in tables)
    )
    after = {**after_looks(before, [look for look in looks if look], now), "round": number}
    stalled_now = sum(1 for kept in after["tables"].values() if kept["stalled"])
    measure("d2c.tables.stalled", stalled_now)
    for table, stalled in new_stalls(before, after).items():
        with log_fields(migration=migration, table=table, stage=stalled["stage"]):
            logger.warning("Table %s of migration %s is stalled: %s", table, migration, stalled["detail"])
        data, identity = {"round": number, **stalled}, (number, stalled["stage"], stalled["since"])
        told = (TABLE_STALLED, migration, table, data, *identity)
        await asyncio.to_thread(notify, lake, app_settings(), *told)
    await asyncio.to_thread(lake.write_json, paths.watch_path(migration), after)


async def _look_at_table(
    seen: Snapshot, migration: str, table: TableState, size_bytes: int | None
) -> StallSample | None:
    """Return how far a table is, or None if its orchestration is not under way."""
    status = await seen.status(table_instance_id(migration, table.table, table.round))
    if not durable.goes_on(status):
        return None
    shown = status.custom_status or {}
    stage = shown.get("stage", "export")
    wait = await queries.waiting_for(seen, migration, table.table, stage, table.round)
    progress = wait.custom_status if durable.goes_on(wait) else None
    stage = table_under_way(table.table, "running", shown, progress, None)["stage"]
    is_held = any(durable.runtime_status(one) == "Suspended" for one in (status, wait) if one)
    is_waiting = any(told.get(name) for told in (shown, progress or {}) for name in ("waiting", "waits_for"))
    return StallSample(table.table, table.round, stage, progress, is_held or is_waiting, size_bytes)
