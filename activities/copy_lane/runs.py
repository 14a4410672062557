"""The runs of Data Factory's pipeline that copy a table's export: how one is started, stopped, and has failed."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from activities.copy_lane.files import FIRST_RUN, lake_folder, list_key, run_of
from d2c.clients.aws import copy_session as session
from d2c.clients.azure.data_factory import RUN_KEY_PARAMETER
from d2c.clients.azure.refusals import LACKS_DATA_ROLE
from d2c.clients.clients import Clients
from d2c.errors import PermanentError, RunFailedError
from d2c.export_format import copy_parts
from d2c.plan.tables import location_of
from d2c.shapes import TableInput
from d2c.state.ids import first_run_keys, without_part

# By what Data Factory reads S3 with (D2C_COPY_CREDENTIALS).
PIPELINES = {"key_vault": "copy_export", "session": "copy_export_session"}
SECURE_PARAMETERS = ("awsAccessKeyId", "awsSecretAccessKey", "awsSessionToken")
# Data Factory passes on S3's text or its HTTP status alone, and not its error code.
EXPIRED = ("ExpiredToken", "token has expired", "(403)")
GRANT_FACTORY = (
    "Grant the data factory's managed identity its role in the lake (docs/install/permissions.md), then retry the "
    "migration."
)


def start_run(clients: Clients, payload: TableInput, key: str, missing: Mapping[str, int]) -> str:
    """Write the list of the part's files where Data Factory reads it, and start the run."""
    settings, copies, export = clients.settings, clients.settings.copies, payload["export"]
    part = copy_parts.next_part(missing, session.most_bytes_of_a_run(settings.aws))
    clients.bucket(*location_of(payload)).write(list_key(payload), part.as_list())
    has_session = settings.aws.copy_credentials == "session"
    return clients.data_factory.start_run(
        PIPELINES[settings.aws.copy_credentials],
        {
            RUN_KEY_PARAMETER: key,
            "bucket": settings.export_bucket,
            "exportFolder": export["folder"],
            "fileList": list_key(payload),
            "isLastPart": part.is_last,
            "fileSystem": settings.lake_file_system,
            "lakeFolder": lake_folder(payload),
            "dataIntegrationUnits": copies.integration_units,
            "parallelCopies": copies.parallel_copies,
            **(_session(clients, payload, part.size_bytes) if has_session else {}),
        },
    )


def _session(clients: Clients, payload: TableInput, copied_bytes: int) -> dict[str, str]:
    """Return new credentials as the pipeline's secure parameters; they go to Data Factory and nowhere else."""
    settings, region, folder = clients.settings, payload["region"], payload["export"]["folder"]
    role_arn = str(settings.aws.bucket_role(payload.get("account"), region))
    is_first_try = run_of(payload) == FIRST_RUN
    credentials = clients.web_identity(region).take_on(
        role_arn,
        session_name=session.copy_session_name(payload["migration"], payload["table"]),
        seconds=session.copy_session_seconds(settings.aws, copied_bytes, is_first_try=is_first_try),
        policy=session.copy_session_policy(role_arn, settings.export_bucket, folder),
    )
    values = (credentials.access_key_id, credentials.secret_access_key, credentials.session_token)
    return dict(zip(SECURE_PARAMETERS, values, strict=True))


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


def run_failure(
    clients: Clients, payload: TableInput, failure: str, arrived: Mapping[str, int]
) -> PermanentError:
    """Return the failure of a run of which nothing has arrived, with what to do."""
    next_step = "Another run is started; if it fails too, see the run in Data Factory's monitor."
    if clients.settings.aws.copy_credentials == "session" and any(text in failure for text in EXPIRED):
        next_step = (
            "Another run is started, with an AWS session of the longest life. If no file is copied within that, raise "
            "D2C_AWS_SESSION_SECONDS or D2C_COPY_INTEGRATION_UNITS (docs/install/aws.md)."
        )
    text = (
        f"Copy run {payload['run']} {failure} (The lake's {lake_folder(payload)} has {len(arrived):,} files with "
        f"{sum(arrived.values()):,} bytes; those that are whole are not copied again.)"
    )
    if LACKS_DATA_ROLE in failure:
        return PermanentError(text, GRANT_FACTORY)
    return RunFailedError(text, next_step)
