"""Read the manifest of a full export: a summary and a list of data files, each with an MD5 file.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

import base64
import hashlib
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from d2c.export_format.errors import ExportFormatError, UnfinishedExportError, WrongExportError
from d2c.foreign_json import quoted

SUMMARY_FILE = "manifest-summary.json"
SUMMARY_MD5_FILE = "manifest-summary.md5"
FILE_LIST_FILE = "manifest-files.json"
FILE_LIST_MD5_FILE = "manifest-files.md5"
MANIFEST_FILES = (FILE_LIST_FILE, FILE_LIST_MD5_FILE, SUMMARY_MD5_FILE, SUMMARY_FILE)

# How much is read of each: a line of the list has some 220 bytes, so that is the list of 600,000 data files.
MOST_BYTES = {
    SUMMARY_FILE: 2**20,
    SUMMARY_MD5_FILE: 2**10,
    FILE_LIST_FILE: 128 * 2**20,
    FILE_LIST_MD5_FILE: 2**10,
}
MOST_CHARACTERS = 2**10
DATA_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,254}")

FULL_EXPORT_VERSION = "2020-06-30"
INCREMENTAL_EXPORT = "INCREMENTAL_EXPORT"


@dataclass(frozen=True)
class ManifestSummary:
    """The summary of an export.

    ``billed_size_bytes`` is the table's size and may be 0 for a small one. The last three are the export's
    origin; a load does not need them, so they may be empty.
    """

    export_arn: str
    table_arn: str
    item_count: int
    billed_size_bytes: int
    export_time: str
    s3_bucket: str
    s3_prefix: str


@dataclass(frozen=True, slots=True)
class DataFile:
    """One data file of an export: its S3 key, the key's last part, its items, and the base64 MD5 of its bytes."""

    key: str
    name: str
    item_count: int
    md5: str


@dataclass(frozen=True)
class ExportManifest:
    """An export's summary and the data files that belong to it."""

    summary: ManifestSummary
    files: tuple[DataFile, ...]


def read_export_manifest(read: Callable[[str], bytes], *, export_arn: str, table_arn: str) -> ExportManifest:
    """Read an export's manifest and check that it is complete and of the expected export.

    Args:
        read: returns a file of the export's folder by its name.
        export_arn: the expected export.
        table_arn: the expected table.

    Raises:
        ExportFormatError: with the file and its fault.
    """
    summary = parse_summary(_checked(read, SUMMARY_FILE, SUMMARY_MD5_FILE))
    if (summary.export_arn, summary.table_arn) != (export_arn, table_arn):
        raise ExportFormatError(
            f"{SUMMARY_FILE} is of {quoted(summary.export_arn)} instead of {export_arn}.",
            "Stop other writers to the export's folder, then start again.",
        )
    files = parse_file_list(_checked(read, FILE_LIST_FILE, FILE_LIST_MD5_FILE), export_arn.rpartition("/")[2])
    listed = sum(file.item_count for file in files)
    if listed != summary.item_count:
        raise ExportFormatError(
            f"{FILE_LIST_FILE} lists {listed} items, but {SUMMARY_FILE} has {summary.item_count}."
        )
    return ExportManifest(summary, files)


def check_sizes(sizes: Mapping[str, int]) -> None:
    """Check the sizes of an export's manifests, by name, before any is read whole.

    Raises:
        ExportFormatError: with the first that is too large.
    """
    for name, most_bytes in MOST_BYTES.items():
        if sizes.get(name, 0) > most_bytes:
            raise ExportFormatError(
                f"{name} has {sizes[name]:,} bytes, and no more than {most_bytes:,} are read of it."
            )


def parse_summary(content: bytes) -> ManifestSummary:
    """Read the summary of a full export.

    Raises:
        WrongExportError: if it is that of another kind of export.
        ExportFormatError: if it is not a summary.
    """
    summary = _json_object(content, SUMMARY_FILE)
    _check_kind(summary)
    return ManifestSummary(
        export_arn=_field(summary, "exportArn", str, SUMMARY_FILE),
        table_arn=_field(summary, "tableArn", str, SUMMARY_FILE),
        item_count=_field(summary, "itemCount", int, SUMMARY_FILE),
        billed_size_bytes=_field(summary, "billedSizeBytes", int, SUMMARY_FILE),
        export_time=_time(summary.get("exportTime")),
        s3_bucket=_optional_text(summary, "s3Bucket"),
        s3_prefix=_optional_text(summary, "s3Prefix"),
    )


def _check_kind(summary: Mapping[str, Any]) -> None:
    """Refuse an export that is no full one in DynamoDB JSON, and say what it is."""
    version, form = summary.get("version"), summary.get("outputFormat")
    if summary.get("exportType") == INCREMENTAL_EXPORT:
        raise WrongExportError(
            f"{SUMMARY_FILE} is that of an incremental export, which has the changes of a time and not the whole "
            "table. The export itself is sound.",
            "Export the table in full (ExportType FULL_EXPORT, ExportFormat DYNAMODB_JSON), and copy that export.",
            "The export is incremental",
        )
    if form == "ION":
        raise WrongExportError(
            f"{SUMMARY_FILE} is that of an export in Amazon Ion. The export itself is sound; d2c reads DynamoDB JSON.",
            "Export the table again with ExportFormat DYNAMODB_JSON, and copy that export.",
            "The export is in Amazon Ion",
        )
    if version != FULL_EXPORT_VERSION or form != "DYNAMODB_JSON":
        raise WrongExportError(
            f"{SUMMARY_FILE} is of version {quoted(version)} and format {quoted(form)}, "
            f"not of a full export in DynamoDB JSON (version {FULL_EXPORT_VERSION!r}).",
            "Export the table in full, as DYNAMODB_JSON.",
        )


def parse_file_list(content: bytes, export_id: str) -> tuple[DataFile, ...]:
    """Read the list of data files, one JSON object per line.

    Keys are relative to the bucket and include the export's prefix, so only their last part is valid after a copy.

    Args:
        content: the file's bytes.
        export_id: the last part of the export's ARN, which is the folder that every key must be in.

    Raises:
        ExportFormatError: if a line is not such an object, or has a file of another export or a duplicate.
    """
    files: dict[str, DataFile] = {}
    for number, ended_line in enumerate(io.BytesIO(content), 1):
        line = ended_line.removesuffix(b"\n")
        if not line:
            continue
        where = f"{FILE_LIST_FILE} line {number}"
        entry = _json_object(line, where)
        key = _field(entry, "dataFileS3Key", str, where)
        name = key.rpartition("/")[2]
        if not key.endswith(f"AWSDynamoDB/{export_id}/data/{name}"):
            raise ExportFormatError(
                f"{where} has {quoted(key)}, which is not in the export's own data folder."
            )
        if not DATA_FILE_NAME.fullmatch(name):
            raise ExportFormatError(f"{where} has {quoted(key)}, and no data file has such a name.")
        if name in files:
            raise ExportFormatError(f"{where} lists {name} a second time.")
        items, md5 = _field(entry, "itemCount", int, where), _field(entry, "md5Checksum", str, where)
        files[name] = DataFile(key, name, items, md5)
    return tuple(files.values())


def md5_base64(content: bytes | memoryview) -> str:
    """Return the MD5 of bytes in base64, as in manifests."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def _checked(read: Callable[[str], bytes], name: str, sidecar: str) -> bytes:
    """Return a manifest's bytes after checking them against the MD5 in its MD5 file."""
    content, expected = read(name), read(sidecar)
    actual = md5_base64(content)
    if actual.encode() != expected.strip():
        raise UnfinishedExportError(f"{name} has the MD5 {actual}, which differs from {sidecar}.")
    return content


def _json_object(content: bytes, where: str) -> Mapping[str, Any]:
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ExportFormatError(f"{where} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ExportFormatError(f"{where} is not a JSON object.")
    return value


def _field(entry: Mapping[str, Any], name: str, kind: type, where: str) -> Any:
    value = entry.get(name)
    if type(value) is not kind or not _is_bounded(value):
        raise ExportFormatError(f"{where} has no valid {name}: {quoted(value)}.")
    return value


def _is_bounded(value: Any) -> bool:
    return bool(value >= 0 if isinstance(value, int) else len(value) <= MOST_CHARACTERS)


def _optional_text(summary: Mapping[str, Any], name: str) -> str:
    """Return a text that a load does not need; empty if there is none."""
    return "" if summary.get(name) is None else str(_field(summary, name, str, SUMMARY_FILE))


def _time(value: Any) -> str:
    """Return the time as of which a table was exported; empty if there is none."""
    if value is None:
        return ""
    try:
        has_offset = datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        has_offset = False
    if not has_offset:
        raise ExportFormatError(f"{SUMMARY_FILE} has no valid exportTime: {quoted(value)}.")
    return str(value)
