"""Read data files: gzip of one JSON text per line."""

import zlib
from collections.abc import Callable, Iterable, Iterator

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
    yield from blocks_of((decompress or decompressed)(compressed, name), name)


def blocks_of(pieces: Iterable[bytes], name: str) -> Iterator[bytes]:
    """Return blocks of whole lines of decompressed pieces; see `read_blocks`."""
    rest: list[bytes] = []
    rest_bytes = 0
    for piece in pieces:
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
    return decompressed_pieces((compressed,), name)


def decompressed_pieces(pieces: Iterable[bytes | memoryview], name: str) -> Iterator[bytes]:
    """Like `decompressed`, of a file that comes in pieces, of which one is held at a time."""
    file = _Compressed(pieces)
    if file.is_at_end():
        raise ExportFormatError(f"{name} has no bytes; the smallest gzip has {SMALLEST_GZIP_BYTES}.")
    members = 0
    while not file.is_at_end():
        members += 1
        if members > MOST_MEMBERS:
            raise ExportFormatError(f"{name} is a gzip of more than {MOST_MEMBERS} members.")
        yield from _decompressed_member(file, name)


class _Compressed:
    """A file's bytes, which are taken in order; the last ones that were taken may be given back."""

    def __init__(self, pieces: Iterable[bytes | memoryview]) -> None:
        self._pieces = iter(pieces)
        self._piece = memoryview(b"")
        self._at = self._before = 0

    @property
    def taken_bytes(self) -> int:
        """How many were taken so far."""
        return self._before + self._at

    def is_at_end(self) -> bool:
        """Return whether all were taken."""
        while self._at == len(self._piece):
            self._before += len(self._piece)
            self._at, found = 0, next(self._pieces, None)
            self._piece = memoryview(found or b"")
            if found is None:
                return True
        return False

    def take(self, most_bytes: int) -> memoryview:
        """Return the next bytes; none at the end."""
        if self.is_at_end():
            return memoryview(b"")
        taken = self._piece[self._at : self._at + most_bytes]
        self._at += len(taken)
        return taken

    def give_back(self, size_bytes: int) -> None:
        """Give back so many of the bytes that were taken last."""
        self._at -= size_bytes


def _decompressed_member(file: _Compressed, name: str) -> Iterator[bytes]:
    """Decompress the next gzip member.

    What follows a member is read with it and copied, so a small member is read in small pieces.
    """
    member = zlib.decompressobj(_GZIP)
    piece_bytes = FIRST_PIECE_BYTES
    while not member.eof:
        taken = member.unconsumed_tail or file.take(piece_bytes)
        if not taken:
            raise ExportFormatError(f"{name} is a truncated gzip: it ends after {file.taken_bytes} bytes.")
        piece_bytes = min(2 * piece_bytes, PIECE_BYTES)
        try:
            yield member.decompress(taken, PIECE_BYTES)
        except zlib.error as error:
            raise ExportFormatError(f"{name} is a damaged gzip: {error}.") from error
    file.give_back(len(member.unused_data))
