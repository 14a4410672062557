"""Stage copy: Data Factory copies the export from S3 into the lake."""

from datetime import datetime
from typing import Any

import azure.durable_functions as df

from activities.outcome import outcome, refuse_if_cancelled
from d2c.app.settings import Settings, app_settings
from d2c.clients.aws.copy_session import copy_session_name, copy_session_policy, copy_session_seconds
from d2c.clients.aws.s3 import connect_bucket
from d2c.clients.aws.sign_in import web_identity
from d2c.clients.azure.data_factory import RUN_KEY_PARAMETER, connect_data_factory
from d2c.clients.azure.lake import connect_lake
from d2c.errors import PermanentError, RunFailedError
from d2c.plan.tables import location_of
from d2c.state.ids import attempts_of_retry, run_key
from d2c.state.paths import copy_begun_path, export_folder

# By what Data Factory reads S3 with (D2C_COPY_CREDENTIALS).
PIPELINES = {"key_vault": "copy_export", "session": "copy_export_session"}
FIRST_ATTEMPT = attempts_of_retry(0)[0]
SECURE_PARAMETERS = ("awsAccessKeyId", "awsSecretAccessKey", "awsSessionToken")
# Where S3 says so, the run's credentials ended before the copy did.
EXPIRED = "ExpiredToken"
blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def start_copy(payload: dict) -> Any:
    """Start the copy pipeline, or find the run that an earlier try started; the result is the run's id."""
    refuse_if_cancelled(payload["migration"], table=payload["table"])
    settings = app_settings()
    factory = connect_data_factory(settings)
    names = payload["migration"], payload["table"]
    key = run_key(*names, "copy", payload["attempt"])
    found = None
    # To look through all runs costs calls that grow with them: only who finds the mark of an earlier try has to.
    if not connect_lake(settings).create(copy_begun_path(*names, payload["attempt"]), b""):
        since = datetime.fromisoformat(payload["started_at"])
        found = factory.find_run([*PIPELINES.values()], key, since=since)
    return found or factory.start_run(
        PIPELINES[settings.aws.copy_credentials],
        {
            RUN_KEY_PARAMETER: key,
            "bucket": settings.export_bucket,
            "exportFolder": payload["export"]["folder"],
            "fileSystem": settings.lake_file_system,
            "lakeFolder": export_folder(*names, payload["export"]["id"]),
            **(_session(settings, payload) if settings.aws.copy_credentials == "session" else {}),
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
        raise PermanentError(
            f"Copy run {payload['run']} was cancelled in Data Factory.", "Retry the migration."
        )
    if run.status != "Succeeded":
        error = factory.get_copy_progress(payload["run"], since=since).error or run.message
        next_step = "Another run is started; if it fails too, see the run in Data Factory's monitor."
        if EXPIRED in error:
            next_step = (
                "Another run is started, with an AWS session of the longest life; if that is too short as well, set "
                "D2C_COPY_BYTES_PER_SECOND to what Data Factory really copies (docs/install/aws.md)."
            )
        raise RunFailedError(f"Copy run {payload['run']} ended as {run.status}: {error}", next_step)
    return {"state": "succeeded", "result": _check_copy(payload)}


@blueprint.activity_trigger(input_name="payload")
@outcome
def stop_copy(payload: dict) -> Any:
    """Ask the copy run to stop."""
    connect_data_factory(app_settings()).cancel_run(payload["run"])


def _session(settings: Settings, payload: dict[str, Any]) -> dict[str, str]:
    """Return new credentials as the pipeline's secure parameters; they go to Data Factory and nowhere else."""
    region = payload["region"]
    role_arn = settings.aws.bucket_role(payload.get("account"), region)
    export = payload["export"]
    found = web_identity(settings, region).take_on(
        str(role_arn),
        session_name=copy_session_name(payload["migration"], payload["table"]),
        seconds=copy_session_seconds(
            settings.aws, export["bytes"], is_first_try=payload["attempt"] == FIRST_ATTEMPT
        ),
        policy=copy_session_policy(str(role_arn), settings.export_bucket, export["folder"]),
    )
    values = (found.access_key_id, found.secret_access_key, found.session_token)
    return dict(zip(SECURE_PARAMETERS, values, strict=True))


def _check_copy(payload: dict[str, Any]) -> dict[str, Any]:
    """Compare names and sizes of the export's objects with the lake's files.

    Raises:
        RunFailedError: naming the first few that differ.
    """
    settings = app_settings()
    export = payload["export"]
    prefix = f"{export['folder']}/"
    objects = connect_bucket(settings, *location_of(payload)).sizes(prefix)
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
