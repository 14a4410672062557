"""Stage export: DynamoDB writes the table to S3."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import azure.durable_functions as df

from activities.outcome import outcome, refuse_if_cancelled
from d2c.clients.clients import Clients
from d2c.errors import PermanentError, RunFailedError
from d2c.export_format import ExportManifest, read_export_manifest
from d2c.export_format.manifest import MOST_BYTES
from d2c.load_run.mappers import table_mapper
from d2c.plan.tables import location_of
from d2c.shapes import Export, Look, Source, TableInput
from d2c.state.ids import run_key

if TYPE_CHECKING:
    from d2c.clients.aws.dynamodb import ExportState, TableDescription
    from d2c.clients.aws.s3 import Bucket

MANIFEST_PATIENCE = timedelta(hours=1)
blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def describe_source(clients: Clients, payload: TableInput) -> Source:
    """Look at the table, check its rules against its keys, and fix the time to export it as of.

    The time must be the same at every try: DynamoDB refuses a client token that comes with another one.
    """
    refuse_if_cancelled(clients.lake, payload)
    dynamodb = clients.dynamodb(*location_of(payload))
    table = dynamodb.describe_table(payload["table"])
    table_mapper(table.hash_key, table.range_key, table.ttl_attribute, payload["rules"])
    return source_of(table, dynamodb.latest_restorable_time(payload["table"]).isoformat())


def source_of(table: "TableDescription", export_time: str) -> Source:
    """Return what later stages know of a table.

    Args:
        table: as DynamoDB describes it.
        export_time: the time that it is exported as of, in ISO 8601.
    """
    return {
        "arn": table.arn,
        "hash_key": table.hash_key,
        "range_key": table.range_key,
        "item_count": table.item_count,
        "size_bytes": table.size_bytes,
        "ttl_attribute": table.ttl_attribute,
        "table_class": table.table_class,
        "number_keys": list(table.number_keys),
        "index_keys": list(table.index_keys),
        "export_time": export_time,
    }


@blueprint.activity_trigger(input_name="payload")
@outcome
def start_export(clients: Clients, payload: TableInput) -> str:
    """Start the export, or find the one that an earlier try started; the result is its ARN."""
    refuse_if_cancelled(clients.lake, payload)
    settings, dynamodb = clients.settings, clients.dynamodb(*location_of(payload))
    source = payload["source"]
    token = run_key(payload, payload["table"], "export", payload["attempt"])
    return dynamodb.find_export(source["arn"], token) or dynamodb.start_export(
        source["arn"],
        bucket=settings.export_bucket,
        bucket_owner=settings.aws.bucket_owner,
        kms_key=settings.aws.export_kms_key,
        prefix=_prefix(clients, payload),
        time=datetime.fromisoformat(source["export_time"]),
        client_token=token,
    )


@blueprint.activity_trigger(input_name="payload")
@outcome
def look_at_export(clients: Clients, payload: TableInput) -> Look[Export]:
    """Look whether the export is complete and its manifest has landed and holds."""
    refuse_if_cancelled(clients.lake, payload)
    state = clients.dynamodb(*location_of(payload)).describe_export(payload["run"])
    if state.status == "FAILED":
        raise _export_failure(state.arn, state.failure)
    if state.status != "COMPLETED":
        return {"state": "running", "progress": {"status": state.status}}
    bucket = clients.bucket(*location_of(payload))
    export_id = state.arn.rpartition("/")[2]
    # DescribeExport may leave the manifest's key out; an export's folder has the name of the last part of its ARN.
    folder = state.manifest_key.rpartition("/")[0] or f"{_prefix(clients, payload)}/AWSDynamoDB/{export_id}"
    manifest = _landed_manifest(bucket, folder, state.arn, payload["source"]["arn"])
    if manifest is None:
        _check_patience(f"s3://{bucket.name}/{folder}", state)
        return {"state": "running", "progress": {"status": "waiting for the manifest"}}
    sizes = bucket.sizes(f"{folder}/data/")
    export: Export = {
        "arn": state.arn,
        "time": payload["source"]["export_time"],
        "id": export_id,
        "folder": folder,
        "items": manifest.summary.item_count,
        "billed_bytes": manifest.summary.billed_size_bytes,
        "bytes": sum(sizes.values()),
        "files": len(manifest.files),
    }
    return {"state": "succeeded", "result": export}


def _prefix(clients: Clients, payload: TableInput) -> str:
    return f"{clients.settings.export_prefix}/{payload['migration']}/{payload['table']}"


def _check_patience(folder: str, export: "ExportState") -> None:
    """Refuse to wait any longer for a manifest that DynamoDB writes before it calls an export complete."""
    if export.ended_at and datetime.now(UTC) - export.ended_at > MANIFEST_PATIENCE:
        ended_at = f"{export.ended_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        raise PermanentError(
            f"The export {export.arn} was complete at {ended_at}, and its manifest is not in {folder}.",
            "Look for what deletes objects there, such as a lifecycle rule of the bucket, then start again.",
        )


def _landed_manifest(bucket: "Bucket", folder: str, export_arn: str, table_arn: str) -> ExportManifest | None:
    """Return the export's manifest, or None while one of its four files is not there yet."""

    class NotLandedYet(Exception):  # noqa: N818 - a signal between two lines
        pass

    def read(name: str) -> bytes:
        content = bucket.read(f"{folder}/{name}", MOST_BYTES[name])
        if content is None:
            raise NotLandedYet
        return content

    try:
        return read_export_manifest(read, export_arn=export_arn, table_arn=table_arn)
    except NotLandedYet:
        return None


def _export_failure(arn: str, failure: str) -> PermanentError:
    detail = f"DynamoDB could not complete the export {arn}: {failure or 'it gave no reason'}."
    if "NoSuchBucket" in failure:
        return PermanentError(detail, "Create the bucket, or set D2C_EXPORT_BUCKET to one that exists.")
    if "AccessDenied" in failure:
        return PermanentError(
            detail, "Let the app's AWS identity put objects into the bucket (docs/install/permissions.md)."
        )
    return RunFailedError(
        detail, "Another export is started; if it fails too, ask AWS support with this ARN."
    )
