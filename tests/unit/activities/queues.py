"""The queue of an operation as its activities find it in the lake."""

from typing import Any

from d2c.shapes import LaneStage, QueueEntry, TableInput
from d2c.state import paths
from d2c.state.queue import Queue
from tests.builders import a_queue, a_queued, a_table, some_caps

from .fakes import World


def some_tables(*names: str, **more: Any) -> list[TableInput]:
    """Return tables, each with a container of its own."""
    return [a_table(table=name, container=name.lower(), **more) for name in names]


def put_queue(
    world: World,
    *tables: TableInput,
    enters: LaneStage = "export",
    operation: int = 0,
    times: Any = None,
    **caps: Any,
) -> None:
    """Write the queue of an operation, and the file of each of its tables."""
    entries = [
        a_queued(
            table["table"],
            location=table["region"],
            container=f"{table['database']}/{table['container']}",
            size_bytes=table.get("size_bytes", 700),
            enters=enters,
        )
        for table in tables
    ]
    queue = a_queue(*entries, caps=some_caps(**caps), times=times or {})
    world.lake.write_json(paths.MigrationFiles("m").work(operation).queue, queue)
    for table in tables:
        path = paths.MigrationFiles("m").work(operation).table(table["table"])
        world.lake.write_json(path, {**table, "operation": operation})


def tell(world: World, *entries: QueueEntry, operation: int = 0) -> None:
    """Append lines to the log of a queue."""
    for entry in entries:
        world.lake.append(paths.MigrationFiles("m").work(operation).queue_log, entry)


def log_of(world: World, operation: int = 0) -> list[Any]:
    return world.lake.read_log(paths.MigrationFiles("m").work(operation).queue_log)


def queue_of(world: World, operation: int = 0) -> Queue:
    return Queue(
        world.lake.read_json(paths.MigrationFiles("m").work(operation).queue), log_of(world, operation)
    )


def ends_of(world: World, operation: int = 0) -> dict[str, str]:
    """Return the state of each table that has ended."""
    return {name: end.state for name, end in queue_of(world, operation).ends.items()}


def file_of(world: World, table: str = "Music", operation: int = 0) -> Any:
    return world.lake.read_json(paths.MigrationFiles("m").work(operation).table(table))


def record_of(world: World, table: str = "Music") -> Any:
    return world.lake.read_json(paths.MigrationFiles("m").table(table).record)
