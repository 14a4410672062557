"""Orphans: tables and containers whose orchestrations ended early; the orchestration `clean_up` cleans them up."""

import asyncio
import json
import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from d2c.app.one_of_many import one_of_many
from d2c.clients import durable
from d2c.clients.azure.async_lake import AsyncLake
from d2c.clients.durable import DurableClient
from d2c.control import migrations
from d2c.control.app import App
from d2c.control.work import Work
from d2c.errors import PermanentError
from d2c.foreign_json import quoted
from d2c.shapes import (
    AcceptedPlan,
    ContainerHolder,
    ContainerLock,
    MigrationEnd,
    OrphanedTable,
    Orphans,
    OrphansFile,
    Waits,
)
from d2c.state import paths
from d2c.state.ids import clean_up_instance_id
from d2c.state.table_states import TableState

TERMINATED = "its orchestration was ended before it was done"

logger = logging.getLogger(__name__)


async def orphaned_tables(
    client: DurableClient, work: Work, ended_as: str, cause: str | None
) -> list[OrphanedTable]:
    """Return the tables that have not ended, all lanes having ended, and terminate what is at work for them.

    Args:
        client: Durable's.
        work: the migration's.
        ended_as: the state of the migration.
        cause: why its orchestration ended early; None if it did not.
    """
    tables = [
        table for table in work.tables if not table.end and work.queue and table.table in work.queue.positions
    ]
    instances = dict.fromkeys(instance for table in tables for instance in work.instances(table.table))
    await asyncio.gather(*(durable.terminate(client, instance, TERMINATED) for instance in instances))
    return [_orphan(work, table, ended_as, cause or TERMINATED) for table in tables]


def _orphan(work: Work, table: TableState, ended_as: str, cause: str) -> OrphanedTable:
    begun = work.queue.begun.get(table.table) if work.queue else None
    is_cancelled = ended_as == "cancelled"
    if work.queue and begun:
        position = work.queue.positions[table.table]
        stage = "prepare" if position.stage == "load" and position.claim is None else position.stage
        error = durable.broken_off(ended_as, cause)
    else:
        stage = "export"
        error = PermanentError(
            "The migration ended before the table was started.",
            "Retry it.",
            title="The table was not started",
        ).to_dict()
    started_at = begun or datetime.now(UTC)
    return {
        "table": table.table,
        "operation": work.operation,
        "state": "cancelled" if is_cancelled else "failed",
        "error": {**error, "cancelled": is_cancelled, "stage": stage},
        "started_at": started_at.isoformat(timespec="seconds"),
    }


def input_of(status: Any) -> Any:
    """Return an orchestration's input, which hosts return as JSON or as its text."""
    return json.loads(status.input_) if isinstance(status.input_, str) else status.input_


async def orphaned_containers(
    lake: AsyncLake, locks: Mapping[str, ContainerLock], open_migrations: Collection[str]
) -> list[ContainerHolder]:
    """Return the holders of containers that have ended.

    Args:
        lake: the lake.
        locks: of the containers that are being loaded, by their paths.
        open_migrations: the migrations that have not ended.
    """
    migrations = sorted({lock["migration"] for lock in locks.values()})
    logs = await asyncio.gather(*(_ends(lake, migration) for migration in migrations))
    ends = dict(zip(migrations, logs, strict=True))
    return [
        holder_at(path, lock)
        for path, lock in locks.items()
        if lock.get("being_put_back")
        or lock["migration"] not in open_migrations
        or ends[lock["migration"]].get(lock["table"], -1) >= lock["operation"]
    ]


async def _ends(lake: AsyncLake, migration: str) -> dict[str, int]:
    """Return the operations in which the tables of a migration ended; none if its log cannot be read."""
    with one_of_many(f"The log of ended tables of the migration {quoted(migration)}"):
        log = await lake.read_log(paths.MigrationFiles(migration).ended_tables)
        return {line["table"]: line["operation"] for line in log}
    return {}


def holder_at(path: str, lock: ContainerLock) -> ContainerHolder:
    """Return the holder of a container.

    Args:
        path: the lock's.
        lock: as the lake has it.
    """
    return {
        "path": path,
        "migration": lock["migration"],
        "table": lock["table"],
        "operation": lock["operation"],
    }


async def start_clean_up(
    app: App,
    migration: str,
    number: int,
    *,
    tables: Sequence[OrphanedTable] = (),
    containers: Sequence[ContainerHolder] = (),
    ends: MigrationEnd | None = None,
    accepted: AcceptedPlan | None = None,
) -> None:
    """Start the clean-up of a migration's orphans, unless one runs.

    Args:
        app: the app.
        migration: its id.
        number: of its last retry, or 0.
        tables: as `orphaned_tables` returns them.
        containers: as `orphaned_containers` returns them.
        ends: the state and the error with which the migration ends; None if it runs, or has ended by itself.
        accepted: the migration's plan; needed for tables.
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
        "operation": number,
        "since": accepted["accepted_at"] if accepted else None,
        "tables": list(tables),
        "containers": list(containers),
        "ends": ends,
    }
    if accepted and "deployment" in accepted:
        orphans["deployment"] = accepted["deployment"]
    await app.lake.write_json(paths.MigrationFiles(migration).orphans, orphans)
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
        "all_recorded": True,
        "waits": waits,
    }
