"""Read the manifest of a full export: a summary and a list of data files, each with an MD5 file.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from d2c.export_format.errors import ExportFormatError

SUMMARY_FILE = "manifest-summary.json"
SUMMARY_MD5_FILE = "manifest-summary.md5"
FILE_LIST_FILE = "manifest-files.json"
FILE_LIST_MD5_FILE = "manifest-files.md5"
MANIFEST_FILES = (FILE_LIST_FILE, FILE_LIST_MD5_FILE, SUMMARY_MD5_FILE, SUMMARY_FILE)

FULL_EXPORT_VERSION = "2020-06-30"


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


@dataclass(frozen=True)
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
            f"{SUMMARY_FILE} is of {summary.export_arn} instead of {export_arn}.",
            "Stop other writers to the export's folder, then start again.",
        )
    files = parse_file_list(_checked(read, FILE_LIST_FILE, FILE_LIST_MD5_FILE), export_arn.rpartition("/")[2])
    listed = sum(file.item_count for file in files)
    if listed != summary.item_count:
        raise ExportFormatError(
            f"{FILE_LIST_FILE} lists {listed} items, but {SUMMARY_FILE} has {summary.item_count}."
        )
    return ExportManifest(summary, files)


def parse_summary(content: bytes) -> ManifestSummary:
    """Read the summary of a full export.

    Raises:
        ExportFormatError: if it is not a summary of a full export.
    """
    summary = _json_object(content, SUMMARY_FILE)
    if summary.get("version") != FULL_EXPORT_VERSION or summary.get("outputFormat") != "DYNAMODB_JSON":
        raise ExportFormatError(
            f"{SUMMARY_FILE} is of version {summary.get('version')!r} and format {summary.get('outputFormat')!r}, "
            f"not of a full export in DynamoDB JSON (version {FULL_EXPORT_VERSION!r}).",
            "Export the table in full, as DYNAMODB_JSON.",
        )
    return ManifestSummary(
        export_arn=_field(summary, "exportArn", str, SUMMARY_FILE),
        table_arn=_field(summary, "tableArn", str, SUMMARY_FILE),
        item_count=_field(summary, "itemCount", int, SUMMARY_FILE),
        billed_size_bytes=_field(summary, "billedSizeBytes", int, SUMMARY_FILE),
        export_time=str(summary.get("exportTime") or ""),
        s3_bucket=str(summary.get("s3Bucket") or ""),
        s3_prefix=str(summary.get("s3Prefix") or ""),
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
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line:
            continue
        where = f"{FILE_LIST_FILE} line {number}"
        entry = _json_object(line, where)
        key = _field(entry, "dataFileS3Key", str, where)
        name = key.rpartition("/")[2]
        if not key.endswith(f"AWSDynamoDB/{export_id}/data/{name}") or not name:
            raise ExportFormatError(f"{where} has {key!r}, which is not in the export's own data folder.")
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
        raise ExportFormatError(f"{name} has the MD5 {actual}, which differs from {sidecar}.")
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
    if type(value) is not kind or (isinstance(value, int) and value < 0):
        raise ExportFormatError(f"{where} has no valid {name}: {value!r}.")
    return value
