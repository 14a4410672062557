"""Stages assess, load and verify: one run of the notebook on Databricks, of a table alone or of several."""

import json
from typing import Any

import azure.durable_functions as df

from activities import shared_runs
from activities.outcome import outcome, refuse_if_cancelled
from d2c.app.cluster_settings import CONNECTOR
from d2c.app.settings import Settings, app_settings
from d2c.clients.azure.lake import Lake, connect_lake
from d2c.clients.databricks.jobs import NotebookRun, connect_databricks
from d2c.deploy.wheel import wheel_path
from d2c.errors import PermanentError, RunFailedError
from d2c.load_run.progress import PROGRESS_FILE, RESULT_FILE
from d2c.load_run.request import REQUEST_FILE, STAGES, LoadRequest
from d2c.state.ids import run_key
from d2c.state.paths import cancel_path, load_folder

blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def start_load(payload: dict) -> Any:
    """Write the load request to the lake and submit the notebook, or join the tables that share a run.

    The same run key gives the same run.
    """
    _refuse_if_cancelled(payload)
    settings = app_settings()
    lake, folder = connect_lake(settings), _folder(payload)
    lake.write(f"{folder}/{REQUEST_FILE}", _load_request(payload, settings, folder).to_json())
    if shared_runs.is_shared(payload):
        return shared_runs.join(lake, payload)
    migration, table = payload["migration"], payload["table"]
    key = run_key(migration, table, _run_name(payload), payload["attempt"])
    return _submit(f"d2c {migration} {table}", key, f"{folder}/{REQUEST_FILE}")


@blueprint.activity_trigger(input_name="payload")
@outcome
def look_at_load(payload: dict) -> Any:
    """Look at what the load run found, and how it stands as long as it has found nothing for this table.

    A table whose result is there is done, whatever becomes of the run then: of several tables' run, or of a cluster
    that is lost before the notebook has ended.
    """
    _refuse_if_cancelled(payload)
    settings = app_settings()
    lake, folder = connect_lake(settings), _folder(payload)
    run_id = _find_run(lake, payload)
    if run_id is None:
        return {"state": "running", "progress": {"waits_for": shared_runs.awaited(lake, payload)}}
    run = connect_databricks(settings).get_run(run_id)
    result = lake.read_json(f"{folder}/{RESULT_FILE}")
    if result is not None:
        if shared_runs.is_shared(payload):
            shared_runs.leave(lake, payload)
        found = {**_summary(result), "result_path": f"{folder}/{RESULT_FILE}"}
        return {"state": "succeeded", "result": found}
    if not run.ended:
        return {"state": "running", "progress": _progress(lake.read(f"{folder}/{PROGRESS_FILE}"))}
    raise _why_no_result(run_id, run, folder)


@blueprint.activity_trigger(input_name="payload")
@outcome
def stop_load(payload: dict) -> Any:
    """Ask the load run to stop. One that others share goes on, unless the whole migration is cancelled."""
    settings = app_settings()
    lake = connect_lake(settings)
    if shared_runs.is_shared(payload):
        shared_runs.leave(lake, payload)
        mark = lake.read_json(cancel_path(payload["migration"]))
        concerns_all = mark is not None and mark.get("tables") is None
        if not concerns_all or not shared_runs.may_be_submitted(lake, payload):
            return
    # Who was about to submit a shared run may have done so without leaving its id: the run key tells it.
    run_id = _find_run(lake, payload)
    if run_id is not None:
        connect_databricks(settings).cancel_run(run_id)


def _refuse_if_cancelled(payload: dict[str, Any]) -> None:
    refuse_if_cancelled(payload["migration"], _revisit(payload).get("name"), payload["table"])


def _folder(payload: dict[str, Any]) -> str:
    return load_folder(payload["migration"], payload["table"], payload["attempt"], _run_name(payload))


def _submit(name: str, key: str, request_path: str) -> int:
    """Submit the notebook with the path of what it is asked, and return the run's id."""
    settings = app_settings()
    return connect_databricks(settings).start_run(
        name=name,
        run_key=key,
        notebook_path=settings.notebook_path,
        parameters={"request": settings.lake_path(request_path)},
        cluster=settings.cluster,
        libraries=[{"maven": {"coordinates": CONNECTOR}}, {"whl": wheel_path(settings.wheel_path)}],
    )


def _find_run(lake: Lake, payload: dict[str, Any]) -> int | None:
    """Return the id of the table's load run; None while the tables that share it are not all there."""
    if shared_runs.is_shared(payload):
        return shared_runs.find_run(lake, payload, app_settings().lake_path, _submit)
    run: int = payload["run"]
    return run


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


def _progress(content: bytes | None) -> Any:
    """Return what the notebook says of its progress; a file that it writes at this moment may be empty or cut off."""
    try:
        return json.loads(content or b"{}")
    except ValueError:
        return {}


def _summary(result: dict[str, Any]) -> dict[str, Any]:
    """Return what of a load run's result may enter orchestration history: nothing that grows with the table."""
    kept = (
        "state",
        "error",
        "stages",
        "files",
        "assessed",
        "loaded",
        "replayed",
        "load_started_at",
        "verification",
    )
    return {name: result.get(name) for name in kept}


def _load_request(payload: dict[str, Any], settings: Settings, folder: str) -> LoadRequest:
    source, revisit = payload["source"], _revisit(payload)
    rejected_folder = revisit.get("rejected_folder")
    return LoadRequest(
        migration=payload["migration"],
        table=payload["table"],
        table_arn=source["arn"],
        export_arn=payload["export"]["arn"],
        stages=tuple(revisit.get("stages", STAGES)),
        export_folder=settings.lake_path(payload["copy"]["folder"]),
        result_folder=settings.lake_path(folder),
        hash_key=source["hash_key"],
        range_key=source["range_key"],
        ttl_attribute=source["ttl_attribute"],
        rules_history=tuple(revisit.get("rules_history", [payload["rules"]])),
        max_rejected_items=payload["limits"]["max_rejected_items"],
        verify=payload["verify"],
        cosmos_endpoint=settings.cosmos_endpoint,
        cosmos_auth=settings.spark_cosmos_auth,
        secret_scope=settings.secret_scope,
        database=payload["database"],
        container=payload["container"],
        max_logical_partition_bytes=payload["limits"]["max_logical_partition_bytes"],
        load_started_at=revisit.get("load_started_at"),
        documents_written=revisit.get("documents_written", 0),
        rejected_folder=settings.lake_path(rejected_folder) if rejected_folder else None,
        items_rejected=revisit.get("items_rejected", 0),
    )


def _revisit(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the revisit that a load run is part of (see `d2c.state.table_record.run_payload`), or nothing."""
    revisit: dict[str, Any] = payload.get("revisit", {})
    return revisit


def _run_name(payload: dict[str, Any]) -> str:
    return str(_revisit(payload).get("name", "load"))
