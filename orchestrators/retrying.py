"""How orchestrators wait and try again: with durable timers and growing intervals, and never by blocking."""

from collections.abc import Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

Json = dict[str, Any]
Step = Generator[Any, Any, Any]

# With the default intervals of 10 to 60 seconds these outlast an outage of about 7, and of about 40 minutes.
ATTEMPTS_TO_START = 10
ATTEMPTS_TO_LOOK = 40


class StageFailedError(Exception):
    """A stage cannot go on; carries the error as the activity returned it."""

    def __init__(self, error: Json) -> None:
        super().__init__(error["detail"])
        self.error = error


def call(
    context: df.DurableOrchestrationContext,
    activity: str,
    payload: Json,
    waits: Json,
    attempts: int = ATTEMPTS_TO_START,
) -> Step:
    """Call an activity, again and again while its error may heal; the result is its value.

    Args:
        context: the orchestration's.
        activity: an activity that answers as `activities.outcome` says.
        payload: its input.
        waits: ``first_seconds``, ``factor`` and ``longest_seconds`` of the intervals.
        attempts: how often it is called at the most.

    Raises:
        StageFailedError: with the last error.
    """
    seconds = waits["first_seconds"]
    for attempt in range(1, attempts + 1):
        error = None
        try:
            answer = yield context.call_activity(activity, payload)
        except Exception as failure:  # the worker itself failed, such as by running out of memory
            error = _lost_activity(activity, failure)
        else:
            if "value" in answer:
                return answer["value"]
            error = answer["error"]
        if not error["transient"] or attempt == attempts:
            raise StageFailedError(error)
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=seconds))
        seconds = next_interval(seconds, waits)
    raise AssertionError("the last attempt returns or raises")


def next_interval(seconds: float, waits: Json) -> float:
    """Return the interval in seconds after one of the given length."""
    return float(min(seconds * waits["factor"], waits["longest_seconds"]))


def _lost_activity(activity: str, failure: Exception) -> Json:
    """Describe an activity that ended without an answer; its exception's text goes on with a stack trace."""
    cause = str(failure).strip().splitlines()[0]
    return {
        "title": "An activity ended without an answer",
        "detail": f"{activity}: {cause}",
        "next_step": "It is tried again; if it persists, see the app's log.",
        "transient": True,
        "busy": False,
        "another_run": False,
        "cancelled": False,
    }
