"""Stored documents: the kernel digests those that are plain."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from d2c.load_run.batches import Row
from d2c.load_run.kernel.columns import texts_of, wholes_of
from d2c.load_run.kernel.module import native
from d2c.load_run.kernel.rules import stored_text
from d2c.mapping import Rules


class KernelDocuments:
    """Reads stored documents, except those that are left to the caller.

    Args:
        module: the kernel's.
        rules: of the table.
        constants: those in its partition key, all of them texts.
        fraction: the part of documents of which there are digests.
    """

    def __init__(self, module: Any, rules: Rules, constants: Mapping[str, str], fraction: float) -> None:
        self._documents, self._rows = module.Documents(stored_text(rules, constants, fraction)), module.Rows()

    def left_of(self, texts: pa.Array) -> Iterator[str]:
        """Read a column of documents; yield those that are not plain."""
        _, offsets, data = texts.buffers()
        first, size = 4 * texts.offset, 4 * (len(texts) + 1)
        places = offsets.to_pybytes()[first : first + size]
        content = memoryview(data).cast("B") if data else b""
        row = 0
        while (row := self._documents.read(self._rows, places, content, row)) < len(texts):
            yield texts[row].as_py()
            row += 1

    def emit(self, row: Row) -> Iterable[Row]:
        """Put a row between those of the documents before and after it."""
        identity, digest, ttl, written_at = row
        self._rows.push_digest(identity.encode(), digest, ttl, written_at)
        return ()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Return the rows of the documents."""
        if self._rows.waiting()[0]:
            identities, digests, ttls, written_at = self._rows.take()
            columns = [
                texts_of(identities, pa.string()),
                texts_of(digests, pa.binary()),
                wholes_of(ttls),
                wholes_of(written_at),
            ]
            yield pa.RecordBatch.from_arrays(columns, names=["identity", "digest", "ttl", "written_at"])


class AllDocuments:
    """Leaves all documents to the caller."""

    def left_of(self, texts: pa.Array) -> Iterator[str]:
        """Return all documents."""
        return (text.as_py() for text in texts)

    def emit(self, row: Row) -> Iterable[Row]:
        """Return the row."""
        return (row,)

    def batches(self) -> Iterable[pa.RecordBatch]:
        """Return none."""
        return ()


def documents_reader(
    rules: Rules, constants: Mapping[str, Any], fraction: float, kind: pa.DataType
) -> KernelDocuments | AllDocuments:
    """Return what reads stored documents: the kernel, or where it is not there or not sure, nothing.

    Args:
        rules: of the table.
        constants: those in its partition key. Python holds 1, 1.0 and true for equal; of texts there is no doubt.
        fraction: the part of documents of which there are digests.
        kind: the column's.
    """
    module, _ = native()
    if (
        module is None
        or kind != pa.string()
        or not all(isinstance(value, str) for value in constants.values())
    ):
        return AllDocuments()
    return KernelDocuments(module, rules, constants, fraction)
