"""Stage copy: Data Factory copies the export from S3 into the lake, a long one in parts, one after another."""

import json
import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import azure.durable_functions as df

from activities.outcome import outcome, refuse_if_cancelled
from d2c.clients.aws import copy_session as session
from d2c.clients.azure.data_factory import ACTIVE, RUN_KEY_PARAMETER, CopyProgress, PipelineRun
from d2c.clients.azure.refusals import LACKS_DATA_ROLE
from d2c.clients.clients import Clients
from d2c.errors import PermanentError, RunFailedError
from d2c.export_format import copy_parts
from d2c.plan.tables import location_of
from d2c.redaction import without_secrets
from d2c.shapes import Copy, Look, PartDone, Progress, TableInput
from d2c.state.ids import first_run_keys, run_key, without_part
from d2c.state.paths import MigrationFiles, export_folder

# By what Data Factory reads S3 with (D2C_COPY_CREDENTIALS).
PIPELINES = {"key_vault": "copy_export", "session": "copy_export_session"}
# Operation, part and attempt of a migration's first copy run of a table.
FIRST_RUN = (0, 1, 1)
SECURE_PARAMETERS = ("awsAccessKeyId", "awsSecretAccessKey", "awsSessionToken")
# Data Factory passes on S3's text or its HTTP status alone, and not its error code.
EXPIRED = ("ExpiredToken", "token has expired", "(403)")
# Data Factory compares what it has written with the source (validateDataConsistency).
INCONSISTENT = "consisten"
GRANT_FACTORY = (
    "Grant the data factory's managed identity its role in the lake (docs/install/permissions.md), then retry the "
    "migration."
)
logger = logging.getLogger(__name__)
blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def start_copy(clients: Clients, payload: TableInput) -> str:
    """Start the copy run of a part, or find the one that an earlier try started; the result is the run's id.

    A part is what has not arrived yet, as far as one run takes it.
    """
    refuse_if_cancelled(clients.lake, payload)
    expected, arrived = _files(clients, payload)
    missing = copy_parts.missing_files(expected, arrived)
    key = run_key(payload, payload["table"], "copy", payload["attempt"], _part_of(payload))
    before = _arrived(expected, missing)
    run = None
    # To look through all runs costs calls that grow with them: only a try that finds the flag of an earlier one does.
    if not clients.lake.create(_begun_path(payload), json.dumps(before).encode()):
        since = datetime.fromisoformat(payload["started_at"])
        run = clients.data_factory.find_run([*PIPELINES.values()], key, since=since)
    return run or _start_run(clients, payload, key, missing)


@blueprint.activity_trigger(input_name="payload")
@outcome
def look_at_copy(clients: Clients, payload: TableInput) -> Look[Copy]:
    """Look whether the copy run has ended, and then whether names and sizes in the lake are those in S3.

    A run of which something has arrived has done a part, even if it failed: the next one copies the rest.
    """
    refuse_if_cancelled(clients.lake, payload)
    run = clients.data_factory.get_run(payload["run"])
    if run.status in ACTIVE:
        return {"state": "running", "progress": _progress(clients, payload)}
    if run.status == "Cancelled":
        raise PermanentError(
            f"Copy run {payload['run']} was cancelled in Data Factory.",
            "Retry the migration: it copies what is not in the lake yet.",
        )
    expected, arrived = _files(clients, payload)
    if run.status != "Succeeded":
        return _after_failure(clients, payload, run, expected, arrived)
    if expected == arrived:
        copy: Copy = {
            "folder": _lake_folder(payload),
            "files": len(arrived),
            "bytes": sum(arrived.values()),
        }
        return {"state": "succeeded", "result": copy}
    part = _part_done(clients, payload, expected, arrived)
    if part:
        return part
    raise RunFailedError(
        f"{copy_parts.differences(expected, arrived)} between S3 and the lake's {_lake_folder(payload)}.",
        "The copy is run again; if it stays so, look for other writers to this folder.",
    )


@blueprint.activity_trigger(input_name="payload")
@outcome
def stop_copy(clients: Clients, payload: TableInput) -> None:
    """Ask the copy run to stop; there is one at a time, and none begins in a cancelled migration."""
    clients.data_factory.cancel_run(payload["run"])


def stop_copies_of(
    clients: Clients, operation: Mapping[str, Any], tables: Iterable[str], since: datetime
) -> int:
    """Ask the copy runs of an operation's tables to stop, whatever part and attempt; the result is how many there are.

    Args:
        clients: the outside systems.
        operation: as `run_key` takes it.
        tables: their names.
        since: before the first of the runs was started.
    """
    keys = first_run_keys(operation, tables, "copy")
    active = clients.data_factory.active_runs([*PIPELINES.values()], since=since)
    runs = [run for run, key in active.items() if without_part(key) in keys]
    for run in runs:
        clients.data_factory.cancel_run(run)
    return len(runs)


def _start_run(clients: Clients, payload: TableInput, key: str, missing: Mapping[str, int]) -> str:
    """Write the list of the part's files where Data Factory reads it, and start the run."""
    settings, copies, export = clients.settings, clients.settings.copies, payload["export"]
    part = copy_parts.next_part(missing, session.most_bytes_of_a_run(settings.aws))
    clients.bucket(*location_of(payload)).write(_list_key(payload), part.as_list())
    has_session = settings.aws.copy_credentials == "session"
    return clients.data_factory.start_run(
        PIPELINES[settings.aws.copy_credentials],
        {
            RUN_KEY_PARAMETER: key,
            "bucket": settings.export_bucket,
            "exportFolder": export["folder"],
            "fileList": _list_key(payload),
            "isLastPart": part.is_last,
            "fileSystem": settings.lake_file_system,
            "lakeFolder": _lake_folder(payload),
            "dataIntegrationUnits": copies.integration_units,
            "parallelCopies": copies.parallel_copies,
            **(_session(clients, payload, part.size_bytes) if has_session else {}),
        },
    )


def _session(clients: Clients, payload: TableInput, copied_bytes: int) -> dict[str, str]:
    """Return new credentials as the pipeline's secure parameters; they go to Data Factory and nowhere else."""
    settings, region, folder = clients.settings, payload["region"], payload["export"]["folder"]
    role_arn = str(settings.aws.bucket_role(payload.get("account"), region))
    is_first_try = (payload["operation"], _part_of(payload), payload["attempt"]) == FIRST_RUN
    credentials = clients.web_identity(region).take_on(
        role_arn,
        session_name=session.copy_session_name(payload["migration"], payload["table"]),
        seconds=session.copy_session_seconds(settings.aws, copied_bytes, is_first_try=is_first_try),
        policy=session.copy_session_policy(role_arn, settings.export_bucket, folder),
    )
    values = (credentials.access_key_id, credentials.secret_access_key, credentials.session_token)
    return dict(zip(SECURE_PARAMETERS, values, strict=True))


def _files(clients: Clients, payload: TableInput) -> tuple[dict[str, int], dict[str, int]]:
    """Return the export's files and those in the lake, each by its path in its folder, with its size."""
    folder = payload["export"]["folder"]
    objects = clients.bucket(*location_of(payload)).sizes(f"{folder}/")
    return copy_parts.copied_files(objects, folder), clients.lake.sizes(_lake_folder(payload))


def _arrived(expected: Mapping[str, int], missing: Mapping[str, int]) -> Progress:
    """Return how many files of the export are in the lake, and their bytes."""
    return {
        "files": len(expected) - len(missing),
        "done": sum(expected.values()) - sum(missing.values()),
    }


def _progress(clients: Clients, payload: TableInput) -> Progress:
    """Return how far the copy is: what was there before this run, and what the run has copied."""
    before = clients.lake.read_json(_begun_path(payload)) or {}
    copied = _copied(clients, payload)
    return {
        "files": before.get("files", 0) + copied.files,
        "done": before.get("done", 0) + copied.size_bytes,
        "total": payload["export"]["bytes"],
    }


def _copied(clients: Clients, payload: TableInput) -> CopyProgress:
    since = datetime.fromisoformat(payload["started_at"])
    return clients.data_factory.get_copy_progress(payload["run"], since=since)


def _list_of(clients: Clients, payload: TableInput) -> tuple[str, ...]:
    """Return the files of the run's part; none if an earlier version of this app started it."""
    bucket = clients.bucket(*location_of(payload))
    return copy_parts.read_list(bucket.read(_list_key(payload), copy_parts.MOST_LIST_BYTES) or b"")


def _part_done(
    clients: Clients, payload: TableInput, expected: Mapping[str, int], arrived: Mapping[str, int]
) -> PartDone | None:
    """Return that the run has done a part, or None if none of its data files has arrived."""
    missing = copy_parts.missing_files(expected, arrived)
    if not (missing and copy_parts.has_progress(_list_of(clients, payload), missing)):
        return None
    progress: Progress = {**_arrived(expected, missing), "total": payload["export"]["bytes"]}
    return {"state": "part_done", "progress": progress}


def _after_failure(
    clients: Clients,
    payload: TableInput,
    run: PipelineRun,
    expected: Mapping[str, int],
    arrived: Mapping[str, int],
) -> PartDone:
    """Return that a part is done if something of it has arrived.

    Raises:
        PermanentError: with the run's failure, if nothing has, or if what has is not what it should be.
    """
    failure = f"ended as {run.status}: {_copied(clients, payload).error or run.message}"
    if INCONSISTENT in failure.lower():
        for name in _list_of(clients, payload):
            clients.lake.delete(f"{_lake_folder(payload)}/{name}")
        raise _run_failure(clients, payload, failure, arrived)
    part = _part_done(clients, payload, expected, arrived)
    if part is None:
        raise _run_failure(clients, payload, failure, arrived)
    logger.warning("Copy run %s %s (the next copies the rest)", payload["run"], without_secrets(failure))
    return part


def _run_failure(
    clients: Clients, payload: TableInput, failure: str, arrived: Mapping[str, int]
) -> PermanentError:
    next_step = "Another run is started; if it fails too, see the run in Data Factory's monitor."
    if clients.settings.aws.copy_credentials == "session" and any(text in failure for text in EXPIRED):
        next_step = (
            "Another run is started, with an AWS session of the longest life. If no file is copied within that, raise "
            "D2C_AWS_SESSION_SECONDS or D2C_COPY_INTEGRATION_UNITS (docs/install/aws.md)."
        )
    text = (
        f"Copy run {payload['run']} {failure} (The lake's {_lake_folder(payload)} has {len(arrived):,} files with "
        f"{sum(arrived.values()):,} bytes; those that are whole are not copied again.)"
    )
    if LACKS_DATA_ROLE in failure:
        return PermanentError(text, GRANT_FACTORY)
    return RunFailedError(text, next_step)


def _part_of(payload: TableInput) -> int:
    return payload.get("part", 1)


def _lake_folder(payload: TableInput) -> str:
    return export_folder(payload["migration"], payload["table"], payload["export"]["id"])


def _begun_path(payload: TableInput) -> str:
    files = MigrationFiles(payload["migration"]).table(payload["table"])
    return files.copy_begun(payload["operation"], _part_of(payload), payload["attempt"])


def _list_key(payload: TableInput) -> str:
    run = payload["operation"], _part_of(payload), payload["attempt"]
    return copy_parts.list_key(payload["export"]["folder"], *run)
