"""Stage copy: Data Factory copies the export from S3 into the lake."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import azure.durable_functions as df

from activities.outcome import outcome, refuse_if_cancelled
from d2c.clients.aws.copy_session import copy_session_name, copy_session_policy, copy_session_seconds
from d2c.clients.azure.data_factory import RUN_KEY_PARAMETER
from d2c.clients.azure.refusals import LACKS_DATA_ROLE
from d2c.clients.clients import Clients
from d2c.errors import PermanentError, RunFailedError
from d2c.plan.tables import location_of
from d2c.shapes import Copy, Look, TableInput
from d2c.state.ids import RUNS_AT_MOST, run_key
from d2c.state.paths import copy_begun_path, export_folder

# By what Data Factory reads S3 with (D2C_COPY_CREDENTIALS).
PIPELINES = {"key_vault": "copy_export", "session": "copy_export_session"}
# The first attempt of the migration's start.
FIRST_TRY = (0, 1)
SECURE_PARAMETERS = ("awsAccessKeyId", "awsSecretAccessKey", "awsSessionToken")
# Data Factory passes on S3's text or its HTTP status alone, and not its error code.
EXPIRED = ("ExpiredToken", "token has expired", "(403)")
GRANT_FACTORY = (
    "Grant the data factory's managed identity its role in the lake (docs/install/permissions.md), then retry the "
    "migration."
)
blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def start_copy(clients: Clients, payload: TableInput) -> str:
    """Start the copy pipeline, or find the run that an earlier try started; the result is the run's id."""
    settings, lake, factory = clients.settings, clients.lake, clients.data_factory
    names = payload["migration"], payload["table"]
    operation = payload["migration"], payload["operation"], payload["table"]
    refuse_if_cancelled(lake, payload)
    key = run_key(payload, payload["table"], "copy", payload["attempt"])
    run = None
    # To look through all runs costs calls that grow with them: only a try that finds the flag of an earlier one does.
    if not lake.create(copy_begun_path(*operation, payload["attempt"]), b""):
        since = datetime.fromisoformat(payload["started_at"])
        run = factory.find_run([*PIPELINES.values()], key, since=since)
    return run or factory.start_run(
        PIPELINES[settings.aws.copy_credentials],
        {
            RUN_KEY_PARAMETER: key,
            "bucket": settings.export_bucket,
            "exportFolder": payload["export"]["folder"],
            "dataFiles": payload["export"]["files"],
            "fileSystem": settings.lake_file_system,
            "lakeFolder": export_folder(*names, payload["export"]["id"]),
            **(_session(clients, payload) if settings.aws.copy_credentials == "session" else {}),
        },
    )


@blueprint.activity_trigger(input_name="payload")
@outcome
def look_at_copy(clients: Clients, payload: TableInput) -> Look[Copy]:
    """Look whether the copy is done, and if so whether names and sizes in the lake are those in S3."""
    refuse_if_cancelled(clients.lake, payload)
    factory = clients.data_factory
    run = factory.get_run(payload["run"])
    since = datetime.fromisoformat(payload["started_at"])
    if run.status in ("Queued", "InProgress", "Canceling"):
        copied = factory.get_copy_progress(payload["run"], since=since)
        total = payload["export"]["bytes"]
        return {
            "state": "running",
            "progress": {"files": copied.files, "done": copied.size_bytes, "total": total},
        }
    if run.status == "Cancelled":
        raise PermanentError(
            f"Copy run {payload['run']} was cancelled in Data Factory.", "Retry the migration."
        )
    if run.status != "Succeeded":
        cause = factory.get_copy_progress(payload["run"], since=since).error or run.message
        raise _run_failure(clients, payload, f"ended as {run.status}: {cause}")
    return {"state": "succeeded", "result": _check_copy(clients, payload)}


@blueprint.activity_trigger(input_name="payload")
@outcome
def stop_copy(clients: Clients, payload: TableInput) -> None:
    """Ask the copy run to stop."""
    clients.data_factory.cancel_run(payload["run"])


def stop_copies_of(
    clients: Clients, operation: Mapping[str, Any], tables: Iterable[str], since: datetime
) -> int:
    """Ask the copy runs of an operation's tables to stop, whatever attempt they are; the result is how many there are.

    Args:
        clients: the outside systems.
        operation: as `run_key` takes it.
        tables: their names.
        since: before the first of the runs was started.
    """
    attempts = range(1, RUNS_AT_MOST + 1)
    keys = {run_key(operation, table, "copy", attempt) for table in tables for attempt in attempts}
    active = clients.data_factory.active_runs([*PIPELINES.values()], since=since)
    runs = [run for run, key in active.items() if key in keys]
    for run in runs:
        clients.data_factory.cancel_run(run)
    return len(runs)


def _run_failure(clients: Clients, payload: TableInput, outcome: str) -> PermanentError:
    folder = export_folder(payload["migration"], payload["table"], payload["export"]["id"])
    copied = clients.lake.sizes(folder)
    next_step = "Another run is started; if it fails too, see the run in Data Factory's monitor."
    if clients.settings.aws.copy_credentials == "session" and any(text in outcome for text in EXPIRED):
        next_step = (
            "Another run is started, with an AWS session of the longest life; if that is too short as well, set "
            "D2C_COPY_BYTES_PER_SECOND to what Data Factory really copies (docs/install/aws.md)."
        )
    text = (
        f"Copy run {payload['run']} {outcome} (The {len(copied):,} files with {sum(copied.values()):,} bytes that are "
        f"in the lake's {folder} stay there, and are overwritten.)"
    )
    if LACKS_DATA_ROLE in outcome:
        return PermanentError(text, GRANT_FACTORY)
    return RunFailedError(text, next_step)


def _session(clients: Clients, payload: TableInput) -> dict[str, str]:
    """Return new credentials as the pipeline's secure parameters; they go to Data Factory and nowhere else."""
    settings, region, export = clients.settings, payload["region"], payload["export"]
    role_arn = settings.aws.bucket_role(payload.get("account"), region)
    credentials = clients.web_identity(region).take_on(
        str(role_arn),
        session_name=copy_session_name(payload["migration"], payload["table"]),
        seconds=copy_session_seconds(
            settings.aws,
            export["bytes"],
            is_first_try=(payload["operation"], payload["attempt"]) == FIRST_TRY,
        ),
        policy=copy_session_policy(str(role_arn), settings.export_bucket, export["folder"]),
    )
    values = (credentials.access_key_id, credentials.secret_access_key, credentials.session_token)
    return dict(zip(SECURE_PARAMETERS, values, strict=True))


def _check_copy(clients: Clients, payload: TableInput) -> Copy:
    """Compare names and sizes of the export's objects with the lake's files.

    Raises:
        RunFailedError: naming the first few that differ.
    """
    export = payload["export"]
    prefix = f"{export['folder']}/"
    objects = clients.bucket(*location_of(payload)).sizes(prefix)
    expected = {
        key.removeprefix(prefix): size for key, size in objects.items() if not key.endswith("/_started")
    }
    folder = export_folder(payload["migration"], payload["table"], export["id"])
    actual = clients.lake.sizes(folder)
    unlike = sorted(
        name for name in expected.keys() | actual.keys() if expected.get(name) != actual.get(name)
    )
    if unlike:
        examples = ", ".join(
            f"{name} ({expected.get(name)} and {actual.get(name)} bytes)" for name in unlike[:3]
        )
        raise RunFailedError(
            f"{len(unlike)} files of the export differ between S3 and the lake's {folder}: {examples}.",
            "The copy is run again; if it stays so, look for other writers to this folder.",
        )
    return {"folder": folder, "files": len(actual), "bytes": sum(actual.values())}
