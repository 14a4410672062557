"""Convert rows to and from Arrow batches, the data of Spark's workers in ``DataFrame.mapInArrow``."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from d2c.export_format import DataFile, ExportFormatError, lines_of, md5_base64, read_blocks
from d2c.load_run.counting.reports import report
from d2c.load_run.kernel.module import decompress

# Small beside what a task writes in a second or two: whoever waits for a batch sees nothing move.
BATCH_BYTES = 2**20
BATCH_ROWS = 10_000
_TEXTS = (str, bytes)
GZIP_MAGIC = b"\x1f\x8b"

Batches = Iterable[pa.RecordBatch]
Worker = Callable[[Batches], Iterator[pa.RecordBatch]]
Row = tuple[Any, ...]

# `kind` is "file" (a FileTally as JSON), "census" (that of several files as JSON), "rejected" (a rejected item as JSON)
# or "document" (a document as JSON).
OUTCOME_SCHEMA = "kind string, body string"
OUTCOME = pa.schema([("kind", pa.string()), ("body", pa.string())])


def texts_of(batches: Batches) -> Iterator[str]:
    """Return documents as JSON text from rows of ``_rawBody``."""
    for batch in batches:
        for text in batch.column("_rawBody"):
            yield text.as_py()


def pack(rows: Iterator[Row | pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Collect rows into batches of bounded size, between those that are batches already."""
    pending: list[Row] = []
    size = 0
    for row in rows:
        if isinstance(row, pa.RecordBatch):
            if pending:
                yield _batch(pending, schema)
                pending, size = [], 0
            yield row
            continue
        pending.append(row)
        for value in row:
            if isinstance(value, _TEXTS):
                size += len(value)
        if size >= BATCH_BYTES or len(pending) >= BATCH_ROWS:
            yield _batch(pending, schema)
            pending, size = [], 0
    if pending:
        yield _batch(pending, schema)


def _batch(rows: Sequence[Row], schema: pa.Schema) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    return pa.RecordBatch.from_arrays(
        [_array(values, field.type) for values, field in zip(columns, schema, strict=True)], schema=schema
    )


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Return a column; UTF-8 bytes become a string column without decoding to Python strings."""
    if kind == pa.string():
        encoded = [value.encode() if isinstance(value, str) else value for value in values]
        return pa.array(encoded, pa.binary()).cast(kind)
    return pa.array(values, kind)


def files_of(batches: Batches) -> Iterator[tuple[str, memoryview]]:
    """Return names and bytes of data files from rows of ``path, content``, without copying them."""
    for batch in batches:
        for path, content in zip(batch.column("path"), batch.column("content"), strict=True):
            yield path.as_py().rsplit("/", 1)[-1], memoryview(content.as_buffer())


def checked_lines(listed: Mapping[str, DataFile], name: str, content: memoryview) -> Iterator[bytes]:
    """Return the lines of a data file after checking its MD5 against the manifest, as many as the manifest lists.

    Raises:
        ExportFormatError: if the file is not the listed one, or has more lines.
    """
    for block in checked_blocks(listed, name, content):
        yield from lines_of(block)


def checked_blocks(listed: Mapping[str, DataFile], name: str, content: memoryview) -> Iterator[bytes]:
    """Like `checked_lines`, but return blocks of whole lines."""
    file = listed.get(name)
    if file is None:
        raise ExportFormatError(f"{name} is not in the manifest.")
    digest = md5_base64(content)
    if digest != file.md5:
        raise ExportFormatError(
            f"{name} has the MD5 {digest}, but the manifest has {file.md5}{_cause(content)}."
        )
    left = file.item_count
    for block in read_blocks(content, name, decompress):
        lines = block.count(b"\n") + (not block.endswith(b"\n"))
        if lines > left:
            if left:
                yield b"\n".join([*block.split(b"\n", left)[:left], b""])
            raise ExportFormatError(
                f"{name} has more lines than the {file.item_count} items of the manifest."
            )
        left -= lines
        yield block
        report(name, file.item_count - left, is_last=not left)


def _cause(content: memoryview) -> str:
    """Return the cause of a wrong MD5 that the first bytes show."""
    is_gzip = bytes(content[:2]) == GZIP_MAGIC
    return "" if is_gzip else "; it is not a gzip, so it was decompressed or changed on its way"
