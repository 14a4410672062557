"""DynamoDB: descriptions of tables, and their exports to S3."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from d2c.app.settings import Settings
from d2c.clients.answers import name_of, text_of, typed
from d2c.clients.aws.errors import aws_errors
from d2c.clients.aws.sign_in import aws_client
from d2c.clients.aws.tables import TableDescription as TableDescription
from d2c.clients.aws.tables import described
from d2c.clients.connections import connected_once
from d2c.errors import PermanentError

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html
IMPOSSIBLE_EXPORT_TIME = datetime(2001, 1, 1, tzinfo=UTC)
EXPORT_TIME_CODES = ("InvalidExportTimeException", "PointInTimeRecoveryUnavailableException")


@dataclass(frozen=True)
class RecoveryWindow:
    """The times between which a table can be exported; both None if point-in-time recovery is off."""

    earliest: datetime | None
    latest: datetime | None


@dataclass(frozen=True)
class ExportState:
    """An export as DescribeExport returns it, which guarantees only ARN and status; the rest may be empty.

    ``manifest_key`` and ``ended_at`` are unknown before its end.
    """

    arn: str
    status: str
    failure: str
    client_token: str
    manifest_key: str
    ended_at: datetime | None


class DynamoDB:
    """The calls that a migration makes to DynamoDB in one region.

    Args:
        client: boto3's ``dynamodb`` client.
        region: its region, for messages.
    """

    def __init__(self, client: Any, region: str) -> None:
        self._client = client
        self._region = region

    @property
    def endpoint(self) -> str:
        """The address of the service in the region."""
        return str(self._client.meta.endpoint_url)

    def list_tables(self) -> list[str]:
        """Return the names of all tables of the account in the region."""
        names: list[str] = []
        arguments: dict[str, Any] = {}
        while True:
            with aws_errors(f"DynamoDB tables in {self._region}"):
                page = self._client.list_tables(**arguments)
                names += map(name_of, page["TableNames"])
            last = page.get("LastEvaluatedTableName")
            if last is None or last == arguments.get("ExclusiveStartTableName"):
                return names
            arguments["ExclusiveStartTableName"] = last

    def describe_table(self, name: str) -> TableDescription:
        """Return a table's keys, size and time to live.

        Raises:
            PermanentError: if there is no such table, or it is not active.
        """
        with aws_errors(self._thing(name)):
            table = self._client.describe_table(TableName=name)["Table"]
            time_to_live = self._client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
            found = typed(described(table, time_to_live))
            status = name_of(table["TableStatus"])
        if status not in ("ACTIVE", "UPDATING"):
            raise PermanentError(
                f"{self._thing(name)} is {status}, not active.",
                "Wait until it is active, then try again.",
            )
        return found

    def recovery_window(self, name: str) -> RecoveryWindow:
        """Return the times between which a table can be exported."""
        with aws_errors(self._thing(name)):
            answer = self._client.describe_continuous_backups(TableName=name)
            recovery = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
            if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
                return RecoveryWindow(None, None)
            return typed(
                RecoveryWindow(
                    recovery.get("EarliestRestorableDateTime"), recovery.get("LatestRestorableDateTime")
                )
            )

    def latest_restorable_time(self, name: str) -> datetime:
        """Return the latest time as of which a table can be exported.

        DynamoDB rejects export times too close to now, so this is earlier than the clock's.

        Raises:
            PermanentError: if point-in-time recovery is off.
        """
        latest = self.recovery_window(name).latest
        if latest is None:
            raise PermanentError(
                f"{self._thing(name)} has no point-in-time recovery, which exports require.",
                f"Turn it on: aws dynamodb update-continuous-backups --region {self._region} --table-name {name} "
                "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true, then try again.",
                title="Point-in-time recovery is off",
            )
        return latest

    def find_export(self, table_arn: str, client_token: str) -> str | None:
        """Return the ARN of the export that was started with a client token, or None.

        ListExports does not return tokens, so each full export of the table in the last 90 days is described in turn,
        newest first. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListExports.html
        """
        arguments: dict[str, Any] = {"TableArn": table_arn, "MaxResults": 25}
        while True:
            with aws_errors(f"Exports of {table_arn}"):
                page = self._client.list_exports(**arguments)
                full = [
                    one for one in page["ExportSummaries"] if one.get("ExportType") != "INCREMENTAL_EXPORT"
                ]
                export_arns = [name_of(summary["ExportArn"]) for summary in full]
            for export_arn in export_arns:
                if self._client_token_of(export_arn) == client_token:
                    return export_arn
            if not page.get("NextToken") or page["NextToken"] == arguments.get("NextToken"):
                return None
            arguments["NextToken"] = page["NextToken"]

    def start_export(
        self,
        table_arn: str,
        *,
        bucket: str,
        bucket_owner: str,
        kms_key: str,
        prefix: str,
        time: datetime,
        client_token: str,
    ) -> str:
        """Start a full export and return its ARN.

        Args:
            table_arn: the table.
            bucket: the S3 bucket, which DynamoDB checks only later.
            bucket_owner: the bucket's account, needed if it is not the table's; empty if unknown.
            kms_key: the id or ARN of the KMS key that encrypts the export, whatever the bucket's default is; empty for
                S3's own keys.
            prefix: the key prefix of the export's objects.
            time: the time as of which to export the table; the same at every try with the same token.
            client_token: makes a repeated call return the export that the first one started; with any other argument
                changed, the call is rejected.
        """
        with aws_errors(f"Export of {table_arn}"):
            answer = self._client.export_table_to_point_in_time(
                TableArn=table_arn,
                S3Bucket=bucket,
                S3Prefix=prefix,
                ExportTime=time,
                ExportFormat="DYNAMODB_JSON",
                ExportType="FULL_EXPORT",
                ClientToken=client_token,
                **({"S3BucketOwner": bucket_owner} if bucket_owner else {}),
                **({"S3SseAlgorithm": "KMS", "S3SseKmsKeyId": kms_key} if kms_key else {}),
            )
            return name_of(answer["ExportDescription"]["ExportArn"])

    def try_exporting(self, table_arn: str, bucket: str) -> None:
        """Request an impossible export, as of a time before DynamoDB existed, to test the permission.

        Without the permission the call is rejected for that reason, with it because of the time.

        Args:
            table_arn: the table.
            bucket: the S3 bucket, which DynamoDB checks only after the time.

        Raises:
            PermanentError: if the permission is missing, or the service accepts the export against its documentation.
        """
        with aws_errors(f"Export of {table_arn}"):
            try:
                self._client.export_table_to_point_in_time(
                    TableArn=table_arn, S3Bucket=bucket, ExportTime=IMPOSSIBLE_EXPORT_TIME
                )
            except ClientError as error:
                if error.response["Error"].get("Code") in EXPORT_TIME_CODES:
                    return
                raise
        raise PermanentError(
            f"Export of {table_arn}: DynamoDB accepted an export as of {IMPOSSIBLE_EXPORT_TIME:%Y-%m-%d}.",
            "See the table's exports in the AWS console; the migration does not use this one.",
        )

    def try_listing_exports(self, table_arn: str) -> None:
        """List one export of a table, whether or not there is one."""
        with aws_errors(f"Exports of {table_arn}"):
            self._client.list_exports(TableArn=table_arn, MaxResults=1)

    def describe_export(self, export_arn: str) -> ExportState:
        """Return the state of an export."""
        with aws_errors(f"Export {export_arn}"):
            export = self._client.describe_export(ExportArn=export_arn)["ExportDescription"]
            failure = ": ".join(export[key] for key in ("FailureCode", "FailureMessage") if export.get(key))
            return typed(
                ExportState(
                    arn=name_of(export["ExportArn"]),
                    status=export["ExportStatus"],
                    failure=text_of(failure),
                    client_token=export.get("ClientToken", ""),
                    manifest_key=export.get("ExportManifest", ""),
                    ended_at=export.get("EndTime"),
                )
            )

    def _client_token_of(self, export_arn: str) -> str | None:
        """Return an export's client token, or None if the export has aged out since it was listed."""
        try:
            return self.describe_export(export_arn).client_token
        except PermanentError as error:
            if isinstance(error.__cause__, self._client.exceptions.ExportNotFoundException):
                return None
            raise

    def _thing(self, name: str) -> str:
        return f"DynamoDB table {name} in {self._region}"


@connected_once
def connect_dynamodb(settings: Settings, account: str | None, region: str) -> DynamoDB:
    """Return DynamoDB in a region of an AWS account.

    Args:
        settings: the app's.
        account: its 12 digits, or None for the default account.
        region: the AWS region.
    """
    with aws_errors(f"DynamoDB in {region}"):
        return DynamoDB(aws_client(settings, "dynamodb", account, region), region)
