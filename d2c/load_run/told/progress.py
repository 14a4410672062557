"""The progress of a table's load run: the one door by which it comes from the lake."""

from typing import cast

from d2c.field_types import shaped
from d2c.foreign_json import ForeignJsonError, json_value
from d2c.shapes import LoadProgress

PROGRESS_BYTES = 2**16


def parse_progress(content: bytes | None) -> LoadProgress | None:
    """Return how far a table's load run is; None if the file does not tell, as while it is being written."""
    try:
        value = json_value(content or b"", "the progress", PROGRESS_BYTES)
        progress = cast("LoadProgress", shaped(value, LoadProgress, "the progress"))
    except (ForeignJsonError, TypeError):
        return None
    return progress if progress["stages"] else None
