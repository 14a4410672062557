"""Stages assess, load and verify: one run of the notebook on Databricks."""

import json
from typing import Any

import azure.durable_functions as df

from activities.outcome import outcome, refuse_if_cancelled
from d2c.clients.databricks import connect_databricks
from d2c.clients.lake import connect_lake
from d2c.errors import RunFailedError, StageError
from d2c.lake_paths import load_folder
from d2c.load_run.journal import PROGRESS_FILE, RESULT_FILE
from d2c.load_run.request import STAGES, LoadRequest
from d2c.run_keys import run_key
from d2c.settings import Settings, app_settings

REQUEST_FILE = "request.json"
# For Databricks Runtime 17.3 LTS: Spark 4.0, Scala 2.13.
CONNECTOR = "com.azure.cosmos.spark:azure-cosmos-spark_4-0_2-13:4.46.0"
blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def start_load(payload: dict) -> Any:
    """Write the load request to the lake and submit the notebook; the same run key gives the same run."""
    refuse_if_cancelled(payload["migration"], _revisit(payload).get("name"))
    settings = app_settings()
    folder = load_folder(payload["migration"], payload["table"], payload["attempt"], _run_name(payload))
    connect_lake(settings).write(
        f"{folder}/{REQUEST_FILE}", _load_request(payload, settings, folder).to_json()
    )
    return connect_databricks(settings).start_run(
        name=f"d2c {payload['migration']} {payload['table']}",
        run_key=run_key(payload["migration"], payload["table"], _run_name(payload), payload["attempt"]),
        notebook_path=settings.notebook_path,
        parameters={"request": settings.lake_path(f"{folder}/{REQUEST_FILE}")},
        cluster=settings.cluster,
        libraries=[{"maven": {"coordinates": CONNECTOR}}, {"whl": settings.wheel_path}],
    )


@blueprint.activity_trigger(input_name="payload")
@outcome
def look_at_load(payload: dict) -> Any:
    """Look how the load run stands; once it is over, at what it found."""
    refuse_if_cancelled(payload["migration"], _revisit(payload).get("name"))
    settings = app_settings()
    lake = connect_lake(settings)
    folder = load_folder(payload["migration"], payload["table"], payload["attempt"], _run_name(payload))
    run = connect_databricks(settings).get_run(payload["run"])
    if not run.ended:
        return {"state": "running", "progress": _progress(lake.read(f"{folder}/{PROGRESS_FILE}"))}
    if run.cancelled:
        raise StageError(f"Load run {payload['run']} was cancelled in Databricks.", "Retry the migration.")
    if not run.succeeded:
        kind = RunFailedError if run.healable else StageError
        raise kind(
            f"Load run {payload['run']} failed: {run.message}",
            "See the run's output in Databricks; the documents written so far stay and are overwritten by a retry.",
        )
    result = lake.read_json(f"{folder}/{RESULT_FILE}")
    if result is None:
        raise StageError(
            f"Load run {payload['run']} ended without a result in the lake's {folder}.",
            "Check that the notebook in the workspace is the app's own version.",
        )
    return {"state": "succeeded", "result": {**_summary(result), "result_path": f"{folder}/{RESULT_FILE}"}}


@blueprint.activity_trigger(input_name="payload")
@outcome
def stop_load(payload: dict) -> Any:
    """Ask the load run to stop."""
    connect_databricks(app_settings()).cancel_run(payload["run"])


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
    """Return the revisit that a load run is part of, as `d2c.table_record.run_payload` describes it, or nothing."""
    revisit: dict[str, Any] = payload.get("revisit", {})
    return revisit


def _run_name(payload: dict[str, Any]) -> str:
    return str(_revisit(payload).get("name", "load"))
