"""One export: what it was asked for, how it is described, and the objects that it writes."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from localcloud.aws.api import backends
from localcloud.aws.api.export_files import (
    OLD_AND_NEW,
    ExportDescription,
    Window,
    change_objects,
    export_objects,
)
from localcloud.aws.api.export_requests import INCREMENTAL, SPECIFICATION
from localcloud.aws.api.recording import MICROS, items_as_of
from localcloud.aws.api.write_log import WriteLog

# What a description has as the request had it.
ECHOED = (
    "ClientToken",
    "S3Bucket",
    "S3BucketOwner",
    "S3Prefix",
    "S3SseKmsKeyId",
    "ExportType",
    SPECIFICATION,
)

Json = dict[str, Any]


@dataclass
class Export:
    """One export.

    ``asked`` is what was asked for and ``request`` the same with defaults; ``table`` is moto's, until the export has
    ended: it may be deleted meanwhile.
    """

    asked: Json
    request: Json
    description: Json
    table: Any = field(default=None, repr=False)
    may_write: bool = True

    @property
    def kind(self) -> str:
        """The type, which the description has only if the request had it."""
        return str(self.request.get("ExportType", "FULL_EXPORT"))

    @property
    def under_way(self) -> bool:
        """Whether it is neither complete nor failed."""
        return bool(self.description["ExportStatus"] == "IN_PROGRESS")

    @property
    def as_of(self) -> float:
        """The time whose state it holds, in epoch seconds."""
        if self.kind == INCREMENTAL:
            return float(self.request[SPECIFICATION]["ExportToTime"])
        return float(self.description["ExportTime"])


def completed(request: Json, now: int) -> Json:
    """Return a request with what the service adds to the window of an incremental export."""
    if SPECIFICATION not in request:
        return request
    added = {"ExportToTime": now, "ExportViewType": OLD_AND_NEW}
    return {**request, SPECIFICATION: {**added, **request[SPECIFICATION]}}


def new_export(asked: Json, table: Any, now: float) -> Export:
    """Return an export that begins."""
    request = completed(asked, int(now))
    is_full = request.get("ExportType") != INCREMENTAL
    # The ids of incremental exports have whole seconds.
    started = now if is_full else float(int(now))
    export_id = f"0{int(started * 1000)}-{random.getrandbits(32):08x}"
    table_arn = request["TableArn"]
    description: Json = {
        "ExportArn": f"{table_arn}/export/{export_id}",
        "ExportStatus": "IN_PROGRESS",
        "StartTime": started,
        "TableArn": table_arn,
        "TableId": backends.table_id(table),
        "S3SseAlgorithm": request.get("S3SseAlgorithm", "AES256"),
        "ExportFormat": "DYNAMODB_JSON",
        **({"ExportTime": request.get("ExportTime", started)} if is_full else {}),
        **{name: request[name] for name in ECHOED if name in request},
    }
    return Export(asked, request, description, table)


def objects_of(export: Export, log: WriteLog) -> Iterator[tuple[str, bytes]]:
    """Return keys and contents of what an export writes, its manifests last."""
    described = describe(export)
    if export.kind != INCREMENTAL:
        micros = int(export.description["ExportTime"] * MICROS)
        # moto replaces a table when a transaction fails; of one that was deleted the export has the last there was.
        table = backends.find_table_by_id(export.description["TableId"]) or export.table
        return export_objects(described, items_as_of(log, table, micros))
    window = export.request[SPECIFICATION]
    changes = log.net_changes(
        export.description["TableId"], window["ExportFromTime"] * MICROS, window["ExportToTime"] * MICROS
    )
    return change_objects(described, changes)


def describe(export: Export) -> ExportDescription:
    """Return what an export's manifest says of it."""
    description = export.description
    return ExportDescription(
        export_arn=description["ExportArn"],
        table_arn=description["TableArn"],
        table_id=description["TableId"],
        start_time=_iso(description["StartTime"]),
        end_time=_iso(description.get("EndTime") or description["StartTime"]),
        export_time=_iso(export.as_of),
        bucket=description["S3Bucket"],
        prefix=description.get("S3Prefix"),
        window=_window(export),
        sse_algorithm=description["S3SseAlgorithm"],
        kms_key=description.get("S3SseKmsKeyId"),
    )


def _window(export: Export) -> Window | None:
    asked = export.request.get(SPECIFICATION)
    if asked is None:
        return None
    return Window(_iso(asked["ExportFromTime"]), _iso(asked["ExportToTime"]), asked["ExportViewType"])


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
