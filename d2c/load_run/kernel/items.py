"""The lines of data files: the kernel maps those that are plain."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import pyarrow as pa

from d2c.export_format import lines_of
from d2c.load_run.accounting import FileTally
from d2c.load_run.batches import BATCH_BYTES, BATCH_ROWS, OUTCOME, Row
from d2c.load_run.census.counts import Census
from d2c.load_run.census.heavy_hitters import GATHERED, KEPT_KEYS, HeavyHitters
from d2c.load_run.kernel.columns import texts_of, wholes_of
from d2c.load_run.kernel.module import native
from d2c.load_run.kernel.rules import CENSUS, DOCUMENTS, rules_text
from d2c.mapping import Rules

Clock = Callable[[], int]
# So many different shapes and sizes wait in the kernel at the most, plus those of a block.
MOST_COUNTED = 4_096
# Follows each name and each tag of a shape; UTF-8 never has this byte.
END_OF_NAME = b"\xff"


class Lines(Protocol):
    """Maps the lines of data files, except those that it leaves to the caller."""

    def begin(self, census: Census | None = None) -> None:
        """Begin a file, whose counts go into a census."""

    def left_of(self, block: bytes, tally: FileTally) -> Iterable[bytes]:
        """Map a block's lines and count them; return those that are left, each after the lines before it."""

    def emit(self, row: Row) -> Iterable[Row]:
        """Return the row of a line that was left, unless it is kept for the next batch."""

    def batches(self, *, to_the_end: bool = False) -> Iterable[pa.RecordBatch]:
        """Return the rows of mapped lines, if they fill a batch or the file is at its end."""

    def end(self, census: Census | None = None) -> None:
        """Add a file's counts to its census."""


class AllLines:
    """Leaves all lines to the caller, where there is no kernel."""

    def begin(self, census: Census | None = None) -> None:
        """Begin a file."""

    def left_of(self, block: bytes, tally: FileTally) -> Iterable[bytes]:
        """Return all lines of a block."""
        return lines_of(block)

    def emit(self, row: Row) -> Iterable[Row]:
        """Return the row."""
        return (row,)

    def batches(self, *, to_the_end: bool = False) -> Iterable[pa.RecordBatch]:
        """Return none."""
        return ()

    def end(self, census: Census | None = None) -> None:
        """Nothing is to be added."""


class KernelLines:
    """Maps the lines that are plain.

    Args:
        module: the kernel's.
        rules: of the table.
        makes: `DOCUMENTS`, `CENSUS` (and no rows), or `DIGESTS` of documents.
        clock: returns the epoch seconds at which items are written.
        fraction: the part of documents of which there are digests.
    """

    def __init__(self, module: Any, rules: Rules, makes: str, clock: Clock, fraction: float = 1.0) -> None:
        self._items = module.Items(rules_text(rules, makes, fraction))
        self._rows, self._counts = module.Rows(), module.Counts(KEPT_KEYS, GATHERED)
        self._makes, self._clock = makes, clock
        self._census: Census | None = None

    def begin(self, census: Census | None = None) -> None:
        """Begin a file. The order in which partition keys are weighed is that of their lines, whoever maps them."""
        self._census = census
        if census is not None:
            census.partitions = _KernelHitters(self._counts)

    def left_of(self, block: bytes, tally: FileTally) -> Iterator[bytes]:
        """Map a block's lines and count them; yield those that are not plain."""
        at, now = 0, self._clock()
        while at < len(block):
            start, end, documents, expired, document_bytes = self._items.map(
                self._rows, self._counts, block, at, now
            )
            tally.lines += documents + expired
            tally.documents += documents
            tally.expired += expired
            tally.document_bytes += document_bytes
            if start < len(block):
                yield block[start:end]
            at = end + 1
        if self._census is not None and self._counts.counted() > MOST_COUNTED:
            self._add_counts(self._census)

    def emit(self, row: Row) -> Iterable[Row]:
        """Put a row between those of the lines before and after it; rejected items have no such place."""
        if self._makes == CENSUS:
            return (row,)
        if self._makes == DOCUMENTS:
            self._rows.push(row[1])
        else:
            identity, digest, expires_at = row
            self._rows.push_digest(identity.encode(), digest, expires_at, None)
        return ()

    def batches(self, *, to_the_end: bool = False) -> Iterator[pa.RecordBatch]:
        """Return the rows of mapped lines, if they fill a batch or the file is at its end."""
        rows, size = self._rows.waiting()
        if rows and (to_the_end or size >= BATCH_BYTES or rows >= BATCH_ROWS):
            yield self._documents(rows) if self._makes == DOCUMENTS else self._digests(rows)

    def end(self, census: Census | None = None) -> None:
        """Add a file's counts to its census."""
        if census is None:
            return
        self._add_counts(census)
        weights, error = self._counts.take_partitions()
        census.partitions = HeavyHitters({key.decode(): weight for key, weight in weights}, error)

    def _add_counts(self, census: Census) -> None:
        shapes, inexact, sizes, longest_id_bytes = self._counts.take()
        for shape, count in shapes:
            *names_and_tags, _ = shape.split(END_OF_NAME)
            names, tags = names_and_tags[::2], names_and_tags[1::2]
            census.attributes.add(tuple(text.decode() for text in (*names, *tags)), count)
        census.attributes.add_inexact({name.decode(): count for name, count in inexact})
        for size, count in sizes:
            census.sizes.add(size, count)
        census.longest_id_bytes = max(census.longest_id_bytes, longest_id_bytes)

    def _documents(self, rows: int) -> pa.RecordBatch:
        bodies, *_ = self._rows.take()
        return pa.RecordBatch.from_arrays(
            [pa.repeat("document", rows), texts_of(bodies, pa.string())], schema=OUTCOME
        )

    def _digests(self, rows: int) -> pa.RecordBatch:
        identities, digests, expiries, _ = self._rows.take()
        columns = [texts_of(identities, pa.string()), texts_of(digests, pa.binary()), wholes_of(expiries)]
        return pa.RecordBatch.from_arrays(columns, names=["identity", "digest", "expires_at"])


class _KernelHitters(HeavyHitters):
    """Weighs the partition keys of lines that were left, between those of the kernel's."""

    def __init__(self, counts: Any) -> None:
        super().__init__()
        self._counts = counts

    def add(self, key: str, weight: int) -> None:
        """Add to a key's weight."""
        self._counts.weigh(key.encode(), weight)


def lines_mapper(rules: Rules, makes: str, clock: Clock, fraction: float = 1.0) -> Lines:
    """Return what maps lines: the kernel, or where it is not there, nothing."""
    module, _ = native()
    return KernelLines(module, rules, makes, clock, fraction) if module else AllLines()
