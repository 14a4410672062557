"""Stage copy: Data Factory copies the export from S3 into the lake."""

from datetime import datetime
from typing import Any

import azure.durable_functions as df

from activities.outcome import outcome, refuse_if_cancelled
from d2c.clients.data_factory import RUN_KEY_PARAMETER, connect_data_factory
from d2c.clients.lake import connect_lake
from d2c.clients.s3 import connect_bucket
from d2c.errors import RunFailedError, StageError
from d2c.lake_paths import export_folder
from d2c.resolving import place_of
from d2c.run_keys import run_key
from d2c.settings import app_settings

PIPELINE = "copy_export"
blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def start_copy(payload: dict) -> Any:
    """Start the copy pipeline, or find the run that an earlier try started; the result is the run's id."""
    refuse_if_cancelled(payload["migration"], table=payload["table"])
    settings = app_settings()
    factory = connect_data_factory(settings)
    key = run_key(payload["migration"], payload["table"], "copy", payload["attempt"])
    found = factory.find_run(PIPELINE, key, since=datetime.fromisoformat(payload["started_at"]))
    return found or factory.start_run(
        PIPELINE,
        {
            RUN_KEY_PARAMETER: key,
            "bucket": settings.export_bucket,
            "exportFolder": payload["export"]["folder"],
            "fileSystem": settings.lake_file_system,
            "lakeFolder": export_folder(payload["migration"], payload["table"], payload["export"]["id"]),
        },
    )


@blueprint.activity_trigger(input_name="payload")
@outcome
def look_at_copy(payload: dict) -> Any:
    """Look whether the copy is done, and if so whether names and sizes in the lake are those in S3."""
    refuse_if_cancelled(payload["migration"], table=payload["table"])
    factory = connect_data_factory(app_settings())
    run = factory.get_run(payload["run"])
    since = datetime.fromisoformat(payload["started_at"])
    if run.status in ("Queued", "InProgress", "Canceling"):
        copied = factory.get_copy_progress(payload["run"], since=since)
        total = payload["export"]["bytes"]
        progress = {"files": copied.files, "done": copied.size_bytes, "total": total}
        return {"state": "running", "progress": progress}
    if run.status == "Cancelled":
        raise StageError(f"Copy run {payload['run']} was cancelled in Data Factory.", "Retry the migration.")
    if run.status != "Succeeded":
        error = factory.get_copy_progress(payload["run"], since=since).error or run.message
        raise RunFailedError(
            f"Copy run {payload['run']} ended as {run.status}: {error}",
            "Another run is started; if it fails too, see the run in Data Factory's monitor.",
        )
    return {"state": "succeeded", "result": _check_copy(payload)}


@blueprint.activity_trigger(input_name="payload")
@outcome
def stop_copy(payload: dict) -> Any:
    """Ask the copy run to stop."""
    connect_data_factory(app_settings()).cancel_run(payload["run"])


def _check_copy(payload: dict[str, Any]) -> dict[str, Any]:
    """Compare names and sizes of the export's objects with the lake's files.

    Raises:
        RunFailedError: naming the first few that differ.
    """
    settings = app_settings()
    export = payload["export"]
    prefix = f"{export['folder']}/"
    objects = connect_bucket(settings, *place_of(payload)).sizes(prefix)
    expected = {
        key.removeprefix(prefix): size for key, size in objects.items() if not key.endswith("/_started")
    }
    folder = export_folder(payload["migration"], payload["table"], export["id"])
    actual = connect_lake(settings).sizes(folder)
    unlike = sorted(
        name for name in expected.keys() | actual.keys() if expected.get(name) != actual.get(name)
    )
    if unlike:
        shown = ", ".join(
            f"{name} ({expected.get(name)} and {actual.get(name)} bytes)" for name in unlike[:3]
        )
        raise RunFailedError(
            f"{len(unlike)} files of the export differ between S3 and the lake's {folder}: {shown}.",
            "The copy is run again; if it stays so, look for other writers to this folder.",
        )
    return {"folder": folder, "files": len(actual), "bytes": sum(actual.values())}
