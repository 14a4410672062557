"""The work of an operation at one moment: its queue, its tables, and what is at work for each of them."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from d2c.clients import durable
from d2c.clients.azure.async_lake import AsyncLake
from d2c.clients.durable import Snapshot
from d2c.clients.threads import in_thread
from d2c.load_run.progress import PROGRESS_FILE
from d2c.shapes import ListedTables, LoadProgress, OperationKind, Progress, QueueEntry, QueueFile, TableEnd
from d2c.state import paths
from d2c.state.ids import (
    lane_instance_id,
    operation_name,
    second_run,
    stage_instance_id,
    unit_instance_id,
    unit_name,
)
from d2c.state.operations import migrating_kind
from d2c.state.queue import Claim, Lane, Queue, lanes_of
from d2c.state.table_states import TableState, named_tables, states_of_tables

# What is waited for on behalf of a unit, the latest first.
UNIT_JOBS = ("index", "second-load", "scale", "load", "prepare")


class Work(NamedTuple):
    """The work of a start or a retry.

    Args:
        migration: its id.
        operation: its number.
        kind: ``start`` or ``retry``.
        file: what its queue began with; None while its tables are not listed.
        queue: its queue; None likewise.
        tables: the state of each table of the migration.
    """

    migration: str
    operation: int
    kind: OperationKind
    file: QueueFile | None
    queue: Queue | None
    tables: Sequence[TableState]

    def claim(self, table: str) -> Claim | None:
        """Return what a table is part of, if a lane has it."""
        position = self.queue.positions.get(table) if self.queue else None
        return position.claim if position else None

    def instances(self, table: str) -> list[str]:
        """Return the ids of the orchestrations that may wait for something outside for a table, the latest first."""
        claim = self.claim(table)
        if claim is None:
            return []
        if claim.stage != "load":
            return [stage_instance_id(self.migration, self.operation, table, claim.stage)]
        return [self.unit_instance(claim, job) for job in UNIT_JOBS]

    def unit_instance(self, claim: Claim, job: str) -> str:
        """Return the id of the orchestration that waits for something of a unit, one of `UNIT_JOBS`."""
        return unit_instance_id(self.migration, self.operation, unit_name(claim.lane, claim.turn), job)

    def lanes(self) -> list[Lane]:
        """Return the lanes; none while the tables are not listed."""
        return lanes_of(self.file) if self.file else []

    def lane_instances(self, lanes: Sequence[Lane] | None = None) -> list[str]:
        """Return the ids of the orchestrations of lanes, of all if none are given."""
        return [
            lane_instance_id(self.migration, self.operation, lane.stage, lane.number)
            for lane in (self.lanes() if lanes is None else lanes)
        ]


class AtWork(NamedTuple):
    """What is at work for a table.

    Args:
        stage: the stage under way.
        progress: of the stage, at the last poll; None before the first.
        instance: the orchestration that waits for it.
        is_held: whether somebody has suspended that.
        file: in which the notebook that loads the table tells its progress.
    """

    stage: str
    progress: Progress | None
    instance: str
    is_held: bool
    file: str | None = None


async def read_work(lake: AsyncLake, migration: str, operation: int, plan: Mapping[str, Any]) -> Work:
    """Return the work of a start or a retry, by the lake.

    Args:
        lake: the lake.
        migration: its id.
        operation: the number of its last retry, or 0.
        plan: as it was accepted.
    """
    listed: ListedTables | None
    files = paths.MigrationFiles(migration)
    listed, file, log, ended = await asyncio.gather(
        lake.read_json(files.tables),
        lake.read_json(files.work(operation).queue),
        lake.read_log(files.work(operation).queue_log),
        lake.read_log(files.ended_tables),
    )
    tables = listed["tables"] if listed else named_tables(plan)
    return await in_thread(_work, migration, operation, tables, file, log, ended)


def _work(
    migration: str,
    operation: int,
    tables: Sequence[Mapping[str, Any]],
    file: QueueFile | None,
    log: Sequence[QueueEntry],
    ended: Sequence[TableEnd],
) -> Work:
    """Return the work by what the lake has of it; of 1,000 tables the logs have some 8,000 lines."""
    queue = Queue(file, log) if file else None
    states = states_of_tables(tables, operation, queue, ended)
    return Work(migration, operation, migrating_kind(operation), file, queue, states)


async def at_work(snapshot: Snapshot, work: Work, table: str) -> AtWork | None:
    """Return what is at work for a table; None if no lane has it.

    What a notebook does for it is in a file that it writes: `as_told` adds that.

    Args:
        snapshot: the migration's orchestrations.
        work: the operation's.
        table: the table.
    """
    claim = work.claim(table)
    if claim is None:
        return None
    instances = work.instances(table)
    status = await snapshot.status(*instances)
    if not status:
        stage = "prepare" if claim.stage == "load" else claim.stage
        return AtWork(stage, None, instances[-1], is_held=False)
    instance: str = status.instance_id
    is_held = durable.runtime_status(status) == "Suspended"
    if claim.stage != "load":
        return AtWork(claim.stage, status.custom_status, instance, is_held)
    job = UNIT_JOBS[instances.index(instance)]
    if job == "prepare":
        return AtWork("prepare", status.custom_status, instance, is_held)
    run = operation_name(work.kind, work.operation)
    files = paths.MigrationFiles(work.migration).table(table)
    of_index = f"{files.index_folder(run)}/{PROGRESS_FILE}"
    if job == "scale":
        return AtWork("load", {"is_waiting": True}, instance, is_held, of_index)
    if job == "index":
        return AtWork("index", None, instance, is_held, of_index)
    attempt = (status.custom_status or {}).get("attempt", 1)
    name, first = (second_run(run), "load") if job == "second-load" else (run, "assess")
    file = f"{files.load_folder(name, attempt)}/{PROGRESS_FILE}"
    return AtWork(first, {"attempt": attempt}, instance, is_held, file)


def as_told(now: AtWork, told: LoadProgress | None) -> AtWork:
    """Return what is at work for a table, by what its notebook has told of its progress, if it has.

    A table that waits for its container is before its load.
    """
    if told is None:
        return now
    counts = {name: value for name, value in told.items() if name != "stages"}
    progress = cast("Progress", {**(now.progress or {}), **counts})
    stage = "load" if told.get("is_waiting") else told["stages"][-1]["stage"]
    return now._replace(stage=stage, progress=progress)
