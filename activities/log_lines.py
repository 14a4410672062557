"""What activities say in the log: one line where something outside starts, ends, fails or is tried again."""

import logging
from collections.abc import Mapping
from typing import Any

from d2c.errors import CancelledError, D2CError, TransientError
from d2c.redaction import without_secrets
from d2c.run_keys import run_key

logger = logging.getLogger(__name__)

# The stage that each activity is of; those that look after a whole migration are of none.
STAGE_OF_ACTIVITY = {
    "describe_source": "export",
    "start_export": "export",
    "look_at_export": "export",
    "start_arrival": "copy",
    "look_at_arrival": "copy",
    "start_copy": "copy",
    "look_at_copy": "copy",
    "stop_copy": "copy",
    "describe_container": "prepare",
    "start_prepare": "prepare",
    "look_at_prepare": "prepare",
    "start_load": "load",
    "look_at_load": "load",
    "stop_load": "load",
    "restore_throughput": "report",
    "write_table_report": "report",
    "write_report": "report",
}
STAGE_OF_TURN = {"exports": "export", "copies": "copy", "loads": "prepare"}
# Their starts outside have a run key.
WITH_RUN_KEY = ("export", "copy", "load")


def fields_of(activity: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that all lines of an activity carry.

    Args:
        activity: its name.
        payload: its input; a table's has ``migration``, ``table`` and, of a start or a look, ``attempt``; that of a
            plan's check has ``check``.
    """
    migration, table, attempt = payload.get("migration"), payload.get("table"), payload.get("attempt")
    stage = STAGE_OF_ACTIVITY.get(activity) or STAGE_OF_TURN.get(payload.get("kind", ""))
    key = None
    if stage in WITH_RUN_KEY and attempt and not payload.get("load_group"):
        name = (payload.get("revisit") or {}).get("name", stage) if stage == "load" else stage
        key = run_key(str(migration), str(table), name, attempt)
    return {
        "activity": activity,
        "migration": migration,
        "check": payload.get("check"),
        "table": table if isinstance(table, str) else None,
        "stage": stage,
        "attempt": attempt,
        "run_key": key,
    }


def tell_value(activity: str, value: Any) -> None:
    """Say what an activity came to; a look at something that goes on is for those who debug."""
    if activity.startswith("start_"):
        logger.info("%s: %s", activity, value if isinstance(value, str | int) else "started")
    elif isinstance(value, dict) and value.get("state") == "running":
        logger.debug("%s: %s", activity, value.get("progress"))
    else:
        logger.info("%s: done", activity)


def tell_error(activity: str, error: D2CError) -> None:
    """Say how an activity failed, and whether it is tried again."""
    if isinstance(error, CancelledError):
        logger.info("%s: %s", activity, error.detail)
        return
    again = "may heal and is tried again" if isinstance(error, TransientError) else "does not heal"
    logger.warning("%s, which %s: %s", activity, again, without_secrets(str(error)))
