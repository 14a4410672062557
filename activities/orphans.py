"""Clean up after orchestrations that ended early: stop their runs, put throughput back, record how tables ended."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import cast

import azure.durable_functions as df

from activities.copy import PIPELINES
from activities.outcome import outcome
from activities.shared_runs import REQUESTS_FILE
from d2c.clients.azure.lake import Lake
from d2c.clients.clients import Clients
from d2c.errors import PermanentError
from d2c.load_run.request import REQUEST_FILE
from d2c.load_run.throughput import put_back
from d2c.shapes import (
    Described,
    Findings,
    FreedContainer,
    Members,
    MigrationEnd,
    OrphanedTable,
    OrphanInput,
    OrphansFile,
    StageEntry,
    TableInput,
    TableOutcome,
    Unit,
)
from d2c.state import paths
from d2c.state.container_lock import take_to_put_back
from d2c.state.ids import attempts_of_retry, run_key

blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def stop_left_runs(clients: Clients, payload: OrphanInput) -> int:
    """Ask the copy runs and load runs of orphaned tables to stop; the result is how many still run."""
    orphans = _orphans(clients.lake, payload)
    tables = [_input(clients.lake, payload["migration"], table) for table in orphans["tables"]]
    if not tables:
        return 0
    return _stop_copies(clients, tables, str(orphans["since"])) + _stop_loads(clients, tables)


def _stop_copies(clients: Clients, tables: list[TableInput], since: str) -> int:
    """Ask the tables' copy runs to stop; the result is how many there are."""
    keys = {
        run_key(table["migration"], table["table"], "copy", attempt)
        for table in tables
        for attempt in attempts_of_retry(table["round"])
    }
    factory = clients.data_factory
    active = factory.active_runs([*PIPELINES.values()], since=datetime.fromisoformat(since))
    runs = [run for run, key in active.items() if key in keys]
    for run in runs:
        factory.cancel_run(run)
    return len(runs)


def _stop_loads(clients: Clients, tables: list[TableInput]) -> int:
    """Ask the tables' load runs to stop; the result is how many there are."""
    requests = {clients.settings.lake_path(path) for path in _request_paths(clients.lake, tables)}
    databricks = clients.databricks
    active = databricks.active_runs()
    runs = [run for run, parameters in active.items() if parameters.get("request") in requests]
    for run in runs:
        databricks.cancel_run(run)
    return len(runs)


@blueprint.activity_trigger(input_name="payload")
@outcome
def free_left_container(clients: Clients, payload: OrphanInput) -> FreedContainer | None:
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
def read_left_table(clients: Clients, payload: OrphanInput) -> TableOutcome | None:
    """Return the record of an orphaned table, as far as it is known; None if a retry has begun since."""
    orphans = _orphans(clients.lake, payload)
    if _is_overtaken(clients.lake, orphans):
        return None
    orphan = orphans["tables"][payload["number"]]
    table = _input(clients.lake, orphans["migration"], orphan)
    seconds = (datetime.now(UTC) - datetime.fromisoformat(orphan["started_at"])).total_seconds()
    # Only the stages' orchestration knew when each began; the last one stands for all.
    stage: StageEntry = {
        "stage": orphan["error"]["stage"],
        "state": orphan["state"],
        "started_at": orphan["started_at"],
        "seconds": round(max(seconds, 0.0), 3),
    }
    findings: Findings = {**table.pop("found", {}), **orphan["found"]}
    ended: TableOutcome = {
        **table,
        **findings,
        "state": orphan["state"],
        "error": orphan["error"],
        "started_at": orphan["started_at"],
        "stages": [stage],
    }
    return ended


@blueprint.activity_trigger(input_name="payload")
@outcome
def read_left_migration(clients: Clients, payload: OrphanInput) -> MigrationEnd | None:
    """Return how an orphaned migration ended; None if it goes on, or a retry has begun."""
    orphans = _orphans(clients.lake, payload)
    return None if _is_overtaken(clients.lake, orphans) else orphans["ends"]


def _orphans(lake: Lake, payload: OrphanInput) -> OrphansFile:
    """Return the list of orphans; the watchdog writes the file before it starts the clean-up."""
    path = paths.orphans_path(payload["migration"])
    orphans: OrphansFile | None = lake.read_json(path)
    if orphans is None:
        raise PermanentError(
            f"The list of orphans for migration {payload['migration']} is missing from the lake: {path}.",
            "The watchdog looks again within minutes.",
        )
    return orphans


def _is_overtaken(lake: Lake, orphans: OrphansFile) -> bool:
    return lake.exists(paths.operation_path(orphans["migration"], "retry", orphans["round"] + 1))


def _input(lake: Lake, migration: str, orphan: OrphanedTable) -> TableInput:
    """Return the input of a table's orchestration."""
    folder = paths.operation_folder(migration, orphan["round"])
    members: Members = lake.read_json(paths.members_path(folder))
    number = next(number for number, names in enumerate(members["units"]) if orphan["table"] in names)
    unit: Unit = lake.read_json(paths.unit_path(folder, number))
    return next(table for table in unit["tables"] if table["table"] == orphan["table"])


def _request_paths(lake: Lake, tables: list[TableInput]) -> Iterator[str]:
    """Yield the requests of load runs that nothing waits for: a shared one only if all its tables have ended."""
    migrations = {table["migration"] for table in tables}
    ended = {
        (migration, line["table"], line["round"])
        for migration in migrations
        for line in lake.read_log(paths.ended_tables_path(migration))
    }
    gone = ended | {(table["migration"], table["table"], table["round"]) for table in tables}
    for table in tables:
        migration, number, group = table["migration"], table["round"], table.get("load_group")
        for attempt in attempts_of_retry(number):
            if not group:
                yield f"{paths.load_folder(migration, table['table'], attempt)}/{REQUEST_FILE}"
            elif all((migration, member, number) in gone for member in group["tables"]):
                yield f"{paths.load_group_folder(migration, group['id'], attempt)}/{REQUESTS_FILE}"
