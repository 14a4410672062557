"""Data files: gzip of one JSON text per line."""

import zlib
from collections.abc import Iterator

from d2c.export_format.errors import ExportFormatError

PIECE_BYTES = 1 << 20
# An item has at most 400 KB, which as DynamoDB JSON stays far below this.
LONGEST_LINE_BYTES = 16 << 20
_GZIP = 31


def read_lines(compressed: bytes | memoryview, name: str) -> Iterator[bytes]:
    r"""Return the lines of a data file, decompressed piece by piece.

    Lines end at the byte ``\n`` only: other characters that Python takes for line ends may stand in strings. A last
    line without an end counts, a single empty one at the end of the file does not.

    Args:
        compressed: the file's bytes: gzip, of one or several members.
        name: the file's name, for messages.

    Raises:
        ExportFormatError: if the gzip is damaged or cut off, or a line is longer than any item can be.
    """
    rest: list[bytes] = []
    rest_bytes = 0
    for piece in _decompressed(compressed, name):
        *whole, last = piece.split(b"\n")
        for end in whole:
            yield b"".join((*rest, end)) if rest else end
            rest, rest_bytes = [], 0
        rest.append(last)
        rest_bytes += len(last)
        if rest_bytes > LONGEST_LINE_BYTES:
            raise ExportFormatError(f"{name} has a line of more than {LONGEST_LINE_BYTES} bytes.")
    if rest_bytes:
        yield b"".join(rest)


def _decompressed(compressed: bytes | memoryview, name: str) -> Iterator[bytes]:
    data = memoryview(compressed)
    position = 0
    while position < len(data):
        member = zlib.decompressobj(_GZIP)
        while not member.eof:
            if position >= len(data) and not member.unconsumed_tail:
                raise ExportFormatError(f"{name} ends in the middle of its gzip, after {len(data)} bytes.")
            taken = member.unconsumed_tail or data[position : position + PIECE_BYTES]
            if not member.unconsumed_tail:
                position += len(taken)
            try:
                yield member.decompress(taken, PIECE_BYTES)
            except zlib.error as error:
                raise ExportFormatError(f"{name} is no whole gzip: {error}.") from error
        position -= len(member.unused_data)
