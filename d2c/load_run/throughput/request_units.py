"""The request units of documents: what the service charges for a write and a read, and for a table of them."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

# KB of a document and request units. A write is one without indexes, which multiply it.
# https://learn.microsoft.com/azure/cosmos-db/key-value-store-cost
WRITES = ((1.0, 5.0), (10.0, 14.0), (100.0, 50.0))
READS = ((1.0, 1.0), (100.0, 10.0))
# `_rid`, `_self`, `_etag`, `_attachments` and `_ts` with their values.
SYSTEM_PROPERTIES_BYTES = 200


class LoadSize(NamedTuple):
    """What a load writes: bytes of documents, and the request units of writing them with the container's indexes."""

    size_bytes: int
    ru: int


def write_ru(size_bytes: float) -> float:
    """Return the request units of writing a document without indexes.

    Args:
        size_bytes: the document's, without the system properties.
    """
    return _interpolated(WRITES, size_bytes + SYSTEM_PROPERTIES_BYTES)


def read_ru(size_bytes: float) -> float:
    """Return the request units of reading a document.

    Args:
        size_bytes: the document's, without the system properties.
    """
    return _interpolated(READS, size_bytes + SYSTEM_PROPERTIES_BYTES)


def size_of_items(item_count: int, size_bytes: int, write_factor: float) -> LoadSize:
    """Return what a load writes as far as a table's description says, by the mean size of its items.

    Args:
        item_count: the table's items.
        size_bytes: their size in DynamoDB.
        write_factor: by how much the indexing policy multiplies a write (`d2c.mapping.indexing.write_factor`).
    """
    ru = item_count * write_ru(size_bytes / max(item_count, 1))
    return LoadSize(size_bytes, with_indexes(ru, write_factor))


def size_of_documents(size_bytes: int, ru: int, write_factor: float) -> LoadSize:
    """Return what a load writes by the census of assess, which knows the size of each document.

    Args:
        size_bytes: of all documents.
        ru: for writing them without indexes.
        write_factor: by how much the indexing policy multiplies a write.
    """
    return LoadSize(size_bytes, with_indexes(ru, write_factor))


def with_indexes(ru: float, write_factor: float) -> int:
    """Return request units of writes with indexes, rounded up; a factor has no more than three decimals."""
    return math.ceil(round(ru * write_factor, 3))


def _interpolated(table: Sequence[tuple[float, float]], size_bytes: float) -> float:
    """Return the request units of a size: even between two rows, and beyond the last as before it."""
    kilobytes = size_bytes / 1024
    if kilobytes <= table[0][0]:
        return table[0][1]
    rows = pairwise(table)
    (low, low_ru), (high, high_ru) = next((row for row in rows if kilobytes <= row[1][0]), table[-2:])
    return low_ru + (kilobytes - low) * (high_ru - low_ru) / (high - low)
