"""What migrations left behind whose orchestrations ended early; the orchestration `clean_up` finishes it."""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from d2c.clients import durable
from d2c.clients.azure.lake import Lake
from d2c.control import migrations
from d2c.control.lifecycle import WAITING
from d2c.errors import PermanentError
from d2c.state import paths
from d2c.state.ids import clean_up_instance_id, stage_instance_id, table_instance_id
from d2c.state.table_states import TableState

# The stages whose input or result tells what a table's stages found, the last one first.
TELLING_STAGES = ("load", "prepare", "copy", "arrival", "export")
FOUND = ("source", "export", "copy", "described")
ENDED_BY_HAND = "its orchestration was ended before it was done"

logger = logging.getLogger(__name__)
Json = dict[str, Any]


async def left_tables(
    client: Any, migration: str, tables: Sequence[TableState], *, ended_as: str | None = None
) -> list[Json]:
    """Return the tables whose orchestrations have ended without a word, with what is known of them.

    What waits for a stage of such a table is ended as well, lest it start something.

    Args:
        client: Durable's.
        migration: its id.
        tables: those that have not ended by the lake's logs.
        ended_as: the state of the migration if it has ended, so that no table's turn will come any more.
    """
    statuses = await asyncio.gather(
        *(client.get_status(table_instance_id(migration, table.table, table.round)) for table in tables)
    )
    left = []
    for table, status in zip(tables, statuses, strict=True):
        if durable.goes_on(status) or _has_succeeded(status):
            continue
        if status:
            left.append(await _left_table(client, migration, table, status))
        elif ended_as is not None:
            left.append(_never_begun(table, ended_as))
    return left


def _has_succeeded(status: Any) -> bool:
    """Tell whether a table has told its end, since the log of ended tables was read."""
    return bool(status) and durable.state_of(status) == "succeeded"


async def _left_table(client: Any, migration: str, table: TableState, status: Any) -> Json:
    stages = {
        stage: stage_instance_id(migration, table.table, stage, table.round)
        for stage in dict.fromkeys((*TELLING_STAGES, *WAITING))
    }
    await asyncio.gather(*(durable.terminate(client, stage, ENDED_BY_HAND) for stage in stages.values()))
    stage = (status.custom_status or {}).get("stage", "export")
    if durable.runtime_status(status) == "Completed":
        error = {"stage": stage, **status.output["error"]}
    else:
        error = {**durable.broken_off(durable.state_of(status), status.output), "stage": stage}
    return {
        "table": table.table,
        "round": table.round,
        "state": "cancelled" if error["cancelled"] else "failed",
        "error": error,
        "started_at": status.created_time.isoformat(),
        "found": await _found(client, stages),
    }


def _never_begun(table: TableState, ended_as: str) -> Json:
    error = PermanentError(
        "The migration ended before the table's turn came.", "Retry it.", title="The table was not begun"
    )
    is_cancelled = ended_as == "cancelled"
    return {
        "table": table.table,
        "round": table.round,
        "state": "cancelled" if is_cancelled else "failed",
        "error": {**error.to_dict(), "cancelled": is_cancelled, "stage": "export"},
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "found": {},
    }


async def _found(client: Any, stages: Mapping[str, str]) -> Json:
    """Return what a table's stages found, so that a retry need not export again what has been exported."""
    for stage in TELLING_STAGES:
        status = await client.get_status(stages[stage], show_input=True)
        job = input_of(status) if status else None
        if job:
            found = {name: job["payload"][name] for name in FOUND if name in job["payload"]}
            value = status.output.get("value") if isinstance(status.output, dict) else None
            if value and stage in FOUND:
                found[stage] = value
            return found | (value if value and stage == "arrival" else {})
    return {}


def input_of(status: Any) -> Any:
    """Return an orchestration's input, which hosts tell as JSON or as a text of it."""
    return json.loads(status.input_) if isinstance(status.input_, str) else status.input_


async def left_containers(client: Any, records: Mapping[str, Json]) -> list[Json]:
    """Return who holds containers and is no longer under way.

    Args:
        client: Durable's.
        records: records of containers by their paths.
    """
    holders = [
        {"path": path, **{name: record[name] for name in ("migration", "table", "round")}}
        for path, record in records.items()
    ]
    statuses = await asyncio.gather(
        *(
            client.get_status(table_instance_id(holder["migration"], holder["table"], holder["round"]))
            for holder in holders
        )
    )
    return [
        holder
        for holder, status in zip(holders, statuses, strict=True)
        if records[holder["path"]].get("being_put_back") or not durable.goes_on(status)
    ]


async def start_clean_up(
    client: Any,
    lake: Lake,
    migration: str,
    number: int,
    *,
    tables: Sequence[Json] = (),
    containers: Sequence[Json] = (),
    ends: Json | None = None,
    since: str | None = None,
) -> None:
    """Let what was left behind be finished, unless that is being done.

    Args:
        client: Durable's.
        lake: the lake.
        migration: its id.
        number: the round of its work.
        tables: as `left_tables` tells them.
        containers: as `left_containers` tells them.
        ends: the state and the error with which the migration ends; None if it goes on, or has ended by itself.
        since: when the migration was accepted; needed for tables.
    """
    instance = clean_up_instance_id(migration)
    if durable.goes_on(await client.get_status(instance)):
        return
    logger.warning(
        "Migration %s left behind: tables %s, containers %s",
        migration,
        [table["table"] for table in tables],
        [container["path"] for container in containers],
    )
    left = {
        "migration": migration,
        "round": number,
        "since": since,
        "tables": list(tables),
        "containers": list(containers),
        "ends": ends,
    }
    await asyncio.to_thread(lake.write_json, paths.left_behind_path(migration), left)
    value = {
        "migration": migration,
        "tables": len(tables),
        "containers": len(containers),
        "next": 0,
        "error": None,
        "all_told": True,
        "waits": migrations.waits(),
    }
    await durable.start(client, "clean_up", instance, value)
