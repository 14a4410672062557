"""Arrow columns from the kernel's buffers, which are not copied."""

from typing import Any

import pyarrow as pa

Buffers = tuple[Any, Any]
"""Two objects of Python's buffer protocol."""


def texts_of(buffers: Buffers, kind: pa.DataType) -> pa.Array:
    """Return a column of texts or binaries from their offsets and data."""
    offsets, data = map(pa.py_buffer, buffers)
    return pa.Array.from_buffers(kind, offsets.size // 4 - 1, [None, offsets, data])


def wholes_of(buffers: Buffers) -> pa.Array:
    """Return a column of whole numbers from a bitmap of those that are there, and their values."""
    is_there, values = map(pa.py_buffer, buffers)
    return pa.Array.from_buffers(pa.int64(), values.size // 8, [is_there, values])
