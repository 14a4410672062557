"""What a migration left behind whose orchestrations ended early: it is stopped, put back, and told as ended."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import azure.durable_functions as df

from activities.copy import PIPELINES
from activities.outcome import outcome
from activities.prepare import put_back
from activities.shared_runs import REQUESTS_FILE
from d2c.app.settings import app_settings
from d2c.clients.azure.cosmos_management import connect_cosmos_management
from d2c.clients.azure.data_factory import connect_data_factory
from d2c.clients.azure.lake import Lake, connect_lake
from d2c.clients.databricks.jobs import connect_databricks
from d2c.errors import PermanentError
from d2c.load_run.request import REQUEST_FILE
from d2c.state import paths
from d2c.state.container_lock import take_to_put_back
from d2c.state.ids import attempts_of_retry, run_key

Json = dict[str, Any]
blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def stop_left_runs(payload: dict) -> Any:
    """Ask the copy runs and load runs of the tables that were left behind to stop; the result is how many still run."""
    settings = app_settings()
    lake = connect_lake(settings)
    left = _left(lake, payload)
    inputs = [_input(lake, payload["migration"], table) for table in left["tables"]]
    factory, databricks = connect_data_factory(settings), connect_databricks(settings)
    keys = {
        run_key(table["migration"], table["table"], "copy", attempt)
        for table in inputs
        for attempt in attempts_of_retry(table["round"])
    }
    since = datetime.fromisoformat(left["since"])
    active = factory.active_runs([*PIPELINES.values()], since=since) if inputs else {}
    copies = [run for run, key in active.items() if key in keys]
    requests = {settings.lake_path(path) for path in _request_paths(lake, inputs)}
    loading = databricks.active_runs() if inputs else {}
    loads = [run for run, asked in loading.items() if asked.get("request") in requests]
    for copy in copies:
        factory.cancel_run(copy)
    for load in loads:
        databricks.cancel_run(load)
    return len(copies) + len(loads)


@blueprint.activity_trigger(input_name="payload")
@outcome
def free_left_container(payload: dict) -> Any:
    """Put the throughput of a container back whose holder is no longer under way, and let others load it."""
    settings = app_settings()
    lake = connect_lake(settings)
    holder = _left(lake, payload)["containers"][payload["number"]]
    record = take_to_put_back(lake, holder["path"], holder)
    if record is None:
        return None
    after = None
    if "after_ru_per_second" in record:
        after = put_back(connect_cosmos_management(settings), record, record)
    lake.delete(holder["path"])
    return {"container": f"{record['database']}/{record['container']}", "after_ru_per_second": after}


@blueprint.activity_trigger(input_name="payload")
@outcome
def read_left_table(payload: dict) -> Any:
    """Return the record of a table that was left behind, as far as it is known; None if a retry has begun since."""
    lake = connect_lake(app_settings())
    left = _left(lake, payload)
    if _is_overtaken(lake, left):
        return None
    ended = left["tables"][payload["number"]]
    table = _input(lake, left["migration"], ended)
    found = {**table.pop("found", {}), **ended["found"]}
    told = {name: ended[name] for name in ("state", "error", "started_at")}
    seconds = (datetime.now(UTC) - datetime.fromisoformat(ended["started_at"])).total_seconds()
    # Only the stages' orchestration knew when each began; the last one stands for all.
    stage = {
        "stage": ended["error"]["stage"],
        "state": ended["state"],
        "started_at": ended["started_at"],
        "seconds": round(max(seconds, 0.0), 3),
    }
    return {**table, **found, **told, "stages": [stage]}


@blueprint.activity_trigger(input_name="payload")
@outcome
def read_left_migration(payload: dict) -> Any:
    """Return how a migration ended whose orchestration did not say so; None if it goes on, or a retry has begun."""
    lake = connect_lake(app_settings())
    left = _left(lake, payload)
    return None if _is_overtaken(lake, left) else left["ends"]


def _left(lake: Lake, payload: Json) -> Json:
    """Return what the watch found; the file is written before the clean-up is started."""
    path = paths.orphans_path(payload["migration"])
    left: Json | None = lake.read_json(path)
    if left is None:
        raise PermanentError(
            f"What migration {payload['migration']} left behind is no longer told by the lake's {path}.",
            "The watch looks again within minutes.",
        )
    return left


def _is_overtaken(lake: Lake, left: Json) -> bool:
    return lake.exists(paths.operation_path(left["migration"], "retry", left["round"] + 1))


def _input(lake: Lake, migration: str, left: Json) -> Json:
    """Return the input of a table's orchestration."""
    folder = paths.operation_folder(migration, left["round"])
    units = lake.read_json(paths.members_path(folder))["units"]
    number = next(number for number, names in enumerate(units) if left["table"] in names)
    unit = lake.read_json(paths.unit_path(folder, number))
    found: Json = next(table for table in unit["tables"] if table["table"] == left["table"])
    return found


def _request_paths(lake: Lake, tables: list[Json]) -> Iterator[str]:
    """Yield what the load runs were asked that nobody waits for: of a shared one, none of all its tables may do."""
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
