"""What an export may ask for: the service's checks of a request, in its words as far as they are known.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from localcloud.aws.api.export_files import OLD_AND_NEW
from localcloud.aws.errors import DynamoDBError

INCREMENTAL = "INCREMENTAL_EXPORT"
SPECIFICATION = "IncrementalExportSpecification"
SHORTEST_WINDOW_SECONDS = 15 * 60
LONGEST_WINDOW_SECONDS = 24 * 3600
TABLE_ARN = re.compile(
    r"arn:aws:dynamodb:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):table/(?P<table>[\w.-]+)"
)
# What a field must match, from the service's model.
PATTERNS: Mapping[str, str] = {
    "S3Bucket": r"[a-z0-9A-Z]+[\.\-\w]*[a-z0-9A-Z]+",
    "S3BucketOwner": r"[0-9]{12}",
    "S3Prefix": r"(?s:.{1,1024})",
    "ClientToken": r"[^\$]+",
    "ExportFormat": "DYNAMODB_JSON|ION",
    "ExportType": "FULL_EXPORT|INCREMENTAL_EXPORT",
    "S3SseAlgorithm": "AES256|KMS",
    "S3SseKmsKeyId": r"[\w:/-]{1,2048}",
}
# By the type, and whether there is a window.
TYPE_FAULTS: Mapping[tuple[str | None, bool], str] = {
    (None, True): (
        "Export Type expected to be Incremental Export when incremental export specification is provided"
    ),
    ("FULL_EXPORT", True): (
        "When Export Type is Full Export , Incremental Export Specification should not be provided"
    ),
    (INCREMENTAL, False): (
        "Incremental Export Specification expected when export type is set as Incremental Export"
    ),
}
VIEWS = (OLD_AND_NEW, "NEW_IMAGE")

Json = dict[str, Any]
Recovery = tuple[float, float] | None


def check_fields(request: Json) -> None:
    """Hold a request's fields to the model, and to each other.

    Raises:
        DynamoDBError: for the first that is wrong, or that the local cloud does not have.
    """
    for name in ("TableArn", "S3Bucket"):
        if name not in request:
            raise _invalid(
                f"1 validation error detected: Value null at '{_wire(name)}' failed to satisfy "
                "constraint: Member must not be null"
            )
    for name, pattern in PATTERNS.items():
        if name in request and not re.fullmatch(pattern, request[name]):
            allowed = f"Member must satisfy regular expression pattern: {pattern}"
            raise _invalid(_constraint(name, request[name], allowed))
    if not TABLE_ARN.fullmatch(request["TableArn"]):
        raise _invalid("One or more parameter values were invalid: tableArn is not a valid ARN")
    if "S3SseKmsKeyId" in request and request.get("S3SseAlgorithm") != "KMS":
        raise _invalid("Invalid Request: KMS Key Id is not supported for this encryption type")
    if request.get("ExportFormat") == "ION" or "FilterSpecification" in request:
        raise _invalid("ExportFormat ION and FilterSpecification: the local cloud does not have them")
    _check_type(request)


def _check_type(request: Json) -> None:
    specification = request.get(SPECIFICATION)
    fault = TYPE_FAULTS.get((request.get("ExportType"), specification is not None))
    if fault:
        raise _invalid(f"Invalid Request: {fault}")
    if specification is None:
        return
    if "ExportFromTime" not in specification:
        raise _invalid("Invalid Request: ExportFromTime must be provided in IncrementalExportSpecification")
    view = specification.get("ExportViewType", OLD_AND_NEW)
    if view not in VIEWS:
        allowed = f"Member must satisfy enum value set: [{', '.join(VIEWS)}]"
        raise _invalid(_constraint("incrementalExportSpecification.exportViewType", view, allowed))


def check_window(specification: Json, created_at: float, now: int) -> None:
    """Hold the window of an incremental export to the table's life, to the clock and to the lengths it may have.

    Args:
        specification: with both times, in epoch seconds.
        created_at: when the table was created.
        now: the end of the present second.

    Raises:
        DynamoDBError: if it is not exportable.
    """
    start, end = specification["ExportFromTime"], specification["ExportToTime"]
    between = "Difference between export period from time and export period to time is"
    if start < int(created_at):
        raise _untimely(
            f"Incremental export period from time cannot be less than the table creation time : {_shown(start)}"
        )
    if end > now:
        raise _untimely(
            f"Incremental export period to time cannot be greater than the current time : {_shown(end)}"
        )
    if start >= end:
        raise _untimely(
            "Incremental export period from time should not be greater or equal to incremental export period to time"
        )
    if end - start < SHORTEST_WINDOW_SECONDS:
        raise _untimely(f"{between} less than 15 minutes")
    if end - start > LONGEST_WINDOW_SECONDS:
        raise _untimely(f"{between} greater than 24 hours")


def check_recovery(request: Json, table: str, recovery: Recovery, now: int) -> None:
    """Hold the time or the beginning of the window to what can be recovered.

    Args:
        request: the request.
        table: the table's name.
        recovery: the earliest and latest time that can be recovered, or None without recovery.
        now: the end of the present second.

    Raises:
        DynamoDBError: if it cannot be.
    """
    if recovery is None:
        raise DynamoDBError(
            "PointInTimeRecoveryUnavailableException",
            f"Point in time recovery is not enabled for table '{table}'",
        )
    earliest, latest = recovery
    if request.get("ExportType") == INCREMENTAL:
        if request[SPECIFICATION]["ExportFromTime"] < int(earliest):
            raise _untimely(
                "Incremental export period from time is not within the point in time recovery window"
            )
        return
    time = request.get("ExportTime")
    if time is None:
        return
    if time < int(earliest) or time > now:
        raise _untimely("Export Time is invalid")
    if time > latest:
        raise _untimely("Point in Time Recovery is not available for specified export time")


def _constraint(name: str, value: Any, constraint: str) -> str:
    return f"1 validation error detected: Value '{value}' at '{_wire(name)}' failed to satisfy constraint: {constraint}"


def _wire(name: str) -> str:
    return name[0].lower() + name[1:]


def _shown(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _invalid(message: str) -> DynamoDBError:
    return DynamoDBError("ValidationException", message)


def _untimely(message: str) -> DynamoDBError:
    return DynamoDBError("InvalidExportTimeException", message)
