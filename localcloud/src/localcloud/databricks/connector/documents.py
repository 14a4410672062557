"""From rows to documents: the document's JSON, its id and its partition key, as the connector finds them."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import orjson
import pyarrow as pa
from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    ByteType,
    DataType,
    DoubleType,
    IntegerType,
    LongType,
    NullType,
    ShortType,
    StringType,
    StructType,
)

from localcloud.databricks.connector.container import Container
from localcloud.databricks.connector.errors import DocumentError, OptionError

RAW_BODY = "_rawBody"
ORIGIN_RAW_BODY = "_origin_rawBody"
UNDEFINED_KEY = "[{}]"
# Stands for the value of a property that a document does not have.
MISSING = object()
# Types that JSON holds as they are, so that what is written is what the row held.
_PLAIN = (StringType, BooleanType, ByteType, ShortType, IntegerType, LongType, DoubleType, NullType)
_PATH_PART = re.compile(r'/("(?:[^"\\]|\\.)*"|[^/]+)')

Bodies = Callable[[pa.RecordBatch], Iterable[bytes]]


class Document(NamedTuple):
    """A document on its way: its JSON, and what the calls about it need."""

    body: bytes
    id: str
    partition_key: str
    etag: str | None


def bodies_of(schema: StructType) -> Bodies:
    """Return what makes documents' JSON of Arrow batches: the column ``_rawBody`` alone, or else all columns.

    Raises:
        OptionError: for a column that cannot be written faithfully.
    """
    if RAW_BODY in schema.names:
        if not isinstance(schema[RAW_BODY].dataType, StringType):
            raise OptionError(f"The column {RAW_BODY} must hold strings. Cast it to a string.")
        return _raw_bodies
    if ORIGIN_RAW_BODY in schema.names:
        raise OptionError(
            f"The column {ORIGIN_RAW_BODY} is not supported by the local cloud. Name it {RAW_BODY}."
        )
    for column in schema.fields:
        if not _is_plain(column.dataType):
            raise OptionError(
                f"The column {column.name} of type {column.dataType.simpleString()} cannot be written by the "
                f"local cloud. Cast it to a string or a double, or write whole documents as {RAW_BODY}."
            )
    return _column_bodies


def documents_of(bodies: Iterable[bytes], container: Container) -> Iterator[Document]:
    """Yield documents with their ids and partition keys.

    Raises:
        DocumentError: for a text that is no JSON object, or has no textual id.
    """
    for body in bodies:
        try:
            content = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise DocumentError(f"A row's document is not JSON: {error.msg}.") from error
        if not isinstance(content, dict):
            raise DocumentError("A row's document is JSON but not an object.")
        name = content.get("id")
        if not isinstance(name, str) or not name:
            raise DocumentError(
                "id is a mandatory field: a row's document has no id that is a text. Add one."
            )
        etag = content.get("_etag")
        yield Document(
            body, name, partition_key_of(content, container), etag if isinstance(etag, str) else None
        )


def partition_key_of(document: dict[str, Any], container: Container) -> str:
    """Return a document's partition key as the JSON text that calls carry.

    As in the SDK beneath the connector (JsonSerializable.java, PartitionKeyInternal.java), a single key that is missing
    or an object counts as undefined, an explicit null is a key, and a missing level of a hierarchical key is null.

    Raises:
        DocumentError: for a value that cannot be a key.
    """
    values = [_value_at(document, _path_parts(path)) for path in container.paths]
    if not container.hierarchical and (values[0] is MISSING or isinstance(values[0], dict)):
        return UNDEFINED_KEY
    if any(isinstance(value, list | dict) for value in values):
        raise DocumentError(
            f"The document with id {document['id']!r} has an array or an object at a partition key path "
            f"({', '.join(container.paths)})."
        )
    # ASCII only, since it also stands in a header.
    return json.dumps([None if value is MISSING else value for value in values], separators=(",", ":"))


@cache
def _path_parts(path: str) -> tuple[str, ...]:
    return tuple(json.loads(part) if part.startswith('"') else part for part in _PATH_PART.findall(path))


def _value_at(document: Any, parts: Sequence[str]) -> Any:
    for part in parts:
        if not isinstance(document, dict):
            return MISSING
        document = document.get(part, MISSING)
    return document


def _is_plain(kind: DataType) -> bool:
    if isinstance(kind, ArrayType):
        return _is_plain(kind.elementType)
    if isinstance(kind, StructType):
        return all(_is_plain(member.dataType) for member in kind.fields)
    return isinstance(kind, _PLAIN)


def _raw_bodies(batch: pa.RecordBatch) -> Iterator[bytes]:
    for body in batch.column(RAW_BODY).cast(pa.binary()).to_pylist():
        if body is None:
            raise DocumentError(f"A row's {RAW_BODY} is null. Leave out rows without a document.")
        yield body


def _column_bodies(batch: pa.RecordBatch) -> Iterator[bytes]:
    for row in batch.to_pylist():
        if _has_no_number(row):
            raise DocumentError("A row holds NaN or Infinity, which JSON does not have.")
        yield orjson.dumps(row)


def _has_no_number(value: Any) -> bool:
    if isinstance(value, float):
        return value != value or value in (float("inf"), float("-inf"))
    if isinstance(value, dict):
        return any(map(_has_no_number, value.values()))
    return isinstance(value, list) and any(map(_has_no_number, value))
