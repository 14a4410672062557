"""How activities answer: a value, or an error that the orchestrator can decide on.

The SDK's retries have neither a growing interval nor a filter on errors, and the text of an exception reaches an
orchestrator with its stack trace. So an activity never raises: it returns ``{"value": ...}`` or ``{"error": ...}``,
and `orchestrators.retrying.call` tries again what may heal.
"""

import functools
import inspect
import logging
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.trace import StatusCode

from d2c.app.observing import observed
from d2c.clients.azure.lake import Lake
from d2c.clients.clients import Clients, app_clients
from d2c.errors import CancelledError, D2CError, TransientError
from d2c.redaction import without_secrets
from d2c.shapes import Answer
from d2c.shapes.operations import MIGRATING, START
from d2c.state.ids import load_name, operation_name, run_key, run_key_name
from d2c.state.paths import MigrationFiles
from d2c.state.table_files import read_table

Activity = Callable[[Clients, Any], Any]
logger = logging.getLogger(__name__)


# The stage that each activity is of, where its payload does not name one; those that look after a whole migration are
# of none.
STAGE_OF_ACTIVITY = {
    "describe_source": "export",
    "start_export": "export",
    "look_at_export": "export",
    "start_existing_export": "copy",
    "look_at_existing_export": "copy",
    "start_copy": "copy",
    "look_at_copy": "copy",
    "stop_copy": "copy",
    "look_at_prepare": "prepare",
    "look_at_scale": "prepare",
    "start_load": "load",
    "look_at_load": "load",
    "stop_load": "load",
    "look_at_index": "index",
    "look_at_request_units": "report",
    "write_report": "report",
}
# Their starts outside have a run key.
WITH_RUN_KEY = ("export", "copy", "load")


def outcome(activity: Activity) -> Callable[[dict], Any]:
    """Make an activity a function of its payload alone that answers with a value or an error.

    Args:
        activity: takes the app's clients and a payload, and returns a value or raises.
    """

    @functools.wraps(activity, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
    def answer(payload: dict) -> Any:
        return answer_of(activity, app_clients, payload)

    # The SDK indexes a function by its signature, and would otherwise see that of the wrapped one.
    answer.__dict__["__signature__"] = inspect.signature(answer, follow_wrapped=False)
    return answer


def answer_of(activity: Activity, connect: Callable[[], Clients], payload: Mapping[str, Any]) -> Answer[Any]:
    """Call an activity; the result is its value or its error.

    Args:
        activity: takes clients and a payload.
        connect: returns the clients; called here, so that incomplete settings are an error like any other.
        payload: the activity's input.
    """
    name = activity.__name__
    with observed(name, **fields_of(name, payload)) as span:
        try:
            clients = connect()
            value = activity(clients, _completed(clients.lake, payload) if "file" in payload else payload)
        except D2CError as error:
            log_error(name, error)
            failure = error.to_dict()
        except Exception as error:
            stack_trace = without_secrets(traceback.format_exc())
            logger.error("%s failed unexpectedly\n%s", name, stack_trace)  # noqa: TRY400
            failure = unexpected(name, error).to_dict()
        else:
            log_value(name, value)
            return {"value": value}
        span.set_status(StatusCode.ERROR, failure["detail"])
        return {"error": failure}


def _completed(lake: Lake, ref: Mapping[str, Any]) -> dict[str, Any]:
    """Return the input of an activity of a table, most of which is in the lake and not in history."""
    return {**read_table(lake, ref["migration"], ref["operation"], ref["table"]), **ref}


def unexpected(name: str, error: Exception) -> TransientError:
    """Return an exception that nothing foresaw as an error that may heal.

    Args:
        name: what failed with it.
        error: the exception.
    """
    return TransientError(
        f"{name} failed with {type(error).__name__}: {error}",
        "Retrying. If it keeps failing, report it with the app's log.",
        title="Unexpected error",
    )


def refuse_if_cancelled(lake: Lake, payload: Mapping[str, Any]) -> None:
    """Stop before doing anything for an operation, or for a table of it, that a user has cancelled.

    Args:
        lake: the lake.
        payload: the ``migration``, the number and, if it is not the start, the ``kind`` of the ``operation``, and the
            ``table``, if it is one that this is done for.

    Raises:
        CancelledError: if the lake has a cancel flag that means this.
    """
    flag = lake.read_json(MigrationFiles(payload["migration"]).cancel(payload["operation"]))
    if is_cancelled(flag, payload.get("table")):
        raise cancelled_error(flag, payload, payload.get("table"))


def cancelled_error(
    flag: Mapping[str, Any] | None, payload: Mapping[str, Any], table: str | None
) -> CancelledError:
    """Return what a cancel flag means for a table, which is named only where the flag names tables.

    Args:
        flag: as the lake has it.
        payload: as `refuse_if_cancelled` takes it.
        table: its name, or None for a whole operation.
    """
    kind = payload.get("kind", START)
    operation = None if kind in MIGRATING else operation_name(kind, payload["operation"])
    named = table if flag and flag.get("tables") is not None else None
    return CancelledError(payload["migration"], operation, named)


def is_cancelled(flag: Mapping[str, Any] | None, table: str | None) -> bool:
    """Return whether a cancel flag means a table, or a whole operation where no table is given.

    Args:
        flag: as the lake has it; None if there is none.
        table: its name, or None.
    """
    if flag is None:
        return False
    return flag.get("tables") is None or table in flag["tables"]


def fields_of(activity: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that all lines of an activity carry.

    Args:
        activity: its name.
        payload: its input; a table's has ``migration``, ``table`` and, of a start or a look, ``attempt``; that of a
            plan's check has ``check``.
    """
    migration, table, attempt = payload.get("migration"), payload.get("table"), payload.get("attempt")
    stage = STAGE_OF_ACTIVITY.get(activity) or payload.get("stage")
    unit = load_name(payload) if payload.get("stage") == "load" else None
    key = None
    if stage in WITH_RUN_KEY and attempt:
        name = run_key_name(unit) if unit else str(table)
        key = run_key(payload, name, stage, attempt, payload.get("part", 1))
    return {
        "activity": activity,
        "migration": migration,
        "check": payload.get("check"),
        "table": table if isinstance(table, str) else None,
        "unit": unit,
        "stage": stage,
        "attempt": attempt,
        "run_key": key,
    }


def log_value(activity: str, value: Any) -> None:
    """Log an activity's value; a look at something that still runs is logged for debugging only."""
    if activity.startswith("start_"):
        logger.info("%s: %s", activity, value if isinstance(value, str | int) else "started")
    elif isinstance(value, dict) and value.get("state") == "running":
        logger.debug("%s: %s", activity, value.get("progress"))
    else:
        logger.info("%s: done", activity)


def log_error(activity: str, error: D2CError) -> None:
    """Log how an activity failed, and whether it is tried again."""
    if isinstance(error, CancelledError):
        logger.info("%s: %s", activity, error.detail)
        return
    again = "may heal and is tried again" if isinstance(error, TransientError) else "does not heal"
    logger.warning("%s, which %s: %s", activity, again, without_secrets(str(error)))
