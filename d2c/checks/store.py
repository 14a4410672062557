"""What a check keeps: in the lake, since findings grow with the tables; inline where the lake cannot be written.

A check has to tell that the lake is out of reach, so it must be able to do without it.
"""

import logging
from collections.abc import Callable
from typing import Any

from d2c.clients.azure.lake import Lake
from d2c.errors import D2CError
from d2c.shapes import Reference
from d2c.state.paths import check_file_path

logger = logging.getLogger(__name__)


def keep(connect: Callable[[], Lake], check: str, name: str, value: Any) -> Reference:
    """Keep a value, and return the reference by which `kept` finds it.

    Args:
        connect: connects to the lake.
        check: the check's id.
        name: what the value is called within the check.
        value: anything that JSON can hold.
    """
    path = check_file_path(check, name)
    try:
        connect().write_json(path, value)
    except D2CError as error:
        logger.warning("%s is kept in the orchestration's history: %s", path, error)
        return {"value": value}
    return {"path": path}


def kept(connect: Callable[[], Lake], reference: Reference) -> Any:
    """Return a value that was kept; None if it is no longer in the lake."""
    return connect().read_json(reference["path"]) if "path" in reference else reference["value"]
