"""Exports to S3 with the service's rules: point-in-time recovery, export times, client tokens, states, errors.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html

An export holds the items as they are when it starts; an ``ExportTime`` in the past is checked against the recovery
window and else ignored. Incremental exports, Ion and filters are refused.
"""

import logging
import random
import re
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from localcloud.aws.api import backends
from localcloud.aws.api.export_files import ExportDescription, export_objects
from localcloud.aws.errors import DynamoDBError
from localcloud.aws.iam.access import Caller
from localcloud.common.names import AWS_ACCOUNT

logger = logging.getLogger(__name__)
TOKEN_LIFETIME_SECONDS = 8 * 3600
MOST_CONCURRENT_EXPORTS = 300
# Parameters that must be the same when a client token comes again.
TOKEN_FIELDS = (
    "TableArn",
    "S3Bucket",
    "S3BucketOwner",
    "S3Prefix",
    "S3SseAlgorithm",
    "ExportFormat",
    "ExportTime",
)
TABLE_ARN = re.compile(
    r"arn:aws:dynamodb:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):table/(?P<table>[\w.-]+)"
)
NOT_SIMULATED = ("IncrementalExportSpecification", "FilterSpecification", "S3SseKmsKeyId")

Json = dict[str, Any]


@dataclass
class Export:
    """One export: what was asked for, its state, and while it runs the items that it will hold."""

    request: Json
    description: Json
    items: list[Json] = field(default_factory=list, repr=False)
    may_write: bool = True

    @property
    def under_way(self) -> bool:
        """Whether it is neither complete nor failed."""
        return bool(self.description["ExportStatus"] == "IN_PROGRESS")


class Exports:
    """All exports of all accounts.

    Args:
        exports: by ARN, as they were saved.
        seconds: how long an export takes.
        restorable_lag_seconds: how far the latest restorable time is behind now.
    """

    def __init__(self, exports: dict[str, Export], *, seconds: float, restorable_lag_seconds: float) -> None:
        self.by_arn = exports
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
            export = self._new_export(request, table)
            export.may_write = may_write() and request.get("S3BucketOwner", caller.account) == AWS_ACCOUNT
            arn = export.description["ExportArn"]
            self.by_arn[arn] = export
        if export.may_write and backends.bucket_exists(request["S3Bucket"]):
            backends.put_object(request["S3Bucket"], f"{_describe(export).folder}/_started", b"")
        self._finish_later(arn)
        return {"ExportDescription": dict(export.description)}

    def describe(self, caller: Caller, region: str, request: Json) -> Json:
        """Answer DescribeExport."""
        arn = request.get("ExportArn", "")
        if "/export/" not in arn:
            raise DynamoDBError("ValidationException", "Invalid Export ARN")
        _check_own(caller, region, arn)
        export = self.by_arn.get(arn)
        if export is None:
            raise DynamoDBError("ExportNotFoundException", f"Export not found: {arn}")
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
                "ExportType": "FULL_EXPORT",
            }
            for arn, export in sorted(self.by_arn.items(), key=lambda pair: -pair[1].description["StartTime"])
            if (wanted is None or export.description["TableArn"] == wanted)
            and f":{region}:{caller.account}:" in arn
            and backends.find_table(caller.account, region, export.description["TableArn"].rpartition("/")[2])
        ]
        page = found[int(offset) : int(offset) + size]
        following = int(offset) + size
        return {"ExportSummaries": page, **({"NextToken": str(following)} if following < len(found) else {})}

    def recovery_window(self, table: Any) -> tuple[float, float] | None:
        """Return the earliest and latest time to export a table as of, in epoch seconds, or None without recovery."""
        recovery = table.continuous_backups["PointInTimeRecoveryDescription"]
        if recovery["PointInTimeRecoveryStatus"] != "ENABLED":
            return None
        earliest = float(recovery["EarliestRestorableDateTime"])
        return earliest, max(earliest, time.time() - self._lag)

    def _repeated(self, request: Json) -> Export | None:
        """Return the export that a client token started before, if the token still holds."""
        token = request.get("ClientToken")
        for export in self.by_arn.values():
            ended = export.description.get("EndTime")
            if export.request.get("ClientToken") != token or token is None:
                continue
            if ended is not None and time.time() - ended > TOKEN_LIFETIME_SECONDS:
                continue
            if any(export.request.get(name) != request.get(name) for name in TOKEN_FIELDS):
                raise DynamoDBError("ExportConflictException", "Duplicate request detected")
            return export
        return None

    def _exportable_table(self, caller: Caller, region: str, request: Json) -> Any:
        """Check a request; the order of the checks is the service's as far as it is known."""
        _check_request(request)
        parts = TABLE_ARN.fullmatch(request["TableArn"])
        if not parts:
            raise DynamoDBError("ValidationException", f"Invalid TableArn: {request['TableArn']}")
        _check_own(caller, region, request["TableArn"])
        table = backends.find_table(caller.account, region, parts["table"])
        if table is None:
            raise DynamoDBError("TableNotFoundException", f"Table not found: {request['TableArn']}")
        window = self.recovery_window(table)
        if window is None:
            raise DynamoDBError(
                "PointInTimeRecoveryUnavailableException",
                f"Point in time recovery is not enabled for table '{parts['table']}'",
            )
        if "ExportTime" in request and not window[0] - 1 <= request["ExportTime"] <= window[1] + 1:
            raise DynamoDBError(
                "InvalidExportTimeException", "The export time is outside the recovery window"
            )
        if sum(export.under_way for export in self.by_arn.values()) >= MOST_CONCURRENT_EXPORTS:
            raise DynamoDBError("LimitExceededException", "Too many concurrent exports")
        return table

    def _new_export(self, request: Json, table: Any) -> Export:
        now = time.time()
        export_id = f"0{int(now * 1000)}-{random.getrandbits(32):08x}"
        table_arn = request["TableArn"]
        description: Json = {
            "ExportArn": f"{table_arn}/export/{export_id}",
            "ExportStatus": "IN_PROGRESS",
            "StartTime": now,
            "TableArn": table_arn,
            "TableId": table_id(table),
            "ExportTime": request.get("ExportTime", now),
            "S3SseAlgorithm": request.get("S3SseAlgorithm", "AES256"),
            "ExportFormat": "DYNAMODB_JSON",
            **{
                name: request[name]
                for name in ("ClientToken", "S3Bucket", "S3BucketOwner", "S3Prefix", "ExportType")
                if name in request
            },
        }
        return Export(request, description, backends.table_items(table))

    def _finish_later(self, arn: str) -> None:
        timer = threading.Timer(self._seconds, self._finish, [arn])
        timer.daemon = True
        timer.start()

    def _finish(self, arn: str) -> None:
        export = self.by_arn[arn]
        bucket = export.request["S3Bucket"]
        export.description["EndTime"] = time.time()
        if not backends.bucket_exists(bucket):
            _fail(export, "S3NoSuchBucket", f"The specified bucket does not exist: {bucket}")
            return
        if not export.may_write:
            _fail(export, "S3AccessDenied", "Access Denied")
            return
        try:
            self._write(export, bucket)
        except Exception as error:
            logger.exception("The export %s could not be written", arn)
            _fail(export, "UNKNOWN", f"The local cloud failed: {type(error).__name__}; its log says why.")
        export.items = []

    def _write(self, export: Export, bucket: str) -> None:
        described = _describe(export)
        for key, content in export_objects(described, export.items):
            backends.put_object(bucket, key, content)
        export.description |= {
            "ExportStatus": "COMPLETED",
            "ExportManifest": f"{described.folder}/manifest-summary.json",
            "ItemCount": len(export.items),
            "BilledSizeBytes": described.billed_size_bytes,
        }


def _check_own(caller: Caller, region: str, arn: str) -> None:
    if not arn.startswith(f"arn:aws:dynamodb:{region}:{caller.account}:"):
        raise DynamoDBError("AccessDeniedException", f"{arn} is of another account or region")


def _fail(export: Export, code: str, message: str) -> None:
    export.description |= {"ExportStatus": "FAILED", "FailureCode": code, "FailureMessage": message}


def table_id(table: Any) -> str:
    """Return a table's id, which moto does not have: a UUID made of its ARN."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, table.table_arn))


def _check_request(request: Json) -> None:
    for name in ("TableArn", "S3Bucket"):
        if not request.get(name):
            raise DynamoDBError("ValidationException", f"The parameter {name} is required")
    if request.get("S3Prefix") == "":
        raise DynamoDBError("ValidationException", "S3Prefix must not be empty")
    for name, allowed in (
        ("ExportFormat", ("DYNAMODB_JSON",)),
        ("ExportType", ("FULL_EXPORT",)),
        ("S3SseAlgorithm", ("AES256",)),
    ):
        if request.get(name, allowed[0]) not in allowed:
            raise DynamoDBError(
                "ValidationException",
                f"{name} {request[name]!r}: the local cloud has {', '.join(allowed)} only",
            )
    for name in NOT_SIMULATED:
        if request.get(name):
            raise DynamoDBError("ValidationException", f"{name}: the local cloud does not have it")


def _describe(export: Export) -> ExportDescription:
    description = export.description
    return ExportDescription(
        export_arn=description["ExportArn"],
        table_arn=description["TableArn"],
        table_id=description["TableId"],
        start_time=_iso(description["StartTime"]),
        end_time=_iso(description.get("EndTime") or description["StartTime"]),
        export_time=_iso(description["ExportTime"]),
        bucket=description["S3Bucket"],
        prefix=description.get("S3Prefix"),
        billed_size_bytes=backends.size_of(export.items),
    )


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
