"""Stages assess, load and verify: one run of the notebook on Databricks for all tables of a unit."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import azure.durable_functions as df

from activities.load_lane.load_table import (
    done_groups_prefix_of,
    is_left_out,
    leave,
    load_folder_of,
    load_request,
    look_at_table,
    paced,
)
from activities.load_lane.news import RunNews
from activities.outcome import outcome
from activities.unit import for_each, open_tables
from d2c.app.cluster_size import sized_cluster
from d2c.app.settings import Settings
from d2c.app.threads import side_by_side
from d2c.clients.azure.lake import Lake
from d2c.clients.azure.refusals import LACKS_DATA_ROLE
from d2c.clients.clients import Clients
from d2c.clients.databricks.jobs import NotebookRun
from d2c.deploy.kernel_wheel import fitting_kernel
from d2c.deploy.wheel import wheel_path
from d2c.errors import PermanentError, RunFailedError
from d2c.load_run.request import REQUEST_FILE, RequestList
from d2c.load_run.unit.handover import LONGEST_LOOK_SECONDS
from d2c.shapes import LaneInput, Look, Progress, TableInput
from d2c.shapes.operations import MIGRATING
from d2c.state import paths
from d2c.state.ids import load_name, run_key, run_key_name, unit_name
from d2c.state.queue import Claim

REQUESTS_AT_ONCE = 16
MOST_ATTEMPTS = 1_000
# Of a unit whose tables are all loaded, and wait for their indexes.
NO_RUN = -1
SHORTEST_LOOK_SECONDS = 1.0
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
    kept: dict[str, TableInput] = {}

    def is_out(table: TableInput) -> bool:
        # As its file is from now on.
        kept[table["table"]] = {**table, "is_let_go": True} if payload.get("is_second_run") else table
        return is_left_out(lake, payload, table)

    # An earlier try may have listed a table that is cancelled by now.
    names = for_each(
        clients,
        payload,
        open_tables(lake, payload),
        "load" if payload.get("is_second_run") else "assess",
        is_out,
        stop=lambda name: leave(lake, payload, name),
    )
    if not names and open_tables(lake, payload):
        return NO_RUN
    if not names:
        # The lane was lost meanwhile, and with it they ended.
        raise PermanentError("All tables of the load run have ended.", "Retry those that failed.")
    tables = [kept[name] for name in names]
    unit, attempt = load_name(payload), payload["attempt"]
    path = paths.MigrationFiles(payload["migration"]).work(payload["operation"]).unit_requests(unit, attempt)
    if not lake.exists(path):
        lake.create(path, _requests(clients, payload, tables).to_json())
    key = run_key(payload, run_key_name(unit), "load", attempt)
    return clients.databricks.start_run(
        name=_run_name(payload, names),
        run_key=key,
        notebook_path=settings.notebook_path,
        parameters={"request": settings.lake_path(path)},
        cluster=_cluster(settings, payload, tables),
        libraries=_libraries(settings),
        timeout_seconds=settings.load_runs.timeout_seconds,
        viewers=settings.load_runs.viewers,
    )


def _cluster(settings: Settings, payload: LaneInput, tables: Sequence[TableInput]) -> Mapping[str, Any]:
    """Return the cluster of a load run, with the workers that the RU/s of its tables' loads need.

    One that only reads, or that writes to containers without RU/s of their own, may be as large as the settings say.
    """
    peaks = dict(map(_peak, tables))
    known = [peak for peak in peaks.values() if peak is not None]
    if payload["kind"] not in MIGRATING or len(known) < len(peaks):
        return settings.cluster
    return sized_cluster(settings.cluster, sum(known), settings.prices.assumed("cores_per_node"))


def _peak(table: TableInput) -> tuple[tuple[str, str], int | None]:
    """Return the RU/s of a table's load, and what has them: the table alone, or all of its database that share them."""
    described = table.get("described")
    if described and "shared" in described:
        return ("database", table["database"]), described["shared"]["ru_per_second"]
    return ("table", table["table"]), described["peak_ru_per_second"] if described else None


def _libraries(settings: Settings) -> list[dict[str, Any]]:
    """Return what the cluster installs: the connector, this version's wheel, and the native kernel if one fits."""
    wheels = wheel_path(settings.wheel_path), fitting_kernel(settings.wheel_path, settings.cluster)
    connector = {"maven": {"coordinates": settings.load_runs.connector}}
    return [connector, *({"whl": path} for path in wheels if path)]


def _run_name(payload: LaneInput, names: Sequence[str]) -> str:
    """Return the name by which people find the run in Databricks."""
    others = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"d2c {payload['migration']} {names[0]}{others}"


def _requests(clients: Clients, payload: LaneInput, tables: Sequence[TableInput]) -> RequestList:
    """Write the request of each table, and return the list of them; the log of the unit is there from now on."""
    lake, settings = clients.lake, clients.settings
    log = (
        paths.MigrationFiles(payload["migration"])
        .work(payload["operation"])
        .unit_log(unit_name(payload["lane"], payload["turn"]))
    )
    lake.create_log(log)

    def write(table: TableInput) -> str:
        table = paced(clients, payload, table)
        folder = load_folder_of(payload, table["table"])
        path = f"{folder}/{REQUEST_FILE}"
        lake.write(path, load_request(table, settings, folder, payload).to_json())
        return settings.lake_path(path)

    paths_of_requests = side_by_side(write, tables, at_once=REQUESTS_AT_ONCE)
    return RequestList(requests=tuple(paths_of_requests), log=settings.lake_path(log))


@blueprint.activity_trigger(input_name="payload")
@outcome
def look_at_load(clients: Clients, payload: LaneInput) -> Look[int]:
    """Look for what a load run has written about a unit's tables; then look at the run.

    A table whose result is there ends, whatever becomes of the run then: the cluster may be lost before the notebook
    has ended. One that has been assessed gets its container, and is let go. The result is how many tables a second run
    has to load, since their containers took longer than a cluster waits, and how many are loaded and wait for indexes.
    """
    names = open_tables(clients.lake, payload)
    if not names:
        return {"state": "succeeded", "result": 0}
    # The run comes first: what it has written by the time of its end is read afterwards.
    run = clients.databricks.get_run(payload["run"]) if payload["run"] != NO_RUN else None
    waiting: list[str] = []
    news = RunNews(clients.lake, payload, waiting)
    open_names = for_each(
        clients,
        payload,
        names,
        "load",
        lambda table: look_at_table(clients, payload, table, news.let_go, waiting),
        stop=lambda name: leave(clients.lake, payload, name),
        has_news=lambda name: run is None or run.ended or news.is_there(name),
    )
    if not open_names or run is None:
        return {"state": "succeeded", "result": len(open_tables(clients.lake, payload))}
    if not run.ended:
        return _running(payload, len(open_names), is_waited_for=bool(waiting))
    raise _why_no_result(payload["run"], run, open_names, _has_progressed(clients.lake, payload, open_names))


def _has_progressed(lake: Lake, payload: LaneInput, names: Sequence[str]) -> bool:
    """Return whether a run has brought tables to their end, or has done some data files of one that is still open."""
    requests = lake.read_json(
        paths.MigrationFiles(payload["migration"])
        .work(payload["operation"])
        .unit_requests(load_name(payload), payload["attempt"])
    )
    if len((requests or {}).get("requests", ())) > len(names):
        return True
    return any(lake.paths_after(done_groups_prefix_of(payload, name), None, 1) for name in names)


def _running(payload: LaneInput, tables: int, *, is_waited_for: bool) -> Look[int]:
    """Return what a run shows that has not ended; the cluster is paid for while it waits for the next look."""
    progress: Progress = {"attempt": payload["attempt"], "tables": tables}
    if not is_waited_for:
        return {"state": "running", "progress": progress}
    within = min(max(payload["waits"]["first_seconds"], SHORTEST_LOOK_SECONDS), LONGEST_LOOK_SECONDS)
    return {"state": "running", "progress": progress, "look_again_within_seconds": within}


@blueprint.activity_trigger(input_name="payload")
@outcome
def stop_load(clients: Clients, payload: LaneInput) -> None:
    """Ask the load run to stop."""
    if payload["run"] != NO_RUN:
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


def request_paths_of(lake: Lake, payload: Mapping[str, Any], claim: Claim) -> list[str]:
    """Return the lists of requests of the load runs of what a lane took, of both runs and all attempts."""
    unit = unit_name(claim.lane, claim.turn)
    prefix = paths.MigrationFiles(payload["migration"]).work(payload["operation"]).unit_requests_prefix(unit)
    return lake.paths_after(prefix, None, MOST_ATTEMPTS)


def _why_no_result(run_id: int, run: NotebookRun, names: Sequence[str], progressed: bool) -> PermanentError:
    """Return why a run has ended without results for tables."""
    if run.cancelled:
        return PermanentError(f"Load run {run_id} was cancelled in Databricks.", "Retry the migration.")
    if run.succeeded:
        return PermanentError(
            f"Load run {run_id} ended without a result for {len(names)} of its tables, {names[0]} among them.",
            "Check that the notebook in the workspace is the app's own version.",
        )
    text = f"Load run {run_id} failed: {run.message}"
    if LACKS_DATA_ROLE in run.message:
        return PermanentError(text, GRANT_SPARK)
    next_step = "See the run's output in Databricks; the documents written so far stay and are overwritten by a retry."
    if run.healable:
        return RunFailedError(text, next_step, progressed=progressed)
    return PermanentError(text, next_step)
