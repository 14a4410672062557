"""Exports to S3 with the service's rules: point-in-time recovery, export times, client tokens, states, errors.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html

A full export holds the items as they were at its ``ExportTime``, an incremental one the net changes of its window; both
come from the log of writes. Ion and filters are refused.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any

import orjson

from localcloud.aws.api import backends
from localcloud.aws.api.export_job import Export, completed, describe, new_export, objects_of
from localcloud.aws.api.export_requests import (
    INCREMENTAL,
    SPECIFICATION,
    check_fields,
    check_recovery,
    check_window,
)
from localcloud.aws.api.write_log import WriteLog
from localcloud.aws.clock import Clock
from localcloud.aws.errors import DynamoDBError
from localcloud.aws.iam.access import Caller
from localcloud.common.names import AWS_ACCOUNT

logger = logging.getLogger(__name__)
TOKEN_LIFETIME_SECONDS = 8 * 3600
MOST_CONCURRENT_EXPORTS = 300
DAY_SECONDS = 86_400
# Parameters that must be the same when a client token comes again.
TOKEN_FIELDS = (
    "TableArn",
    "S3Bucket",
    "S3BucketOwner",
    "S3Prefix",
    "S3SseAlgorithm",
    "S3SseKmsKeyId",
    "ExportFormat",
    "ExportTime",
    "ExportType",
    "IncrementalExportSpecification",
)
# What S3 calls the algorithms of an export.
ENCRYPTIONS = {"AES256": "AES256", "KMS": "aws:kms"}
Json = dict[str, Any]


class Exports:
    """All exports of all accounts.

    Args:
        exports: by ARN, as they were saved.
        log: the log of writes.
        clock: the service's.
        seconds: how long an export takes.
        restorable_lag_seconds: how far the latest restorable time is behind now.
    """

    def __init__(
        self,
        exports: dict[str, Export],
        log: WriteLog,
        clock: Clock,
        *,
        seconds: float,
        restorable_lag_seconds: float,
    ) -> None:
        self.by_arn = exports
        self._log = log
        self._clock = clock
        self._seconds = seconds
        self._lag = restorable_lag_seconds
        self._lock = threading.Lock()
        for arn, export in exports.items():
            if export.under_way:
                self._finish_later(arn)

    def start(self, caller: Caller, region: str, request: Json, may_write: Callable[[], bool]) -> Json:
        """Answer ExportTableToPointInTime.

        Args:
            caller: who asks.
            region: where.
            request: what was asked.
            may_write: tells whether the caller may put objects where the export is to be; asked once all else is well.
        """
        with self._lock:
            repeated = self._repeated(request)
            if repeated:
                return {"ExportDescription": repeated.description}
            table = self._exportable_table(caller, region, request)
            export = new_export(request, table, self._clock.now())
            export.may_write = may_write() and request.get("S3BucketOwner", caller.account) == AWS_ACCOUNT
            arn = export.description["ExportArn"]
            self.by_arn[arn] = export
        if export.may_write and backends.bucket_exists(request["S3Bucket"]):
            _put(export, f"{describe(export).folder}/_started", b"")
        self._finish_later(arn)
        return {"ExportDescription": dict(export.description)}

    def describe(self, caller: Caller, region: str, request: Json) -> Json:
        """Answer DescribeExport."""
        arn = request.get("ExportArn", "")
        if "/export/" not in arn:
            raise DynamoDBError("ValidationException", "Invalid Export ARN")
        _check_account(caller, arn)
        if f":{region}:" not in arn:
            raise DynamoDBError("ExportNotFoundException", "Export not found: Invalid export arn")
        export = self.by_arn.get(arn)
        if export is None:
            raise DynamoDBError("ExportNotFoundException", f"Export not found: Export not found: {arn}")
        return {"ExportDescription": dict(export.description)}

    def list(self, caller: Caller, region: str, request: Json) -> Json:
        """Answer ListExports: newest first, and none of a table that is no more."""
        size = request.get("MaxResults", 25)
        if not 1 <= size <= 25:
            raise DynamoDBError("ValidationException", f"MaxResults {size} must be from 1 to 25")
        offset = request.get("NextToken", "0")
        if not str(offset).isdigit():
            raise DynamoDBError("ValidationException", "Invalid NextToken")
        wanted = request.get("TableArn")
        found = [
            {
                "ExportArn": arn,
                "ExportStatus": export.description["ExportStatus"],
                "ExportType": export.kind,
            }
            for arn, export in sorted(self.by_arn.items(), key=lambda pair: -pair[1].description["StartTime"])
            if (wanted is None or export.description["TableArn"] == wanted)
            and f":{region}:{caller.account}:" in arn
            and _is_of_the_table(caller.account, region, export.description)
        ]
        page = found[int(offset) : int(offset) + size]
        following = int(offset) + size
        return {"ExportSummaries": page, **({"NextToken": str(following)} if following < len(found) else {})}

    def recovery_window(self, table: Any) -> tuple[float, float] | None:
        """Return the earliest and latest time to export a table as of, in epoch seconds, or None without recovery."""
        recovery = table.continuous_backups["PointInTimeRecoveryDescription"]
        if recovery["PointInTimeRecoveryStatus"] != "ENABLED":
            return None
        period = recovery.get("RecoveryPeriodInDays", 35) * DAY_SECONDS
        earliest = max(float(recovery["EarliestRestorableDateTime"]), self._clock.now() - period)
        # Clients send whole seconds: the one that runs is at its end when an export of it is written.
        return earliest, max(earliest, self._clock.next_second() - self._lag)

    def _repeated(self, request: Json) -> Export | None:
        """Return the export that a client token started before, if the token still holds."""
        token = request.get("ClientToken")
        for export in self.by_arn.values():
            ended = export.description.get("EndTime")
            if export.asked.get("ClientToken") != token or token is None:
                continue
            if ended is not None and self._clock.now() - ended > TOKEN_LIFETIME_SECONDS:
                continue
            if any(export.asked.get(name) != request.get(name) for name in TOKEN_FIELDS):
                raise DynamoDBError(
                    "ExportConflictException",
                    "Export conflict: Duplicate request detected with conflicting parameters",
                )
            return export
        return None

    def _exportable_table(self, caller: Caller, region: str, request: Json) -> Any:
        """Check a request; the order of the checks is the service's as far as it is known."""
        check_fields(request)
        _check_account(caller, request["TableArn"])
        name = request["TableArn"].rpartition("/")[2]
        table = f":{region}:" in request["TableArn"] and backends.find_table(caller.account, region, name)
        if not table:
            raise DynamoDBError("TableNotFoundException", f"Table not found: {request['TableArn']}")
        now = self._clock.next_second()
        whole = completed(request, int(self._clock.now()))
        if request.get("ExportType") == INCREMENTAL:
            check_window(whole[SPECIFICATION], backends.created_at(table), now)
        check_recovery(whole, name, self.recovery_window(table), now)
        if sum(export.under_way for export in self.by_arn.values()) >= MOST_CONCURRENT_EXPORTS:
            raise DynamoDBError("LimitExceededException", "Too many concurrent exports")
        return table

    def _finish_later(self, arn: str) -> None:
        wait = max(self._seconds, self.by_arn[arn].as_of - self._clock.now())
        timer = threading.Timer(wait, self._finish, [arn])
        timer.daemon = True
        timer.start()

    def _finish(self, arn: str) -> None:
        export = self.by_arn[arn]
        bucket = export.request["S3Bucket"]
        export.description["EndTime"] = self._clock.now()
        if not backends.bucket_exists(bucket):
            _fail(export, "S3NoSuchBucket", f"The specified bucket does not exist: {bucket}")
            return
        if not export.may_write:
            _fail(export, "S3AccessDenied", "Access Denied")
            return
        try:
            self._write(export)
        except Exception as error:
            logger.exception("The export %s could not be written", arn)
            _fail(export, "UNKNOWN", f"The local cloud failed: {type(error).__name__}; its log says why.")
        export.table = None

    def _write(self, export: Export) -> None:
        summary: Json = {}
        manifest_key = f"{describe(export).folder}/manifest-summary.json"
        for key, content in objects_of(export, self._log):
            _put(export, key, content)
            if key == manifest_key:
                summary = orjson.loads(content)
        export.description |= {
            "ExportStatus": "COMPLETED",
            "ExportManifest": manifest_key,
            "ItemCount": summary["itemCount"],
            "BilledSizeBytes": summary["billedSizeBytes"],
        }


def _put(export: Export, key: str, content: bytes) -> None:
    """Write one of an export's objects, encrypted as the export was asked to."""
    algorithm, kms_key = (
        ENCRYPTIONS[export.description["S3SseAlgorithm"]],
        export.request.get("S3SseKmsKeyId"),
    )
    backends.put_object(export.request["S3Bucket"], key, content, algorithm, kms_key)


def _is_of_the_table(account: str, region: str, description: Json) -> bool:
    """Return whether the table that was exported is there still, and not another one of its name."""
    table = backends.find_table(account, region, description["TableArn"].rpartition("/")[2])
    return bool(table) and backends.table_id(table) == description["TableId"]


def _check_account(caller: Caller, arn: str) -> None:
    if f":{caller.account}:" not in arn:
        raise DynamoDBError("AccessDeniedException", "Access is denied")


def _fail(export: Export, code: str, message: str) -> None:
    export.description |= {"ExportStatus": "FAILED", "FailureCode": code, "FailureMessage": message}
