"""One line of an export's data file: `{"Item": {...}}`.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

import json
from typing import Any

import orjson

from d2c.mapping.rejected import MALFORMED_LINE, Fault


def read_item(line: bytes) -> dict[str, Any]:
    """Return the attributes of an exported item in DynamoDB JSON.

    Args:
        line: any bytes, with or without its line end.

    Raises:
        Fault: malformed_line, where the line is not exactly one JSON object of the export's shape.
    """
    line = line.rstrip(b"\r\n")
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise Fault(
            MALFORMED_LINE, f"the line is not JSON: {error.msg} at character {error.pos + 1}"
        ) from None
    item = record.get("Item") if type(record) is dict and len(record) == 1 else None
    if type(item) is not dict:
        raise Fault(MALFORMED_LINE, _wrong_shape(record))
    if _may_hold_a_name_twice(line, record) and holds_a_name_twice(line):
        raise Fault(MALFORMED_LINE, "a name stands twice in one JSON object")
    return item


def _wrong_shape(record: Any) -> str:
    if isinstance(record, dict) and "Keys" in record:
        return "the line is of an incremental export; only full exports are mapped"
    return 'the line is not of the form {"Item": {...}}'


def _may_hold_a_name_twice(line: bytes, record: Any) -> bool:
    """Tell quickly of nearly every line that it does not: writing it again gives the same bytes."""
    try:
        return orjson.dumps(record) != line
    except orjson.JSONEncodeError:  # nested deeper than orjson writes
        return True


def holds_a_name_twice(text: bytes) -> bool:
    """Tell whether valid JSON text has an object with one name twice, of which parsers keep only one."""

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
