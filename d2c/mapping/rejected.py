"""The reasons for rejecting an item, and the JSON line that stores a rejected item."""

from typing import Any, NamedTuple

import orjson

MALFORMED_LINE = "malformed_line"
MISSING_KEY = "missing_key"
UNKNOWN_TYPE = "unknown_type"
NAME_COLLISION = "name_collision"
INEXACT_NUMBER = "inexact_number"
PARTITION_KEY_TOO_LONG = "partition_key_too_long"
DOCUMENT_TOO_LARGE = "document_too_large"

REASONS = (
    MALFORMED_LINE,
    MISSING_KEY,
    UNKNOWN_TYPE,
    NAME_COLLISION,
    INEXACT_NUMBER,
    PARTITION_KEY_TOO_LONG,
    DOCUMENT_TOO_LARGE,
)
"""Every reason, in order of precedence."""


LONGEST_SHOWN = 200
"""In characters. A name in an item may be as long as the item."""


def shown(text: str) -> str:
    """Return a text of an item as a detail has it: not longer than `LONGEST_SHOWN`."""
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


class Fault(Exception):  # noqa: N818 - an item's property, not an error of the program
    """One fault that prevents an item from becoming a document.

    Args:
        reason: one of `REASONS`.
        detail: the fault in words, without the item's values (the rejected item has them already).
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class Rejected(NamedTuple):
    """An item that cannot become a faithful document.

    `keys` are the key attributes that the item has, in DynamoDB JSON, or None. `item` is JSON text: the
    `Item` as exported, or the line as a JSON string if no object can be cut out of it unchanged.
    """

    reason: str
    detail: str
    keys: dict[str, Any] | None
    item: bytes

    def to_json_line(self, file: str, line_number: int) -> bytes:
        """Return the rejected item as one JSON line without its line end.

        Args:
            file: name of its data file.
            line_number: its line in that file, counted from 1.
        """
        return orjson.dumps(
            {
                "file": file,
                "line": line_number,
                "reason": self.reason,
                "detail": self.detail,
                "keys": self.keys,
                "item": orjson.Fragment(self.item),
            }
        )


def reject_line(line: bytes, fault: Fault, key_names: tuple[str, ...]) -> Rejected:
    """Return the rejected item for an export line: the line and the reason.

    Args:
        line: any bytes.
        fault: the reason for the rejection.
        key_names: the table's key attributes.
    """
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        record = {}
    item = record.get("Item") if isinstance(record, dict) else None
    text = _item_text(line, record) if isinstance(item, dict) else None
    if item is None or text is None:
        # Bytes that are not UTF-8 are kept as \xNN: readable, but the line cannot be replayed.
        return Rejected(
            fault.reason, fault.detail, None, orjson.dumps(line.decode("utf-8", "backslashreplace"))
        )
    keys = {name: item[name] for name in key_names if name in item}
    # As deep as they stand in the rejected item's line.
    is_written = keys and _dumps({"keys": keys})
    return Rejected(fault.reason, fault.detail, keys if is_written else None, text)


def _item_text(line: bytes, record: dict[str, Any]) -> bytes | None:
    """Cut the item out of its line, since parsing can lose digits of numbers and duplicate names."""
    item = record["Item"]
    text = line[line.index(b":") + 1 : line.rindex(b"}")].strip()
    if _parses_to(text, item):
        return text
    # The line has other names, or a second item: parsing must not have lost any of them.
    return _dumps(item) if _dumps(record) == line.rstrip(b"\r\n") else None


def _parses_to(text: bytes, value: Any) -> bool:
    try:
        return bool(orjson.loads(text) == value)
    except (orjson.JSONDecodeError, RecursionError):  # nested deeper than Python compares
        return False


def _dumps(value: Any) -> bytes | None:
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:  # nested deeper than orjson writes
        return None
