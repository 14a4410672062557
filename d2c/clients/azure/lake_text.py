"""Files of the lake as values: JSON, logs of JSON lines, and the refusal of what is too large."""

import json
from typing import Any

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


def entry_of(line: bytes, thing: str) -> dict[str, Any]:
    """Return the entry in a line of a log.

    Raises:
        TransientError: if it is not a JSON object.
    """
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
