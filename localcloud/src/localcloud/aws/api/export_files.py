"""The files of an export, full or incremental, as DynamoDB lays them out in S3.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

import gzip
import hashlib
import random
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

import orjson

from d2c.export_format.manifest import md5_base64
from localcloud.aws.api.write_log import Change

FILE_NAME_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
FILE_NAME_LENGTH = 26
# The service spreads even a small table over several files, some of them empty.
FILLED_FILES = 3
ITEMS_PER_FILE = 20_000
FORTY_DIGITS = Context(prec=40)
# An incremental export is billed for 10 MB at least, even without a change.
LEAST_BILLED_CHANGES = 10_000_000
OLD_AND_NEW = "NEW_AND_OLD_IMAGES"

Json = dict[str, Any]


@dataclass(frozen=True)
class Window:
    """The window of an incremental export: ``start`` inclusive, ``end`` exclusive, and what its records hold."""

    start: str
    end: str
    view: str


@dataclass(frozen=True)
class ExportDescription:
    """What a manifest says of its export; times are ISO 8601 in UTC with milliseconds and ``Z``.

    ``billed_size_bytes`` is what is written if None; ``window`` is None for a full export.
    """

    export_arn: str
    table_arn: str
    table_id: str
    start_time: str
    end_time: str
    export_time: str
    bucket: str
    prefix: str | None
    billed_size_bytes: int | None = None
    window: Window | None = None
    sse_algorithm: str = "AES256"
    kms_key: str | None = None

    @property
    def folder(self) -> str:
        """The key of the export's folder."""
        return f"{self._root}/{self.export_arn.rpartition('/')[2]}"

    @property
    def data_folder(self) -> str:
        """The key of the folder of its data files, which all incremental exports under a prefix share."""
        return f"{self._root}/data" if self.window else f"{self.folder}/data"

    @property
    def _root(self) -> str:
        return f"{self.prefix}/AWSDynamoDB" if self.prefix else "AWSDynamoDB"


def export_objects(export: ExportDescription, items: Iterable[Json]) -> Iterator[tuple[str, bytes]]:
    """Return keys and contents of a full export's objects in the order in which they appear: manifests last.

    Args:
        export: what the manifest says.
        items: the table's items in DynamoDB JSON.
    """
    return _objects(export, (orjson.dumps({"Item": _normal_item(item)}) for item in items))


def change_objects(export: ExportDescription, changes: Iterable[Change]) -> Iterator[tuple[str, bytes]]:
    """Return keys and contents of an incremental export's objects, as `export_objects` does."""
    shows_old = export.window is not None and export.window.view == OLD_AND_NEW
    return _objects(export, (orjson.dumps(_record(change, shows_old=shows_old)) for change in changes))


def _record(change: Change, *, shows_old: bool) -> Json:
    images = {"OldImage": change.old if shows_old else None, "NewImage": change.new}
    return {
        "Metadata": {"WriteTimestampMicros": {"N": str(change.micros)}},
        "Keys": _normal_item(change.key),
        **{name: _normal_item(image) for name, image in images.items() if image is not None},
    }


def _objects(export: ExportDescription, lines: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    letters = random.Random(export.export_arn)  # noqa: S311 - names, not secrets
    entries = []
    size = 0
    for part in _parts(lines):
        name = "".join(letters.choices(FILE_NAME_LETTERS, k=FILE_NAME_LENGTH)) + ".json.gz"
        content = gzip.compress(b"".join(line + b"\n" for line in part), compresslevel=6, mtime=0)
        size += sum(map(len, part))
        entries.append(_entry(f"{export.data_folder}/{name}", content, len(part)))
        yield f"{export.data_folder}/{name}", content
    listed = b"".join(orjson.dumps(entry) + b"\n" for entry in entries)
    count = sum(int(entry["itemCount"]) for entry in entries)
    summary = orjson.dumps({**_summary(export), **_counts(export, count, size), **_form(export)})
    for name, content in (("manifest-files", listed), ("manifest-summary", summary)):
        yield f"{export.folder}/{name}.json", content
        yield f"{export.folder}/{name}.md5", md5_base64(content).encode()


def _parts(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Spread lines over files by their hash, of which few are in memory at a time; the last file stays empty."""
    parts: list[list[bytes]] = [[] for _ in range(FILLED_FILES)]
    for line in lines:
        number = zlib.crc32(line) % FILLED_FILES
        parts[number].append(line)
        if len(parts[number]) == ITEMS_PER_FILE:
            yield parts[number]
            parts[number] = []
    yield from parts
    yield []


def _entry(key: str, content: bytes, count: int) -> Json:
    whole = hashlib.md5(content, usedforsecurity=False).digest()
    etag = hashlib.md5(whole, usedforsecurity=False).hexdigest()
    return {
        "itemCount": count,
        "md5Checksum": md5_base64(content),
        "etag": f"{etag}-1",
        "dataFileS3Key": key,
    }


def _normal_item(item: Mapping[str, Json]) -> Json:
    return {name: _normal(value) for name, value in item.items()}


def _normal(tagged: Json) -> Json:
    """Return a value with its numbers as DynamoDB keeps them: no zeros that say nothing."""
    ((tag, value),) = tagged.items()
    if tag == "N":
        return {"N": _normal_number(value)}
    if tag == "NS":
        return {"NS": [_normal_number(number) for number in value]}
    if tag == "M":
        return {"M": _normal_item(value)}
    if tag == "L":
        return {"L": [_normal(member) for member in value]}
    return tagged


def _normal_number(text: str) -> str:
    return format(Decimal(text).normalize(FORTY_DIGITS), "f") if Decimal(text) else "0"


def _summary(export: ExportDescription) -> Json:
    return {
        "version": "2023-08-01" if export.window else "2020-06-30",
        "exportArn": export.export_arn,
        "startTime": export.start_time,
        "endTime": export.end_time,
        "tableArn": export.table_arn,
        "tableId": export.table_id,
        **_times(export),
        "s3Bucket": export.bucket,
        "s3Prefix": export.prefix,
        "s3SseAlgorithm": export.sse_algorithm,
        "s3SseKmsKeyId": export.kms_key,
        "manifestFilesS3Key": f"{export.folder}/manifest-files.json",
    }


def _times(export: ExportDescription) -> Json:
    if export.window is None:
        return {"exportTime": export.export_time}
    return {"exportFromTime": export.window.start, "exportToTime": export.window.end}


def _counts(export: ExportDescription, count: int, size: int) -> Json:
    written = max(size, LEAST_BILLED_CHANGES) if export.window else size
    billed = written if export.billed_size_bytes is None else export.billed_size_bytes
    return {"billedSizeBytes": billed, "itemCount": count}


def _form(export: ExportDescription) -> Json:
    if export.window is None:
        return {"outputFormat": "DYNAMODB_JSON"}
    return {
        "outputFormat": "DYNAMODB_JSON",
        "outputView": export.window.view,
        "exportType": "INCREMENTAL_EXPORT",
    }
