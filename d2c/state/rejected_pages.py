"""Rejected items page by page, straight from the lake's JSON lines, however many there are.

A page's token is the position at which the next one begins: a table, its folder of rejected items, a file of it, and a
byte offset.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from d2c.clients.azure.lake import Lake
from d2c.errors import PermanentError, RefusedError
from d2c.foreign_json import json_value

PIECE_BYTES = 2**20
# An item has at most 400 KB, and a rejected one is far smaller than this with its keys and all escapes.
MOST_LINE_BYTES = 2**24
MOST_TOKEN_BYTES = 1536
# A page ends early rather than that one call reads, or answers with, any more than this.
MOST_BYTES_READ = 64 * 2**20
MOST_BYTES_ANSWERED = 8 * 2**20


class Cursor(NamedTuple):
    """The beginning of a line."""

    table: str
    folder: str
    file: str
    offset: int

    def to_token(self) -> str:
        """Return the position as an opaque text."""
        return base64.urlsafe_b64encode(json.dumps(self).encode()).decode()


def read_token(token: str) -> Cursor:
    """Return the position that a token encodes.

    Raises:
        RefusedError: if it is not a token.
    """
    try:
        content = base64.b64decode(token, altchars=b"-_", validate=True)
        table, folder, file, offset = json_value(content, "token", MOST_TOKEN_BYTES)
    except (binascii.Error, ValueError, TypeError):
        raise _bad_token() from None
    texts = [value for value in (table, folder, file) if isinstance(value, str)]
    if len(texts) != 3 or type(offset) is not int or offset < 0:
        raise _bad_token()
    return Cursor(table, folder, file, offset)


def read_page(
    lake: Lake, folders: Mapping[str, str], reason: str | None, most: int, begin: Cursor | None
) -> tuple[list[bytes], Cursor | None]:
    """Return some rejected items as JSON text, and the position where the next page begins or None.

    A page may hold fewer than could be, even none, and not be the last one.

    Args:
        lake: where they lie.
        folders: the folder of each table's rejected items, by the table's name, in the order of the tables.
        reason: why the items are rejected that are asked for; any reason if None.
        most: how many items to return at the most.
        begin: where the page begins; at the first table's first item if None.

    Raises:
        RefusedError: if no page begins there.
    """
    found: list[bytes] = []
    read = answered = 0
    for line, cursor, end in _lines(lake, folders, begin):
        if len(found) == most or read > MOST_BYTES_READ or answered > MOST_BYTES_ANSWERED:
            return found, cursor
        read += end - cursor.offset
        item = _item(line, cursor)
        if reason is None or item["reason"] == reason:
            # The line itself is passed on: parsing could lose digits of numbers, and repeated names.
            text = b'{"table":' + orjson.dumps(cursor.table) + b"," + line[1:]
            found.append(text)
            answered += len(text)
    return found, None


def _lines(
    lake: Lake, folders: Mapping[str, str], begin: Cursor | None
) -> Iterator[tuple[bytes, Cursor, int]]:
    """Return lines with the places where they begin and the offsets at which they end."""
    tables = list(folders)
    if begin is not None:
        if folders.get(begin.table) != begin.folder:
            raise RefusedError(
                "The rejected items are not those any more that the page before was part of.",
                "Leave out token to begin again.",
            )
        tables = tables[tables.index(begin.table) :]
    for table in tables:
        sizes = {name: size for name, size in lake.sizes(folders[table]).items() if name.startswith("part-")}
        start = begin if begin is not None and begin.table == table else None
        if start is not None:
            _check_start(lake, start, sizes)
        for name in sorted(sizes):
            if start is not None and name < start.file:
                continue
            offset = start.offset if start is not None and name == start.file else 0
            first = Cursor(table, folders[table], name, offset)
            yield from _lines_of_file(lake, first, sizes[name])


def _check_start(lake: Lake, start: Cursor, sizes: Mapping[str, int]) -> None:
    """Refuse a position that is not the beginning of a line."""
    if start.offset >= sizes.get(start.file, 0):
        raise _bad_token()
    path = f"{start.folder}/{start.file}"
    if start.offset and lake.read_range(path, start.offset - 1, 1) != b"\n":
        raise _bad_token()


def _lines_of_file(lake: Lake, first: Cursor, size: int) -> Iterator[tuple[bytes, Cursor, int]]:
    rest, begin, position = b"", first.offset, first.offset
    while position < size:
        piece = lake.read_range(f"{first.folder}/{first.file}", position, min(PIECE_BYTES, size - position))
        position += len(piece)
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            end = begin + len(line) + 1
            yield line, first._replace(offset=begin), end
            begin = end
        if len(rest) > MOST_LINE_BYTES:
            raise _no_item(first._replace(offset=begin), f"a line has more than {MOST_LINE_BYTES:,} bytes")
    if rest:
        yield rest, first._replace(offset=begin), size


def _item(line: bytes, cursor: Cursor) -> dict[str, Any]:
    try:
        item = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise _no_item(cursor, error.msg) from None
    if not isinstance(item, dict) or not isinstance(item.get("reason"), str) or line[:1] != b"{":
        raise _no_item(cursor, "it is no object with a reason")
    return item


def _no_item(place: Cursor, cause: str) -> PermanentError:
    return PermanentError(
        f"{place.folder}/{place.file} in the lake has no rejected item at byte {place.offset}: {cause}",
        "Look for what changes files there.",
    )


def _bad_token() -> RefusedError:
    return RefusedError(
        "token is none that a page of these rejected items had.",
        "Give the next of the page before, or leave it out.",
    )
