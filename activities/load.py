"""Stages assess, load and verify: one run of the notebook on Databricks, of a table alone or of several."""

import functools
import json
from collections.abc import Mapping
from typing import Any

import azure.durable_functions as df

from activities import shared_runs
from activities.outcome import outcome, refuse_if_cancelled
from d2c.app.cluster_settings import CONNECTOR
from d2c.app.settings import Settings
from d2c.clients.clients import Clients
from d2c.clients.databricks.jobs import NotebookRun
from d2c.deploy.wheel import wheel_path
from d2c.errors import PermanentError, RunFailedError
from d2c.load_run.progress import PROGRESS_FILE, RESULT_FILE
from d2c.load_run.request import REQUEST_FILE, STAGES, LoadRequest
from d2c.shapes import LoadInput, LoadResult, LoadScope, Look, Progress
from d2c.state.ids import run_key
from d2c.state.paths import cancel_path, load_folder

blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def start_load(clients: Clients, payload: LoadInput) -> int | str:
    """Write the load request to the lake and submit the notebook, or join the tables that share a run.

    The same run key gives the same run.
    """
    lake, folder = clients.lake, _folder(payload)
    _refuse_if_cancelled(clients, payload)
    lake.write(f"{folder}/{REQUEST_FILE}", _load_request(payload, clients.settings, folder).to_json())
    if shared_runs.is_shared(payload):
        return shared_runs.join(lake, payload)
    migration, table = payload["migration"], payload["table"]
    key = run_key(migration, table, _run_name(payload), payload["attempt"])
    return _submit(clients, f"d2c {migration} {table}", key, f"{folder}/{REQUEST_FILE}")


@blueprint.activity_trigger(input_name="payload")
@outcome
def look_at_load(clients: Clients, payload: LoadInput) -> Look[LoadResult]:
    """Look for the table's result in the lake; without one, look at the load run.

    A table whose result is there is done, whatever becomes of the run then: of several tables' run, or of a cluster
    that is lost before the notebook has ended.
    """
    _refuse_if_cancelled(clients, payload)
    lake, folder = clients.lake, _folder(payload)
    run_id = _find_run(clients, payload)
    if run_id is None:
        return {"state": "running", "progress": {"waits_for": shared_runs.awaited(lake, payload)}}
    run = clients.databricks.get_run(run_id)
    result = lake.read_json(f"{folder}/{RESULT_FILE}")
    if result is not None:
        if shared_runs.is_shared(payload):
            shared_runs.leave(lake, payload)
        return {"state": "succeeded", "result": _summary(result, f"{folder}/{RESULT_FILE}")}
    if not run.ended:
        return {"state": "running", "progress": _progress(lake.read(f"{folder}/{PROGRESS_FILE}"))}
    raise _why_no_result(run_id, run, folder)


@blueprint.activity_trigger(input_name="payload")
@outcome
def stop_load(clients: Clients, payload: LoadInput) -> None:
    """Ask the load run to stop. One that others share continues, unless the whole migration is cancelled."""
    lake = clients.lake
    if shared_runs.is_shared(payload):
        shared_runs.leave(lake, payload)
        flag = lake.read_json(cancel_path(payload["migration"]))
        concerns_all = flag is not None and flag.get("tables") is None
        if not concerns_all or not shared_runs.may_be_submitted(lake, payload):
            return
    # A worker that submitted a shared run may have died before it wrote the id: the run key finds the run.
    run_id = _find_run(clients, payload)
    if run_id is not None:
        clients.databricks.cancel_run(run_id)


def _refuse_if_cancelled(clients: Clients, payload: LoadInput) -> None:
    scope = payload.get("revisit")
    refuse_if_cancelled(clients.lake, payload["migration"], scope and scope["name"], payload["table"])


def _folder(payload: LoadInput) -> str:
    return load_folder(payload["migration"], payload["table"], payload["attempt"], _run_name(payload))


def _submit(clients: Clients, name: str, key: str, request_path: str) -> int:
    """Submit the notebook with the path of its request, and return the run's id."""
    settings = clients.settings
    return clients.databricks.start_run(
        name=name,
        run_key=key,
        notebook_path=settings.notebook_path,
        parameters={"request": settings.lake_path(request_path)},
        cluster=settings.cluster,
        libraries=[{"maven": {"coordinates": CONNECTOR}}, {"whl": wheel_path(settings.wheel_path)}],
    )


def _find_run(clients: Clients, payload: LoadInput) -> int | None:
    """Return the id of the table's load run; None while the tables that share it are not all there."""
    if shared_runs.is_shared(payload):
        submit = functools.partial(_submit, clients)
        return shared_runs.find_run(clients.lake, payload, clients.settings.lake_path, submit)
    return int(payload["run"])


def _why_no_result(run_id: int, run: NotebookRun, folder: str) -> PermanentError:
    """Return why a run has ended without a result for a table."""
    if run.cancelled:
        return PermanentError(f"Load run {run_id} was cancelled in Databricks.", "Retry the migration.")
    if run.succeeded:
        return PermanentError(
            f"Load run {run_id} ended without a result in the lake's {folder}.",
            "Check that the notebook in the workspace is the app's own version.",
        )
    kind = RunFailedError if run.healable else PermanentError
    return kind(
        f"Load run {run_id} failed: {run.message}",
        "See the run's output in Databricks; the documents written so far stay and are overwritten by a retry.",
    )


def _progress(content: bytes | None) -> Progress:
    """Return the notebook's own progress; a file that it writes at this moment may be empty or cut off."""
    try:
        progress: Progress = json.loads(content or b"{}")
    except ValueError:
        return {}
    return progress


def _summary(result: Mapping[str, Any], path: str) -> LoadResult:
    """Return what of a load run's result may enter orchestration history: nothing that grows with the table."""
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


def _load_request(payload: LoadInput, settings: Settings, folder: str) -> LoadRequest:
    source, limits = payload["source"], payload["limits"]
    scope: LoadScope = payload.get("revisit") or {
        "name": "load",
        "stages": STAGES,
        "rules_history": [payload["rules"]],
        "load_started_at": None,
        "documents_written": 0,
        "rejected_folder": None,
        "items_rejected": 0,
    }
    rejected_folder = scope["rejected_folder"]
    return LoadRequest(
        migration=payload["migration"],
        table=payload["table"],
        table_arn=source["arn"],
        export_arn=payload["export"]["arn"],
        stages=tuple(scope["stages"]),
        export_folder=settings.lake_path(payload["copy"]["folder"]),
        result_folder=settings.lake_path(folder),
        hash_key=source["hash_key"],
        range_key=source["range_key"],
        ttl_attribute=source["ttl_attribute"],
        rules_history=tuple(scope["rules_history"]),
        max_rejected_items=limits["max_rejected_items"],
        verify=payload["verify"],
        cosmos_endpoint=settings.cosmos_endpoint,
        cosmos_auth=settings.spark_cosmos_auth,
        secret_scope=settings.secret_scope,
        database=payload["database"],
        container=payload["container"],
        max_logical_partition_bytes=limits["max_logical_partition_bytes"],
        load_started_at=scope["load_started_at"],
        documents_written=scope["documents_written"],
        rejected_folder=settings.lake_path(rejected_folder) if rejected_folder else None,
        items_rejected=scope["items_rejected"],
    )


def _run_name(payload: LoadInput) -> str:
    scope = payload.get("revisit")
    return scope["name"] if scope else "load"
