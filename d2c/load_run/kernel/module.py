"""The native kernel's module, if it is there, and its decompression, which gives the very bytes of the reference."""

import functools
import importlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from d2c.export_format import decompressed, decompressed_pieces

MODULE = "d2c_kernel"
VERSION = 3
# Set to `off`, it leaves all to the mapper.
SWITCH = "D2C_KERNEL"
# A file of no more bytes is decompressed at once, which is faster.
WHOLE_BYTES = 128 << 20
# How much is decompressed at a time of others.
COMPRESSED_BYTES, PIECE_BYTES = 1 << 18, 1 << 20
SIZE_FIELD_BYTES = 4
# Where a file is damaged, the reference gives up to a piece less than could be read of it.
HELD_BYTES = 3 * PIECE_BYTES
# What the last file was decompressed into: a process pays for the first use of each page of new memory.
_SPARE: list[bytearray] = []


@functools.cache
def native() -> tuple[Any, str]:
    """Return the kernel's module, or None, and a word on it for the run's output."""
    if os.environ.get(SWITCH, "").lower() == "off":
        return None, f"The native kernel is switched off ({SWITCH}); items are mapped in Python."
    try:
        module = importlib.import_module(MODULE)
    except ModuleNotFoundError:
        return None, "The native kernel is not installed; items are mapped in Python, which is slower."
    except ImportError as error:
        return (
            None,
            f"The native kernel cannot be used here ({error}); items are mapped in Python, which is slower.",
        )
    version = getattr(module, "VERSION", None)
    if version != VERSION:
        return None, (
            f"The native kernel has version {version}, and this d2c needs {VERSION}; items are mapped in Python. "
            "Deploy both together (d2c deploy)."
        )
    return module, "Items are mapped by the native kernel."


def decompress(compressed: bytes | memoryview, name: str) -> Iterator[bytes]:
    """Like `decompressed`, which goes on where the kernel has a doubt: it has the words for what is wrong.

    Raises:
        ExportFormatError: as `decompressed`.
    """
    module, _ = native()
    data = memoryview(compressed).cast("B")
    whole = _whole(module, data) if module else None
    if whole is not None:
        yield from whole
        return
    yield from _sure(module, _cut_compressed(data), lambda: decompressed(compressed, name))


def decompress_pieces(pieces: Callable[[], Iterable[bytes]], name: str) -> Iterator[bytes]:
    """Like `decompress`, of a file that comes in pieces, from its first one each time it is asked for."""
    module, _ = native()
    return _sure(module, pieces(), lambda: decompressed_pieces(pieces(), name))


def _sure(
    module: Any, compressed: Iterable[bytes], reference: Callable[[], Iterator[bytes]]
) -> Iterator[bytes]:
    """Return what the kernel decompresses, and from where it has a doubt on, what the reference does."""
    held: deque[bytes] = deque()
    held_bytes = given = 0
    for piece in _pieces(module, compressed) if module else (None,):
        if piece is None:
            yield from _after(given, reference())
            return
        held.append(piece)
        held_bytes += len(piece)
        while held_bytes > HELD_BYTES:
            first = held.popleft()
            held_bytes -= len(first)
            given += len(first)
            yield first
    yield from held


def _cut_compressed(data: memoryview) -> Iterator[bytes]:
    return (bytes(data[start : start + COMPRESSED_BYTES]) for start in range(0, len(data), COMPRESSED_BYTES))


def count_lines(block: bytes) -> int:
    """Return the number of lines of a block, of which the last one may be without its end."""
    module, _ = native()
    if module:
        return int(module.count_lines(block))
    return block.count(b"\n") + (not block.endswith(b"\n"))


def _whole(module: Any, data: memoryview) -> Iterator[bytes] | None:
    """Decompress a file of one gzip member whose last bytes say that it is not too large; None if it is not that.

    https://www.rfc-editor.org/rfc/rfc1952#page-8
    """
    size = int.from_bytes(data[-SIZE_FIELD_BYTES:], "little")
    if size > WHOLE_BYTES:
        return None
    memory = _SPARE.pop() if _SPARE else bytearray()
    if len(memory) < size:
        memory = bytearray(size)
    return _cut(memory, size) if module.gunzip(data, memoryview(memory)[:size]) else None


def _cut(memory: bytearray, size: int) -> Iterator[bytes]:
    """Return pieces of whole lines, where a piece has the end of a line, and keep the memory for the next file."""
    view, start = memoryview(memory)[:size], 0
    while start < size:
        end = memory.rfind(b"\n", start, min(start + PIECE_BYTES, size)) + 1 or min(start + PIECE_BYTES, size)
        yield bytes(view[start:end])
        start = end
    _SPARE[:] = [memory]


def _pieces(module: Any, compressed: Iterable[bytes]) -> Iterator[bytes | None]:
    """Decompress one gzip member, which nothing follows; the last piece is None if that is not what it is."""
    inflater, is_end = module.Inflater(), False
    for taken in compressed:
        at = 0
        while at < len(taken):
            if is_end:
                yield None
                return
            before = at
            piece, at, is_end, is_sound = inflater.inflate(taken, at, PIECE_BYTES)
            if not is_sound or not (piece or is_end or at > before):
                yield None
                return
            yield piece
    # Output may be left of the last input.
    while not is_end:
        piece, _, is_end, is_sound = inflater.inflate(b"", 0, PIECE_BYTES)
        if not is_sound or not (piece or is_end):
            yield None
            return
        yield piece


def _after(given: int, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Return pieces without the bytes that were given already."""
    for piece in pieces:
        yield piece[given:]
        given = max(given - len(piece), 0)
