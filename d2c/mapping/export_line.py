"""One line of an export's data file: `{"Item": {...}}`.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

import json
from typing import Any

import orjson

from d2c.mapping.rejected import MALFORMED_LINE, Fault

NAME_TWICE = "a JSON object has the same name twice"


def read_item(line: bytes) -> dict[str, Any]:
    """Return the attributes of an exported item in DynamoDB JSON.

    Args:
        line: any bytes, with or without its line end.

    Raises:
        Fault: malformed_line, if the line is not exactly one JSON object in the export's format.
    """
    item = parse_item(line)
    check_names(line, item)
    return item


def parse_item(line: bytes) -> dict[str, Any]:
    """Like `read_item`, but of a name that occurs twice in one object keep only the last value.

    Raises:
        Fault: malformed_line.
    """
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise Fault(
            MALFORMED_LINE, f"the line is not JSON: {error.msg} at character {error.pos + 1}"
        ) from None
    item = record.get("Item") if type(record) is dict and len(record) == 1 else None
    if type(item) is not dict:
        raise Fault(MALFORMED_LINE, _wrong_shape(record))
    return item


def check_names(line: bytes, item: dict[str, Any]) -> None:
    """Reject a line with a duplicate name in one object, since parsing keeps only one of the values.

    Args:
        line: as given to `parse_item`.
        item: as returned by it.

    Raises:
        Fault: malformed_line.
    """
    try:
        written = orjson.dumps({"Item": item})
    except orjson.JSONEncodeError:  # nested deeper than orjson writes
        written = b""
    if written == line.rstrip(b"\r\n"):  # nearly always, since exports are compact
        return
    if written and b"\\u0022" not in line:
        # Each name has two quotes, and a quote inside a text has the same form on both sides.
        is_twice = written.count(b'"') != line.count(b'"')
    else:
        is_twice = holds_a_name_twice(line)
    if is_twice:
        raise Fault(MALFORMED_LINE, NAME_TWICE)


def _wrong_shape(record: Any) -> str:
    if isinstance(record, dict) and "Keys" in record:
        return "the line is of an incremental export; only full exports are mapped"
    return 'the line is not of the form {"Item": {...}}'


def holds_a_name_twice(text: bytes) -> bool:
    """Return whether valid JSON text has an object with a duplicate name, of which parsers keep only one."""

    def check(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        unique = dict(pairs)
        if len(unique) != len(pairs):
            raise _NameTwiceError
        return unique

    try:
        json.loads(text, object_pairs_hook=check)
    except _NameTwiceError:
        return True
    except RecursionError:
        return False  # so deep that the walk through its values refuses it
    return False


class _NameTwiceError(Exception):
    pass
