"""Stages assess, load and verify: one run of the notebook on Databricks for all tables of a unit."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import azure.durable_functions as df

from activities.outcome import outcome
from activities.table_end import end_table
from activities.unit import for_each, open_tables
from d2c.app.settings import Settings
from d2c.app.threads import side_by_side
from d2c.clients.azure.lake import Lake
from d2c.clients.azure.refusals import LACKS_DATA_ROLE
from d2c.clients.clients import Clients
from d2c.clients.databricks.jobs import NotebookRun
from d2c.deploy.kernel_wheel import fitting_kernel
from d2c.deploy.wheel import wheel_path
from d2c.errors import PermanentError, RunFailedError
from d2c.load_run.progress import RESULT_FILE
from d2c.load_run.request import REQUEST_FILE, STAGES, LoadRequest, RequestList
from d2c.load_run.told.result import read_result
from d2c.shapes import LaneInput, LoadResult, LoadScope, Look, TableInput
from d2c.state import paths
from d2c.state.ids import RUNS_AT_MOST, operation_name, run_key, run_key_name, unit_name
from d2c.state.queue import Claim
from d2c.state.table_files import keep, read_table, with_stages

REQUESTS_AT_ONCE = 16
GRANT_SPARK = (
    "Grant the identity with which Spark reaches the lake its role there (docs/install/permissions.md), then retry the "
    "migration."
)
blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def start_load(clients: Clients, payload: LaneInput) -> int:
    """Write the load requests of a unit's tables to the lake and submit the notebook; the result is the run's id.

    The same run key gives the same run. Its tables are those that have no result yet when the list is written, which
    happens once: a try that is repeated submits the same list.
    """
    lake, settings = clients.lake, clients.settings
    # An earlier try may have listed a table that is cancelled by now.
    names = for_each(
        clients,
        payload,
        open_tables(lake, payload),
        "assess",
        lambda table: False,
        stop=lambda name: _leave(lake, payload, name),
    )
    if not names:
        # The lane was lost meanwhile, and with it they ended.
        raise PermanentError("All tables of the load run have ended.", "Retry those that failed.")
    unit, attempt = unit_name(payload["lane"], payload["turn"]), payload["attempt"]
    path = paths.unit_requests_path(payload["migration"], payload["operation"], unit, attempt)
    if not lake.exists(path):
        lake.create(path, _requests(clients, payload, names).to_json())
    key = run_key(payload, run_key_name(unit), "load", attempt)
    return clients.databricks.start_run(
        name=_run_name(payload, names),
        run_key=key,
        notebook_path=settings.notebook_path,
        parameters={"request": settings.lake_path(path)},
        cluster=settings.cluster,
        libraries=_libraries(settings),
        timeout_seconds=settings.load_runs.timeout_seconds,
        viewers=settings.load_runs.viewers,
    )


def _libraries(settings: Settings) -> list[dict[str, Any]]:
    """Return what the cluster installs: the connector, this version's wheel, and the native kernel if one fits."""
    wheels = wheel_path(settings.wheel_path), fitting_kernel(settings.wheel_path, settings.cluster)
    connector = {"maven": {"coordinates": settings.load_runs.connector}}
    return [connector, *({"whl": path} for path in wheels if path)]


def _run_name(payload: LaneInput, names: Sequence[str]) -> str:
    """Return the name by which people find the run in Databricks."""
    others = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"d2c {payload['migration']} {names[0]}{others}"


def _requests(clients: Clients, payload: LaneInput, names: Sequence[str]) -> RequestList:
    """Write the request of each table, and return the list of them; the log of the unit is there from now on."""
    lake, settings = clients.lake, clients.settings
    log = paths.unit_log_path(
        payload["migration"], payload["operation"], unit_name(payload["lane"], payload["turn"])
    )
    lake.create_log(log)

    def write(name: str) -> str:
        table = read_table(lake, payload["migration"], payload["operation"], name)
        folder = load_folder_of(payload, name)
        path = f"{folder}/{REQUEST_FILE}"
        lake.write(path, _load_request(table, settings, folder).to_json())
        return settings.lake_path(path)

    paths_of_requests = side_by_side(write, names, at_once=REQUESTS_AT_ONCE)
    return RequestList(requests=tuple(paths_of_requests), log=settings.lake_path(log))


def load_folder_of(payload: LaneInput, table: str) -> str:
    """Return the folder of a table's request and results in the load run of a unit."""
    run = operation_name(payload["kind"], payload["operation"])
    return paths.load_folder(payload["migration"], table, run, payload["attempt"])


@blueprint.activity_trigger(input_name="payload")
@outcome
def look_at_load(clients: Clients, payload: LaneInput) -> Look[int]:
    """Look for the results of a unit's tables in the lake, and end each table that has one; then look at the run.

    A table whose result is there is done, whatever becomes of the run then: the cluster may be lost before the notebook
    has ended.
    """
    names = open_tables(clients.lake, payload)
    if not names:
        return {"state": "succeeded", "result": 0}
    # The run comes first: what it has written by the time of its end is read afterwards.
    run = clients.databricks.get_run(payload["run"])
    open_names = for_each(
        clients,
        payload,
        names,
        "load",
        lambda table: _end_if_done(clients, payload, table),
        stop=lambda name: _leave(clients.lake, payload, name),
    )
    if not open_names:
        return {"state": "succeeded", "result": 0}
    if not run.ended:
        return {
            "state": "running",
            "progress": {"attempt": payload["attempt"], "tables": len(open_names)},
        }
    raise _why_no_result(payload["run"], run, open_names)


def _end_if_done(clients: Clients, payload: LaneInput, table: TableInput) -> bool:
    """End a table whose result is in the lake; return whether it was there."""
    path = f"{load_folder_of(payload, table['table'])}/{RESULT_FILE}"
    result = read_result(clients.lake.read, path)
    if result is None:
        return False
    load = _summary(result, path)
    table = keep(clients.lake, table, load=load, stages=with_stages(table, *load["stages"]))
    end_table(clients, payload, table["table"], error=load["error"])
    return True


def _leave(lake: Lake, payload: LaneInput, name: str) -> None:
    """Let the run go on without a table; what it is loading at this moment it loads to its end."""
    unit = unit_name(payload["lane"], payload["turn"])
    lake.append(paths.unit_log_path(payload["migration"], payload["operation"], unit), {"table": name})


@blueprint.activity_trigger(input_name="payload")
@outcome
def stop_load(clients: Clients, payload: LaneInput) -> None:
    """Ask the load run to stop."""
    clients.databricks.cancel_run(payload["run"])


def stop_runs_of(clients: Clients, request_paths: Iterable[str]) -> int:
    """Ask the load runs of these lists of requests to stop; the result is how many there are."""
    requests = {clients.settings.lake_path(path) for path in request_paths}
    databricks = clients.databricks
    active = databricks.active_runs()
    runs = [run for run, parameters in active.items() if parameters.get("request") in requests]
    for run in runs:
        databricks.cancel_run(run)
    return len(runs)


def request_paths_of(payload: Mapping[str, Any], claim: Claim) -> list[str]:
    """Return the lists of requests of the load runs of what a lane took, of all attempts."""
    unit = unit_name(claim.lane, claim.turn)
    return [
        paths.unit_requests_path(payload["migration"], payload["operation"], unit, attempt)
        for attempt in range(1, RUNS_AT_MOST + 1)
    ]


def _why_no_result(run_id: int, run: NotebookRun, names: Sequence[str]) -> PermanentError:
    """Return why a run has ended without results for tables."""
    if run.cancelled:
        return PermanentError(f"Load run {run_id} was cancelled in Databricks.", "Retry the migration.")
    if run.succeeded:
        return PermanentError(
            f"Load run {run_id} ended without a result for {len(names)} of its tables, {names[0]} among them.",
            "Check that the notebook in the workspace is the app's own version.",
        )
    kind = RunFailedError if run.healable else PermanentError
    if LACKS_DATA_ROLE in run.message:
        return PermanentError(f"Load run {run_id} failed: {run.message}", GRANT_SPARK)
    return kind(
        f"Load run {run_id} failed: {run.message}",
        "See the run's output in Databricks; the documents written so far stay and are overwritten by a retry.",
    )


def _summary(result: Mapping[str, Any], path: str) -> LoadResult:
    """Return what of a load run's result belongs into a record: nothing that grows with the table."""
    return {
        "state": result["state"],
        "error": result.get("error"),
        "stages": result.get("stages") or [],
        "files": result.get("files"),
        "assessed": result.get("assessed"),
        "loaded": result.get("loaded"),
        "replayed": result.get("replayed"),
        "load_started_at": result.get("load_started_at"),
        "verification": result.get("verification"),
        "result_path": path,
    }


def _load_request(table: TableInput, settings: Settings, folder: str) -> LoadRequest:
    source, limits = table["source"], table["limits"]
    scope: LoadScope = table.get("scope") or {
        "stages": STAGES,
        "rules_history": [table["rules"]],
        "load_started_at": None,
        "documents_written": 0,
        "rejected_folder": None,
        "items_rejected": 0,
    }
    rejected_folder = scope["rejected_folder"]
    return LoadRequest(
        migration=table["migration"],
        table=table["table"],
        table_arn=source["arn"],
        export_arn=table["export"]["arn"],
        stages=tuple(scope["stages"]),
        export_folder=settings.lake_path(table["copy"]["folder"]),
        result_folder=settings.lake_path(folder),
        hash_key=source["hash_key"],
        range_key=source["range_key"],
        ttl_attribute=source["ttl_attribute"],
        rules_history=tuple(scope["rules_history"]),
        max_rejected_items=limits["max_rejected_items"],
        verify=table["verify"],
        cosmos_endpoint=settings.cosmos_endpoint,
        cosmos_auth=settings.spark_cosmos_auth,
        secret_scope=settings.secret_scope,
        database=table["database"],
        container=table["container"],
        max_logical_partition_bytes=limits["max_logical_partition_bytes"],
        verify_reads_with=settings.load_runs.verify_reads_with,
        load_started_at=scope["load_started_at"],
        documents_written=scope["documents_written"],
        rejected_folder=settings.lake_path(rejected_folder) if rejected_folder else None,
        items_rejected=scope["items_rejected"],
    )
