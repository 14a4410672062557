"""Read data files: gzip of one JSON text per line."""

import zlib
from collections.abc import Callable, Generator, Iterator

from d2c.export_format.errors import ExportFormatError

PIECE_BYTES = 1 << 20
# An item has at most 400 KB, and its DynamoDB JSON is far smaller than this.
LONGEST_LINE_BYTES = 16 << 20
FIRST_PIECE_BYTES = 1 << 12
# An export's file is one member. Tools that compress in parallel make members of 64 KB and more.
MOST_MEMBERS = 100_000
SMALLEST_GZIP_BYTES = 20
_GZIP = 31

Decompress = Callable[[bytes | memoryview, str], Iterator[bytes]]


def read_lines(compressed: bytes | memoryview, name: str) -> Iterator[bytes]:
    r"""Return the lines of a data file, decompressing it piece by piece.

    Lines end at the byte ``\n`` only: strings may contain other characters that Python treats as line ends.
    A last line needs no line end, and an empty last line is not returned.

    Args:
        compressed: the file's bytes: gzip, of one or several members.
        name: the file's name, for messages.

    Raises:
        ExportFormatError: if the gzip is empty, damaged or truncated, has too many members, or a line is longer than
            any item can be.
    """
    for block in read_blocks(compressed, name):
        yield from lines_of(block)


def lines_of(block: bytes) -> list[bytes]:
    """Return the lines of a block of whole lines."""
    lines = block.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return lines


def read_blocks(
    compressed: bytes | memoryview, name: str, decompress: Decompress | None = None
) -> Iterator[bytes]:
    """Like `read_lines`, but return blocks of whole lines; only the last one may be without its line end.

    Args:
        compressed: as in `read_lines`.
        name: as in `read_lines`.
        decompress: another way to do what `decompressed` does.
    """
    rest: list[bytes] = []
    rest_bytes = 0
    for piece in (decompress or decompressed)(compressed, name):
        end = piece.rfind(b"\n") + 1
        if end:
            yield b"".join((*rest, piece[:end])) if rest_bytes else piece[:end]
            rest, rest_bytes = [], 0
        rest.append(piece[end:])
        rest_bytes += len(piece) - end
        if rest_bytes > LONGEST_LINE_BYTES:
            raise ExportFormatError(f"{name} has a line of more than {LONGEST_LINE_BYTES} bytes.")
    if rest_bytes:
        yield b"".join(rest)


def decompressed(compressed: bytes | memoryview, name: str) -> Iterator[bytes]:
    """Return a data file's decompressed bytes, piece by piece; errors are those of `read_lines`."""
    data = memoryview(compressed)
    if not len(data):
        raise ExportFormatError(f"{name} has no bytes; the smallest gzip has {SMALLEST_GZIP_BYTES}.")
    position = members = 0
    while position < len(data):
        members += 1
        if members > MOST_MEMBERS:
            raise ExportFormatError(f"{name} is a gzip of more than {MOST_MEMBERS} members.")
        position = yield from _decompressed_member(data, position, name)


def _decompressed_member(data: memoryview, position: int, name: str) -> Generator[bytes, None, int]:
    """Decompress the gzip member that begins at a position; return the position after it.

    What follows a member is read with it and copied, so a small member is read in small pieces.
    """
    member = zlib.decompressobj(_GZIP)
    taken_bytes = FIRST_PIECE_BYTES
    while not member.eof:
        if position >= len(data) and not member.unconsumed_tail:
            raise ExportFormatError(f"{name} is a truncated gzip: it ends after {len(data)} bytes.")
        taken = member.unconsumed_tail or data[position : position + taken_bytes]
        if not member.unconsumed_tail:
            position += len(taken)
            taken_bytes = min(2 * taken_bytes, PIECE_BYTES)
        try:
            yield member.decompress(taken, PIECE_BYTES)
        except zlib.error as error:
            raise ExportFormatError(f"{name} is a damaged gzip: {error}.") from error
    return position - len(member.unused_data)
