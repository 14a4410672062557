"""Convert rows to and from Arrow batches, the data of Spark's workers in ``DataFrame.mapInArrow``."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from d2c.export_format import (
    DataFile,
    ExportFormatError,
    blocks_of,
    lines_of,
    md5_base64,
    read_blocks,
)
from d2c.load_run.counting.reports import report
from d2c.load_run.kernel.module import count_lines, decompress, decompress_pieces
from d2c.load_run.streamed import StreamedFile

BATCH_BYTES = 4 * 2**20
BATCH_ROWS = 10_000
_TEXTS = (str, bytes)
GZIP_MAGIC = b"\x1f\x8b"

Batches = Iterable[pa.RecordBatch]
Worker = Callable[[Batches], Iterator[pa.RecordBatch]]
Row = tuple[Any, ...]
Content = memoryview | StreamedFile

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


def files_of(batches: Batches) -> Iterator[tuple[str, Content]]:
    """Return names and contents of data files from rows of ``path, content``, without copying them.

    A row without content is a file that the worker opens by its path.
    """
    for batch in batches:
        for path, content in zip(batch.column("path"), batch.column("content"), strict=True):
            name = path.as_py().rsplit("/", 1)[-1]
            yield name, memoryview(content.as_buffer()) if content.is_valid else StreamedFile(path.as_py())


def checked_lines(listed: Mapping[str, DataFile], name: str, content: Content) -> Iterator[bytes]:
    """Return the lines of a data file whose MD5 is checked against the manifest, as many as the manifest lists.

    Of a file that is in memory, the MD5 is checked before the first line. Of one that is read piece by piece it is
    checked after the last one, so lines may come of a file that is refused in the end.

    Raises:
        ExportFormatError: if the file is not the listed one, or has more lines.
    """
    for block in checked_blocks(listed, name, content):
        yield from lines_of(block)


def checked_blocks(
    listed: Mapping[str, DataFile], name: str, content: Content, *, md5_first: bool = False
) -> Iterator[bytes]:
    """Like `checked_lines`, but return blocks of whole lines.

    Args:
        listed: the manifest's data files by name.
        name: the file's.
        content: the file's.
        md5_first: whether a file that is not in memory is read twice, first for its MD5.
    """
    file = listed.get(name)
    if file is None:
        raise ExportFormatError(f"{name} is not in the manifest.")
    if isinstance(content, StreamedFile):
        if md5_first:
            _check_streamed(file, StreamedFile(content.path))
        yield from _streamed_blocks(file, content)
    else:
        _check_md5(file, md5_base64(content), bytes(content[:2]))
        yield from _listed_lines(file, read_blocks(content, name, decompress))


def _streamed_blocks(file: DataFile, content: StreamedFile) -> Iterator[bytes]:
    try:
        yield from _listed_lines(file, blocks_of(decompress_pieces(content.pieces, file.name), file.name))
    except ExportFormatError:
        # A file that is not the listed one is refused for that, whatever else is wrong with it.
        _check_streamed(file, content)
        raise
    _check_streamed(file, content)


def check_rest(listed: Mapping[str, DataFile], name: str, content: Content) -> None:
    """Check the MD5 of a file of which not all lines were taken, unless it was checked before the first one.

    Raises:
        ExportFormatError: if the file is not the listed one.
    """
    if isinstance(content, StreamedFile):
        _check_streamed(listed[name], content)


def _check_streamed(file: DataFile, content: StreamedFile) -> None:
    _check_md5(file, content.md5(), content.first_bytes)


def _check_md5(file: DataFile, md5: str, first_bytes: bytes) -> None:
    if md5 != file.md5:
        raise ExportFormatError(
            f"{file.name} has the MD5 {md5}, but the manifest has {file.md5}{_cause(first_bytes)}."
        )


def _listed_lines(file: DataFile, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Return the blocks of as many lines as the manifest lists."""
    left = file.item_count
    for block in blocks:
        lines = count_lines(block)
        if lines > left:
            if left:
                yield b"\n".join([*block.split(b"\n", left)[:left], b""])
            raise ExportFormatError(
                f"{file.name} has more lines than the {file.item_count} items of the manifest."
            )
        left -= lines
        yield block
        report(file.name, file.item_count - left, is_last=not left)


def _cause(first_bytes: bytes) -> str:
    """Return the cause of a wrong MD5 that the first bytes show."""
    is_gzip = first_bytes == GZIP_MAGIC
    return "" if is_gzip else "; it is not a gzip, so it was decompressed or changed on its way"
