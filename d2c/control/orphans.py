"""Orphans: tables and containers whose orchestrations ended early; the orchestration `clean_up` cleans them up."""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from d2c.clients import durable
from d2c.clients.durable import DurableClient
from d2c.control import migrations
from d2c.control.app import App
from d2c.control.lifecycle import WAITING
from d2c.errors import PermanentError
from d2c.shapes import (
    ContainerHolder,
    ErrorDict,
    Findings,
    MigrationEnd,
    OrphanedTable,
    Orphans,
    OrphansFile,
    Waits,
)
from d2c.state import paths
from d2c.state.ids import clean_up_instance_id, stage_instance_id, table_instance_id
from d2c.state.table_states import TableState

# The stages whose input or result has the findings of a table, the last one first.
STAGES_WITH_FINDINGS = ("load", "prepare", "copy", "arrival", "export")
FINDINGS = ("source", "export", "copy", "described")
TERMINATED = "its orchestration was ended before it was done"

logger = logging.getLogger(__name__)


async def orphaned_tables(
    client: DurableClient, migration: str, tables: Sequence[TableState], *, ended_as: str | None = None
) -> list[OrphanedTable]:
    """Return the tables whose orchestration ended without recording a result, and terminate their stages.

    Args:
        client: Durable's.
        migration: its id.
        tables: those that have not ended by the lake's logs.
        ended_as: the state of the migration if it has ended, so that no lane takes another table.
    """
    statuses = await asyncio.gather(
        *(client.get_status(table_instance_id(migration, table.table, table.retry)) for table in tables)
    )
    orphans = []
    for table, status in zip(tables, statuses, strict=True):
        if durable.has_not_ended(status) or _has_succeeded(status):
            continue
        if status:
            orphans.append(await _orphan(client, migration, table, status))
        elif ended_as is not None:
            orphans.append(_never_started(table, ended_as))
    return orphans


def _has_succeeded(status: Any) -> bool:
    """Return whether a table has recorded its result since the log of ended tables was read."""
    return bool(status) and durable.state_of(status) == "succeeded"


async def _orphan(client: DurableClient, migration: str, table: TableState, status: Any) -> OrphanedTable:
    stages = {
        stage: stage_instance_id(migration, table.table, stage, table.retry)
        for stage in dict.fromkeys((*STAGES_WITH_FINDINGS, *WAITING))
    }
    await asyncio.gather(*(durable.terminate(client, stage, TERMINATED) for stage in stages.values()))
    stage = (status.custom_status or {}).get("stage", "export")
    error: ErrorDict
    if durable.runtime_status(status) == "Completed":
        error = status.output["error"]
        error = {**error, "stage": error.get("stage", stage)}
    else:
        error = {**durable.broken_off(durable.state_of(status), status.output), "stage": stage}
    return {
        "table": table.table,
        "round": table.retry,
        "state": "cancelled" if error["cancelled"] else "failed",
        "error": error,
        "started_at": status.created_time.isoformat(),
        "found": await _findings(client, stages),
    }


def _never_started(table: TableState, ended_as: str) -> OrphanedTable:
    error = PermanentError(
        "The migration ended before the table was started.", "Retry it.", title="The table was not started"
    )
    is_cancelled = ended_as == "cancelled"
    return {
        "table": table.table,
        "round": table.retry,
        "state": "cancelled" if is_cancelled else "failed",
        "error": {**error.to_dict(), "cancelled": is_cancelled, "stage": "export"},
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "found": {},
    }


async def _findings(client: DurableClient, stages: Mapping[str, str]) -> Findings:
    """Return what a table's stages found, so that a retry need not export again."""
    for stage in STAGES_WITH_FINDINGS:
        status = await client.get_status(stages[stage], show_input=True)
        job = input_of(status) if status else None
        if job:
            found: Any = {name: job["payload"][name] for name in FINDINGS if name in job["payload"]}
            value = status.output.get("value") if isinstance(status.output, dict) else None
            if value and stage in FINDINGS:
                found[stage] = value
            findings: Findings = found | (value if value and stage == "arrival" else {})
            return findings
    return {}


def input_of(status: Any) -> Any:
    """Return an orchestration's input, which hosts return as JSON or as its text."""
    return json.loads(status.input_) if isinstance(status.input_, str) else status.input_


async def orphaned_containers(client: DurableClient, locks: Mapping[str, Any]) -> list[ContainerHolder]:
    """Return the holders of containers that have ended.

    Args:
        client: Durable's.
        locks: of the containers that are being loaded, by their paths.
    """
    holders: list[ContainerHolder] = [
        {"path": path, "migration": lock["migration"], "table": lock["table"], "round": lock["round"]}
        for path, lock in locks.items()
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
        if locks[holder["path"]].get("being_put_back") or not durable.has_not_ended(status)
    ]


async def start_clean_up(
    app: App,
    migration: str,
    number: int,
    *,
    tables: Sequence[OrphanedTable] = (),
    containers: Sequence[ContainerHolder] = (),
    ends: MigrationEnd | None = None,
    since: str | None = None,
) -> None:
    """Start the clean-up of a migration's orphans, unless one runs.

    Args:
        app: the app.
        migration: its id.
        number: of its last retry, or 0.
        tables: as `orphaned_tables` returns them.
        containers: as `orphaned_containers` returns them.
        ends: the state and the error with which the migration ends; None if it runs, or has ended by itself.
        since: when the migration was accepted; needed for tables.
    """
    instance = clean_up_instance_id(migration)
    if durable.has_not_ended(await app.durable.get_status(instance)):
        return
    logger.warning(
        "Migration %s has orphans: tables %s, containers %s",
        migration,
        [table["table"] for table in tables],
        [container["path"] for container in containers],
    )
    orphans: OrphansFile = {
        "migration": migration,
        "round": number,
        "since": since,
        "tables": list(tables),
        "containers": list(containers),
        "ends": ends,
    }
    await app.lake.write_json(paths.orphans_path(migration), orphans)
    await durable.start(
        app.durable, "clean_up", instance, _clean_up_input(orphans, migrations.waits(app.settings))
    )


def _clean_up_input(orphans: OrphansFile, waits: Waits) -> Orphans:
    """Return the input of the orchestration, which reads everything else from the lake."""
    return {
        "migration": orphans["migration"],
        "tables": len(orphans["tables"]),
        "containers": len(orphans["containers"]),
        "next": 0,
        "error": None,
        "all_told": True,
        "waits": waits,
    }
