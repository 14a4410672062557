"""How activities answer: a value, or an error that the orchestrator can decide on.

The SDK's retries have neither a growing interval nor a filter on errors, and the text of an exception reaches an
orchestrator with its stack trace. So an activity never raises: it returns ``{"value": ...}`` or ``{"error": ...}``,
and `orchestrators.retrying.call` tries again what may heal.
"""

import functools
import logging
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.trace import StatusCode

from d2c.app.observing import observed
from d2c.app.redaction import without_secrets
from d2c.app.settings import app_settings
from d2c.clients.azure.lake import connect_lake
from d2c.errors import CancelledError, D2CError, TransientError
from d2c.state.ids import run_key
from d2c.state.paths import cancel_path

Payload = dict[str, Any]
logger = logging.getLogger(__name__)


def outcome(activity: Callable[[Payload], Any]) -> Callable[..., Payload]:
    """Make an activity answer with a value or an error."""
    name = activity.__name__

    @functools.wraps(activity)
    def answer(payload: Payload) -> Payload:
        with observed(name, **fields_of(name, payload)) as span:
            try:
                value = activity(payload)
            except D2CError as error:
                tell_error(name, error)
                told = _told(error)
                span.set_status(StatusCode.ERROR, told["detail"])
                return {"error": told}
            except Exception as error:
                stack_trace = without_secrets(traceback.format_exc())
                logger.error("%s failed unexpectedly\n%s", name, stack_trace)  # noqa: TRY400
                unexpected = TransientError(
                    f"{name} failed with {type(error).__name__}: {error}",
                    "It is tried again; if it persists, report it with the app's log.",
                    title="Unexpected error",
                )
                told = _told(unexpected)
                span.set_status(StatusCode.ERROR, told["detail"])
                return {"error": told}
            tell_value(name, value)
            return {"value": value}

    return answer


def _told(error: D2CError) -> Payload:
    """Return an error as it crosses the durable boundary, which is history that many may read."""
    return {**error.to_dict(), "detail": without_secrets(error.detail)}


def refuse_if_cancelled(migration: str, revisit: str | None = None, table: str | None = None) -> None:
    """Stop before doing anything for a migration, or for a table of it, that a user has cancelled.

    Args:
        migration: its id.
        revisit: the revisit that this is done for, if any: it has a mark of its own, whatever became of the migration.
        table: the table that this is done for, if any: a mark may name just some of them.

    Raises:
        CancelledError: if the lake has a cancel mark that means this.
    """
    mark = connect_lake(app_settings()).read_json(cancel_path(migration, revisit))
    tables = (mark or {}).get("tables")
    if mark is not None and (tables is None or table in tables):
        raise CancelledError(migration, revisit, table if tables else None)


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
