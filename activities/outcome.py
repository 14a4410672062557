"""How activities answer: a value, or an error that the orchestrator can decide on.

The SDK's retries have neither a growing interval nor a filter on errors, and the text of an exception reaches an
orchestrator with its stack trace. So an activity never raises: it returns ``{"value": ...}`` or ``{"error": ...}``,
and `orchestrators.waiting.call` tries again what may heal.
"""

import functools
import logging
import traceback
from collections.abc import Callable
from typing import Any

from activities.log_lines import fields_of, tell_error, tell_value
from d2c.clients.lake import connect_lake
from d2c.errors import CancelledError, D2CError, TransientError
from d2c.lake_paths import cancel_path
from d2c.observing import observed
from d2c.redaction import without_secrets
from d2c.settings import app_settings

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
                span.fail(told["detail"])
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
                span.fail(told["detail"])
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
