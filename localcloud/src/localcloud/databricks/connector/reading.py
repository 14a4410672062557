"""Reading a container: its key ranges, or parts of them, each streamed page by page."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
import pyarrow as pa
from pyspark.sql.datasource import DataSourceReader, InputPartition
from pyspark.sql.types import BooleanType, DataType, DoubleType, LongType, StringType, StructField, StructType

from localcloud.databricks.connector.container import KeyRange, look_up_container
from localcloud.databricks.connector.errors import CallFailedError, OptionError, RangeGoneError
from localcloud.databricks.connector.gateway import MOST_FAILURES, Answer, Gateway
from localcloud.databricks.connector.options import Options
from localcloud.databricks.connector.pace import Pace, ru_per_task

# As the connector has it with spark.cosmos.read.inferSchema.enabled=false (ItemsTable.scala).
SCHEMA = StructType(
    [
        StructField("_rawBody", StringType(), nullable=False),
        StructField("id", StringType(), nullable=False),
        StructField("_ts", LongType(), nullable=False),
    ]
)
# Types of the properties that a query of the user's own returns.
_RESULT_TYPES: dict[type[DataType], pa.DataType] = {
    LongType: pa.int64(),
    DoubleType: pa.float64(),
    StringType: pa.string(),
    BooleanType: pa.bool_(),
}
EVERYTHING = "SELECT * FROM c"
# A replica that lags: what was written so recently, it does not have yet, unless a read asks for the latest. Real ones
# are behind for milliseconds, and now and then for longer; always and this long, no reader can count on luck.
REPLICA_LAG_SECONDS = 10
# Hashes of the second version lie below this, as their first two bits are zero.
RING_END = 0x40 << 120
RING_LIMIT = "FF"

Json = dict[str, Any]


@dataclass(repr=False)
class RingPart(InputPartition):
    """A part of a key range, from a start up to but without an end."""

    range_id: str
    start: str
    end: str
    ru_per_second: float | None = None


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
        self._schema = schema
        _check_columns(schema, options.query)

    def partitions(self) -> Sequence[InputPartition]:
        """Return the parts to read at once: by default one for each key range, as the connector plans them.

        CosmosPartitionPlanner.scala: its strategies Default and Restrictive are the same.
        """
        options = self._options
        if options.partitioning == "Custom" and options.partitions is None:
            raise OptionError(
                "The option spark.cosmos.partitioning.targetedCount is missing, which "
                "spark.cosmos.read.partitioning.strategy=Custom needs."
            )
        with _gateway(options) as gateway:
            ranges = look_up_container(gateway).ranges
        wanted = {"Custom": options.partitions, "Aggressive": os.cpu_count()}.get(options.partitioning) or 1
        each = -(-wanted // len(ranges))
        parts = [part for one in ranges for part in ring_parts(one, each)]
        share = ru_per_task(options.ru_per_second, len(parts))
        return [replace(part, ru_per_second=share) for part in parts]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """Yield a partition's documents, a batch for each page."""
        if not isinstance(partition, RingPart):
            raise TypeError(f"{partition!r} is no part of this read.")
        with _gateway(self._options) as gateway:
            for page in _pages(gateway, self._options, partition):
                if page:
                    yield self._batch(page)

    def _batch(self, page: list[Json]) -> pa.RecordBatch:
        arrays = [_array(column, page) for column in self._schema.fields]
        return pa.RecordBatch.from_arrays(arrays, names=self._schema.fieldNames())


def ring_parts(key_range: KeyRange, count: int) -> list[RingPart]:
    """Return so many equal parts of a key range, which together leave nothing out."""
    first, last = _place(key_range.start), _place(key_range.end)
    borders = [f"{first + (last - first) * place // count:032X}" for place in range(1, count)]
    pairs = zip([key_range.start, *borders], [*borders, key_range.end], strict=True)
    return [RingPart(key_range.id, *pair) for pair in pairs]


def _place(border: str) -> int:
    return RING_END if border == RING_LIMIT else int(border.ljust(32, "0"), 16)


def _gateway(options: Options) -> Gateway:
    return Gateway(options.endpoint, options.sign_in, options.database, options.container)


def _check_columns(schema: StructType, query: str | None) -> None:
    for column in schema.fields:
        is_known = column.name in SCHEMA.names and column.dataType == SCHEMA[column.name].dataType
        if not is_known and (query is None or type(column.dataType) not in _RESULT_TYPES):
            raise OptionError(
                f"The column {column.name} {column.dataType.simpleString()} cannot be read by the local cloud, "
                f"which has {SCHEMA.simpleString()}, and with spark.cosmos.read.customQuery longs, doubles, strings "
                "and booleans. Leave the schema out and parse _rawBody."
            )


def _array(column: StructField, page: list[Json]) -> pa.Array:
    """Return a column of a page; UTF-8 bytes become a string column without a detour through Python strings."""
    kind = _RESULT_TYPES[type(column.dataType)]
    value = _TEXTS.get(column.name)
    if value is None:
        return pa.array([_property(document, column.name) for document in page], kind)
    _check_whole(page)
    return pa.array([value(document) for document in page], pa.binary()).cast(kind)


def _property(document: Any, name: str) -> Any:
    if not isinstance(document, dict):
        raise CallFailedError(
            "The option spark.cosmos.read.customQuery returns values that are no objects. Name each: SELECT x AS y."
        )
    return document.get(name)


_TEXTS: dict[str, Callable[[Json], bytes]] = {
    "_rawBody": orjson.dumps,
    "id": lambda document: document["id"].encode(),
}


def _pages(gateway: Gateway, options: Options, part: RingPart) -> Iterator[list[Json]]:
    """Yield the pages of a part; where its partition is split meanwhile, the halves go on from the same page."""
    rest: list[tuple[RingPart, str | None]] = [(part, None)]
    splits, pace = 0, Pace(part.ru_per_second)
    while rest:
        current, continuation = rest.pop(0)
        pace.wait()
        try:
            answer = _page(gateway, options, current, continuation)
        except RangeGoneError:
            splits += 1
            if splits > MOST_FAILURES:
                raise
            rest[:0] = [(one, continuation) for one in _parts_now(gateway, current)]
            continue
        pace.spend(answer.charge)
        documents = orjson.loads(answer.body)["Documents"]
        yield documents if options.fresh else list(filter(_is_replicated, documents))
        if answer.continuation is not None:
            rest.insert(0, (current, answer.continuation))


def _page(gateway: Gateway, options: Options, part: RingPart, continuation: str | None) -> Answer:
    headers = {
        "content-type": "application/query+json",
        "x-ms-documentdb-isquery": "true",
        "x-ms-documentdb-query-enablecrosspartition": "true",
        "x-ms-max-item-count": str(options.page_documents),
        "x-ms-documentdb-partitionkeyrangeid": part.range_id,
        "x-ms-read-key-type": "EffectivePartitionKeyRange",
        "x-ms-start-epk": part.start,
        "x-ms-end-epk": part.end,
    }
    if continuation:
        headers["x-ms-continuation"] = continuation
    body = orjson.dumps({"query": options.query or EVERYTHING, "parameters": []})
    what = f"Reading the container {'/'.join(gateway.link[1::2])}"
    return gateway.call_patiently("POST", ("docs",), headers, body, what=what)


def _parts_now(gateway: Gateway, part: RingPart) -> list[RingPart]:
    """Return a part's parts in the ranges that there are now."""
    return [
        RingPart(one.id, max(part.start, one.start), min(part.end, one.end))
        for one in look_up_container(gateway).ranges
        if one.start < part.end and part.start < one.end
    ]


def _is_replicated(document: Any) -> bool:
    """Return whether a replica that lags has a document; what is no document, such as a count, is never behind."""
    written_at = document.get("_ts", 0) if isinstance(document, dict) else 0
    return bool(written_at <= time.time() - REPLICA_LAG_SECONDS)


def _check_whole(documents: list[Any]) -> None:
    for document in documents:
        if not isinstance(document, dict) or "id" not in document or "_ts" not in document:
            raise CallFailedError(
                "The option spark.cosmos.read.customQuery returns other things than whole documents. "
                "Let it start with SELECT *, or give the columns that it returns as the schema."
            )
