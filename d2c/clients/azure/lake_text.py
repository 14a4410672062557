"""Files of the lake as values: JSON, logs of JSON lines, and the refusal of what is too large."""

import json
from typing import Any

import orjson

from d2c.errors import PermanentError, TransientError


def parsed(text: bytes, thing: str) -> Any:
    """Return the value of a JSON file.

    Raises:
        TransientError: if it is not JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TransientError(
            f"{thing} is not JSON: {error}", "Retrying. If it keeps failing, check what else writes to it."
        ) from error


def entries_of(content: bytes, thing: str) -> list[dict[str, Any]]:
    """Return the entries of a log of JSON lines.

    A log of thousands of lines is read often, so it is parsed as one array; line by line only to say which is wrong.

    Raises:
        TransientError: if a line is not a JSON object.
    """
    lines = content.splitlines()
    try:
        entries: list[Any] = orjson.loads(b"[%b]" % b",".join(lines))
    except orjson.JSONDecodeError:
        entries = []
    if len(entries) == len(lines) and all(type(entry) is dict for entry in entries):
        return entries
    return [_entry_of(line, f"{thing} line {number}") for number, line in enumerate(lines, 1)]


def _entry_of(line: bytes, thing: str) -> dict[str, Any]:
    entry = parsed(line, thing)
    if not isinstance(entry, dict):
        raise TransientError(
            f"{thing} is not a JSON object.", "Retrying. Check what else writes to the file."
        )
    return entry


def too_large(thing: str, most_bytes: int) -> PermanentError:
    """Return the error for a file of which no more is read."""
    return PermanentError(
        f"{thing} has more than {most_bytes:,} bytes, which is the most that the app reads of such a file.",
        "Check what else writes to it, and put the right file in its place.",
        title="A file in the lake is too large",
    )
