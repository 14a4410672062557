"""Clean up after orchestrations that ended early: stop their runs, put throughput back, record how tables ended."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import cast

import azure.durable_functions as df

from activities.copy_lane.runs import stop_copies_of
from activities.load import request_paths_of, stop_runs_of
from activities.outcome import outcome
from activities.table_end import end_table
from d2c.clients.azure.lake import Lake, needed_json
from d2c.clients.clients import Clients
from d2c.load_run.throughput.scaling import put_back
from d2c.shapes import (
    Described,
    FreedContainer,
    OperationRef,
    OrphanInput,
    OrphansFile,
    ReportInput,
    StageEntry,
)
from d2c.state import paths
from d2c.state.container_lock import take_to_put_back
from d2c.state.operations import last_migrating, migrating_kind
from d2c.state.queue import Queue

blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def stop_orphaned_runs(clients: Clients, payload: OrphanInput) -> int:
    """Ask the copy runs and load runs of orphaned tables to stop; the result is how many still run."""
    orphans = _orphans(clients.lake, payload)
    if not orphans["tables"]:
        return 0
    tables, since = (
        [table["table"] for table in orphans["tables"]],
        datetime.fromisoformat(str(orphans["since"])),
    )
    copies = stop_copies_of(clients, orphans, tables, since)
    return copies + stop_runs_of(clients, _request_paths(clients.lake, orphans))


def _request_paths(lake: Lake, orphans: OrphansFile) -> Iterator[str]:
    """Yield the requests of load runs that nothing waits for: all lanes have ended."""
    files = paths.MigrationFiles(orphans["migration"]).work(orphans["operation"])
    queue = Queue(lake.read_json(files.queue), lake.read_log(files.queue_log))
    for claim in queue.claims.values():
        if claim.stage == "load" and queue.held_by(claim):
            yield from request_paths_of(lake, orphans, claim)


@blueprint.activity_trigger(input_name="payload")
@outcome
def release_orphaned_container(clients: Clients, payload: OrphanInput) -> FreedContainer | None:
    """Put the throughput of a container back whose holder has ended, and let others load it."""
    lake = clients.lake
    holder = _orphans(lake, payload)["containers"][payload["number"]]
    record = take_to_put_back(lake, holder["path"], holder)
    if record is None:
        return None
    after, names = None, (record["database"], record["container"])
    if "after_ru_per_second" in record:
        after = put_back(clients.cosmos_management, *names, cast("Described", record))
    lake.delete(holder["path"])
    return {"container": "/".join(names), "after_ru_per_second": after}


@blueprint.activity_trigger(input_name="payload")
@outcome
def end_orphaned_table(clients: Clients, payload: OrphanInput) -> None:
    """Record how an orphaned table ended, as far as it is known; nothing if a retry has begun since."""
    orphans = _orphans(clients.lake, payload)
    if _is_overtaken(clients.lake, orphans):
        return
    orphan = orphans["tables"][payload["number"]]
    seconds = (datetime.now(UTC) - datetime.fromisoformat(orphan["started_at"])).total_seconds()
    # Only the lane knew when its stage began; this stage represents all.
    stage: StageEntry = {
        "stage": orphan["error"]["stage"],
        "state": orphan["state"],
        "started_at": orphan["started_at"],
        "seconds": round(max(seconds, 0.0), 3),
    }
    operation: OperationRef = {
        "migration": orphans["migration"],
        "operation": orphans["operation"],
        "kind": migrating_kind(orphans["operation"]),
    }
    end_table(clients, operation, orphan["table"], error=orphan["error"], stages=[stage])


@blueprint.activity_trigger(input_name="payload")
@outcome
def read_orphaned_migration(clients: Clients, payload: OrphanInput) -> ReportInput | None:
    """Return how an orphaned migration ended; None if it still runs, or a retry has begun."""
    orphans = _orphans(clients.lake, payload)
    if _is_overtaken(clients.lake, orphans) or orphans["ends"] is None:
        return None
    return {
        "migration": orphans["migration"],
        "operation": orphans["operation"],
        "kind": migrating_kind(orphans["operation"]),
        "error": orphans["ends"]["error"],
    }


def _orphans(lake: Lake, payload: OrphanInput) -> OrphansFile:
    """Return the list of orphans; the watchdog writes the file before it starts the clean-up."""
    orphans: OrphansFile = needed_json(
        lake,
        paths.MigrationFiles(payload["migration"]).orphans,
        f"The list of orphans for migration {payload['migration']} is missing from the lake",
        "The watchdog looks again within minutes.",
    )
    return orphans


def _is_overtaken(lake: Lake, orphans: OrphansFile) -> bool:
    return last_migrating(lake, orphans["migration"]) != orphans["operation"]
