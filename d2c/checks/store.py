"""The storage of a check: files in the lake, since findings grow with the tables; inline if the lake fails.

A check must be able to report that the lake is unreachable, so it cannot depend on it.
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
    """Store a value, and return the reference by which `kept` reads it.

    Args:
        connect: connects to the lake.
        check: the check's id.
        name: the value's within the check.
        value: any JSON.
    """
    path = check_file_path(check, name)
    try:
        connect().write_json(path, value)
    except D2CError as error:
        logger.warning("%s is stored in the orchestration's history instead: %s", path, error)
        return {"value": value}
    return {"path": path}


def kept(connect: Callable[[], Lake], reference: Reference) -> Any:
    """Return a stored value; None if it is no longer in the lake."""
    return connect().read_json(reference["path"]) if "path" in reference else reference["value"]
