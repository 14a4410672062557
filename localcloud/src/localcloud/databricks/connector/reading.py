"""Reading a container: the hash ring in equal parts, each streamed page by page."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import pyarrow as pa
from pyspark.sql.datasource import DataSourceReader, InputPartition
from pyspark.sql.types import LongType, StringType, StructField, StructType

from localcloud.databricks.connector.container import look_up_container
from localcloud.databricks.connector.errors import CallFailedError, OptionError
from localcloud.databricks.connector.gateway import Gateway
from localcloud.databricks.connector.options import Options

# As the connector has it with spark.cosmos.read.inferSchema.enabled=false (ItemsTable.scala).
SCHEMA = StructType(
    [
        StructField("_rawBody", StringType(), nullable=False),
        StructField("id", StringType(), nullable=False),
        StructField("_ts", LongType(), nullable=False),
    ]
)
_COLUMNS: dict[str, tuple[pa.DataType, Any]] = {
    "_rawBody": (pa.string(), orjson.dumps),
    "id": (pa.string(), lambda document: document["id"].encode()),
    "_ts": (pa.int64(), lambda document: document["_ts"]),
}
EVERYTHING = "SELECT * FROM c"
# Hashes of the second version lie below this, as their first two bits are zero.
RING_END = 0x40 << 120
RING_START, RING_LIMIT = "", "FF"


@dataclass(repr=False)
class RingPart(InputPartition):
    """A part of the hash ring, from a start up to but without an end."""

    start: str
    end: str


class Reader(DataSourceReader):
    """Reads partitions of a container, each in a Python worker.

    Args:
        options: what to read, and how.
        schema: the columns that are asked for.

    Raises:
        OptionError: for columns that there are not, and for options that ask for others.
    """

    def __init__(self, options: Options, schema: StructType) -> None:
        self._options = options
        self._columns = _checked_columns(schema)

    def partitions(self) -> Sequence[InputPartition]:
        """Return the parts of the ring to read at once."""
        options = self._options
        if options.partitioning == "Custom":
            if options.partitions is None:
                raise OptionError(
                    "The option spark.cosmos.partitioning.targetedCount is missing, which "
                    "spark.cosmos.read.partitioning.strategy=Custom needs."
                )
            return ring_parts(options.partitions)
        return ring_parts(1 if options.partitioning == "Restrictive" else os.cpu_count() or 1)

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """Yield a partition's documents, a batch for each page."""
        if not isinstance(partition, RingPart):
            raise TypeError(f"{partition!r} is no part of this read.")
        options = self._options
        with Gateway(options.endpoint, options.key, options.database, options.container) as gateway:
            look_up_container(gateway)
            for page in _pages(gateway, options, partition):
                if page:
                    yield self._batch(page)

    def _batch(self, page: list[dict[str, Any]]) -> pa.RecordBatch:
        arrays = []
        for name in self._columns:
            kind, value = _COLUMNS[name]
            values = [value(document) for document in page]
            # UTF-8 bytes become a string column without a detour through Python strings.
            is_text = kind == pa.string()
            arrays.append(pa.array(values, pa.binary()).cast(kind) if is_text else pa.array(values, kind))
        return pa.RecordBatch.from_arrays(arrays, names=self._columns)


def ring_parts(count: int) -> list[RingPart]:
    """Return so many equal parts of the ring, which together leave nothing out."""
    borders = [f"{RING_END * place // count:032X}" for place in range(1, count)]
    return [RingPart(*part) for part in zip([RING_START, *borders], [*borders, RING_LIMIT], strict=True)]


def _checked_columns(schema: StructType) -> list[str]:
    for column in schema.fields:
        if column.name not in SCHEMA.names or column.dataType != SCHEMA[column.name].dataType:
            raise OptionError(
                f"The column {column.name} {column.dataType.simpleString()} cannot be read by the local cloud, "
                f"which has {SCHEMA.simpleString()}. Leave the schema out and parse _rawBody."
            )
    return schema.fieldNames()


def _pages(gateway: Gateway, options: Options, part: RingPart) -> Iterator[list[dict[str, Any]]]:
    headers = {
        "content-type": "application/query+json",
        "x-ms-documentdb-isquery": "true",
        "x-ms-documentdb-query-enablecrosspartition": "true",
        "x-ms-max-item-count": str(options.page_documents),
        "x-ms-documentdb-partitionkeyrangeid": "0",
        "x-ms-read-key-type": "EffectivePartitionKeyRange",
        "x-ms-start-epk": part.start,
        "x-ms-end-epk": part.end,
    }
    body = orjson.dumps({"query": options.query or EVERYTHING, "parameters": []})
    continuation: str | None = ""
    while continuation is not None:
        asked = {**headers, "x-ms-continuation": continuation} if continuation else headers
        what = f"Reading the container {'/'.join(gateway.link[1::2])}"
        answer = gateway.call_patiently("POST", ("docs",), asked, body, what=what)
        documents = orjson.loads(answer.body)["Documents"]
        _check_whole(documents)
        yield documents
        continuation = answer.continuation


def _check_whole(documents: list[Any]) -> None:
    for document in documents:
        if not isinstance(document, dict) or "id" not in document or "_ts" not in document:
            raise CallFailedError(
                "The option spark.cosmos.read.customQuery returns other things than whole documents. "
                "Let it start with SELECT *."
            )
