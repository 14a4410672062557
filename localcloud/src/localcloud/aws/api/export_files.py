"""The files of a full export, as DynamoDB lays them out in S3.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

import gzip
import hashlib
import random
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

import orjson

from d2c.export_format.manifest import md5_base64

FILE_NAME_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
FILE_NAME_LENGTH = 26
# The service spreads even a small table over several files, some of them empty.
LEAST_FILES = 4
ITEMS_PER_FILE = 20_000
FORTY_DIGITS = Context(prec=40)


@dataclass(frozen=True)
class ExportDescription:
    """What a manifest says of its export; times are ISO 8601 in UTC with milliseconds and ``Z``."""

    export_arn: str
    table_arn: str
    table_id: str
    start_time: str
    end_time: str
    export_time: str
    bucket: str
    prefix: str | None
    billed_size_bytes: int

    @property
    def folder(self) -> str:
        """The key of the export's folder."""
        own = f"AWSDynamoDB/{self.export_arn.rpartition('/')[2]}"
        return f"{self.prefix}/{own}" if self.prefix else own


def export_objects(export: ExportDescription, items: Sequence[dict[str, Any]]) -> Iterator[tuple[str, bytes]]:
    """Return keys and contents of an export's objects in the order in which they appear: manifests last.

    Args:
        export: what the manifest says.
        items: the table's items in DynamoDB JSON.
    """
    letters = random.Random(export.export_arn)  # noqa: S311 - names, not secrets
    entries = []
    for part in _parts(items):
        name = "".join(letters.choices(FILE_NAME_LETTERS, k=FILE_NAME_LENGTH)) + ".json.gz"
        content = gzip.compress(b"".join(_line(item) for item in part), compresslevel=6, mtime=0)
        key = f"{export.folder}/data/{name}"
        etag = hashlib.md5(
            hashlib.md5(content, usedforsecurity=False).digest(), usedforsecurity=False
        ).hexdigest()
        entries.append(
            {
                "itemCount": len(part),
                "md5Checksum": md5_base64(content),
                "etag": f"{etag}-1",
                "dataFileS3Key": key,
            }
        )
        yield key, content
    listed = b"".join(orjson.dumps(entry) + b"\n" for entry in entries)
    summary = orjson.dumps(_summary(export, len(items)))
    for name, content in (("manifest-files", listed), ("manifest-summary", summary)):
        yield f"{export.folder}/{name}.json", content
        yield f"{export.folder}/{name}.md5", md5_base64(content).encode()


def _parts(items: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Spread items over files by the hash of their text; the last file stays empty."""
    count = max(LEAST_FILES, -(-len(items) // ITEMS_PER_FILE) + 1)
    parts: list[list[dict[str, Any]]] = [[] for _ in range(count)]
    for item in items:
        parts[zlib.crc32(orjson.dumps(item)) % (count - 1)].append(item)
    return parts


def _line(item: dict[str, Any]) -> bytes:
    return orjson.dumps({"Item": {name: _normal(value) for name, value in item.items()}}) + b"\n"


def _normal(tagged: dict[str, Any]) -> dict[str, Any]:
    """Return a value with its numbers as DynamoDB keeps them: no zeros that say nothing."""
    ((tag, value),) = tagged.items()
    if tag == "N":
        return {"N": _normal_number(value)}
    if tag == "NS":
        return {"NS": [_normal_number(number) for number in value]}
    if tag == "M":
        return {"M": {name: _normal(member) for name, member in value.items()}}
    if tag == "L":
        return {"L": [_normal(member) for member in value]}
    return tagged


def _normal_number(text: str) -> str:
    return format(Decimal(text).normalize(FORTY_DIGITS), "f") if Decimal(text) else "0"


def _summary(export: ExportDescription, item_count: int) -> dict[str, Any]:
    return {
        "version": "2020-06-30",
        "exportArn": export.export_arn,
        "startTime": export.start_time,
        "endTime": export.end_time,
        "tableArn": export.table_arn,
        "tableId": export.table_id,
        "exportTime": export.export_time,
        "s3Bucket": export.bucket,
        "s3Prefix": export.prefix,
        "s3SseAlgorithm": "AES256",
        "s3SseKmsKeyId": None,
        "manifestFilesS3Key": f"{export.folder}/manifest-files.json",
        "billedSizeBytes": export.billed_size_bytes,
        "itemCount": item_count,
        "outputFormat": "DYNAMODB_JSON",
    }
