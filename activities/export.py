"""Stage export: DynamoDB writes the table to S3."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.durable_functions as df

from activities.outcome import outcome, refuse_if_cancelled
from d2c.app.settings import app_settings
from d2c.clients.aws.dynamodb import ExportState, connect_dynamodb
from d2c.clients.aws.s3 import Bucket, connect_bucket
from d2c.errors import PermanentError, RunFailedError
from d2c.export_format import ExportManifest, read_export_manifest
from d2c.load_run.mappers import table_mapper
from d2c.plan.tables import location_of
from d2c.state.ids import run_key

MANIFEST_PATIENCE = timedelta(hours=1)
blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="payload")
@outcome
def describe_source(payload: dict) -> Any:
    """Look at the table, check its rules against its keys, and fix the time to export it as of.

    The time must be the same at every try: DynamoDB refuses a client token that comes with another one.
    """
    refuse_if_cancelled(payload["migration"], table=payload["table"])
    dynamodb = connect_dynamodb(app_settings(), *location_of(payload))
    table = dynamodb.describe_table(payload["table"])
    table_mapper(table.hash_key, table.range_key, table.ttl_attribute, payload["rules"])
    export_time = dynamodb.latest_restorable_time(payload["table"])
    return {**asdict(table), "export_time": export_time.isoformat()}


@blueprint.activity_trigger(input_name="payload")
@outcome
def start_export(payload: dict) -> Any:
    """Start the export, or find the one that an earlier try started; the result is its ARN."""
    refuse_if_cancelled(payload["migration"], table=payload["table"])
    settings = app_settings()
    dynamodb = connect_dynamodb(settings, *location_of(payload))
    source = payload["source"]
    token = run_key(payload["migration"], payload["table"], "export", payload["attempt"])
    return dynamodb.find_export(source["arn"], token) or dynamodb.start_export(
        source["arn"],
        bucket=settings.export_bucket,
        bucket_owner=settings.aws.bucket_owner,
        prefix=_prefix(payload),
        time=datetime.fromisoformat(source["export_time"]),
        client_token=token,
    )


@blueprint.activity_trigger(input_name="payload")
@outcome
def look_at_export(payload: dict) -> Any:
    """Look whether the export is complete and its manifest has landed and holds."""
    refuse_if_cancelled(payload["migration"], table=payload["table"])
    export = connect_dynamodb(app_settings(), *location_of(payload)).describe_export(payload["run"])
    if export.status == "FAILED":
        raise _export_failure(export.arn, export.failure)
    if export.status != "COMPLETED":
        return {"state": "running", "progress": {"status": export.status}}
    bucket = connect_bucket(app_settings(), *location_of(payload))
    export_id = export.arn.rpartition("/")[2]
    # DescribeExport need not tell the manifest's key; an export's folder is called like the last part of its ARN.
    folder = export.manifest_key.rpartition("/")[0] or f"{_prefix(payload)}/AWSDynamoDB/{export_id}"
    manifest = _landed_manifest(bucket, folder, export.arn, payload["source"]["arn"])
    if manifest is None:
        _check_patience(f"s3://{bucket.name}/{folder}", export)
        return {"state": "running", "progress": {"status": "waiting for the manifest"}}
    sizes = bucket.sizes(f"{folder}/data/")
    result = {
        "arn": export.arn,
        "time": payload["source"]["export_time"],
        "id": export_id,
        "folder": folder,
        "items": manifest.summary.item_count,
        "billed_bytes": manifest.summary.billed_size_bytes,
        "bytes": sum(sizes.values()),
        "files": len(manifest.files),
    }
    return {"state": "succeeded", "result": result}


def _prefix(payload: dict[str, Any]) -> str:
    return f"{app_settings().export_prefix}/{payload['migration']}/{payload['table']}"


def _check_patience(folder: str, export: ExportState) -> None:
    """Refuse to wait any longer for a manifest that DynamoDB writes before it calls an export complete."""
    if export.ended_at and datetime.now(UTC) - export.ended_at > MANIFEST_PATIENCE:
        ended_at = f"{export.ended_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        raise PermanentError(
            f"The export {export.arn} was complete at {ended_at}, and its manifest is not in {folder}.",
            "Look for what deletes objects there, such as a lifecycle rule of the bucket, then start again.",
        )


def _landed_manifest(bucket: Bucket, folder: str, export_arn: str, table_arn: str) -> ExportManifest | None:
    """Return the export's manifest, or None while one of its four files is not there yet."""

    class NotLandedYet(Exception):  # noqa: N818 - a signal between two lines
        pass

    def read(name: str) -> bytes:
        content = bucket.read(f"{folder}/{name}")
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
