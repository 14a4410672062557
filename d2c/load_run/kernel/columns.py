"""Arrow columns from the kernel's buffers."""

import pyarrow as pa

Buffers = tuple[bytes, bytes]


def texts_of(buffers: Buffers, kind: pa.DataType) -> pa.Array:
    """Return a column of texts or binaries from their offsets and data."""
    offsets, data = buffers
    return pa.Array.from_buffers(
        kind, len(offsets) // 4 - 1, [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    )


def wholes_of(buffers: Buffers) -> pa.Array:
    """Return a column of whole numbers from a bitmap of those that are there, and their values."""
    is_there, values = buffers
    return pa.Array.from_buffers(pa.int64(), len(values) // 8, [pa.py_buffer(is_there), pa.py_buffer(values)])
