"""How orchestrators wait and retry: with durable timers and growing intervals, and never by blocking."""

from collections.abc import Generator, Mapping
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

from d2c.errors import PermanentError, TransientError
from d2c.shapes import Answer, ErrorDict, Waits

Step = Generator[Any, Any, Any]

# With the default intervals of 10 to 60 seconds these outlast an outage of about 7, and of about 40 minutes.
ATTEMPTS_TO_START = 10
ATTEMPTS_TO_LOOK = 40
WAKE_EVENT = "wake"


class StageFailedError(Exception):
    """A stage cannot continue; carries the error as the activity returned it."""

    def __init__(self, error: ErrorDict) -> None:
        super().__init__(error["detail"])
        self.error = error


def call(
    context: df.DurableOrchestrationContext,
    activity: str,
    payload: Mapping[str, Any],
    waits: Waits,
    attempts: int = ATTEMPTS_TO_START,
) -> Step:
    """Call an activity, again and again while its error may heal; the result is its value.

    Args:
        context: the orchestration's.
        activity: an activity that answers as `activities.outcome` says.
        payload: its input.
        waits: the intervals between two calls.
        attempts: how often it is called at the most.

    Raises:
        StageFailedError: with the last error.
    """
    seconds = waits["first_seconds"]
    for attempt in range(1, attempts + 1):
        try:
            answer: Answer[Any] = yield context.call_activity(activity, payload)
        except Exception as failure:  # the worker itself failed, such as by running out of memory
            answer = {"error": _lost_activity(activity, failure)}
        if "value" in answer:
            return answer["value"]
        if not answer["error"]["transient"] or attempt == attempts:
            raise StageFailedError(answer["error"])
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=seconds))
        seconds = next_interval(seconds, waits)
    raise AssertionError("the last attempt returns or raises")


def wait_or_wake(context: df.DurableOrchestrationContext, seconds: float) -> Step:
    """Wait for some seconds or for a wake event; the result says whether it was the event.

    The SDK hands an event that comes before its wait to every later wait of the same name, so a history ends after
    the first one.
    """
    timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=seconds))
    event = context.wait_for_external_event(WAKE_EVENT)
    first: Any = yield context.task_any([timer, event])
    if first == timer:
        return False
    timer.cancel()
    return True


def next_interval(seconds: float, waits: Waits) -> float:
    """Return the interval in seconds after one of the given length."""
    return float(min(seconds * waits["factor"], waits["longest_seconds"]))


def cause_of(failure: object) -> str:
    """Return the first line of what an activity or orchestration without an answer left: a stack trace follows it."""
    return (str(failure).strip().splitlines() or ["no reason was given"])[0]


def lost_orchestration(cause: object, what: str) -> ErrorDict:
    """Return the error of an orchestration that raised, by a defect or because somebody ended it.

    Args:
        cause: what it left.
        what: what to retry.
    """
    return PermanentError(
        cause_of(cause),
        f"See the app's log, then retry the {what}.",
        title="An orchestration ended without a result",
    ).to_dict()


def _lost_activity(activity: str, failure: Exception) -> ErrorDict:
    return TransientError(
        f"{activity}: {cause_of(failure)}",
        "Retrying. If it keeps failing, see the app's log.",
        title="An activity ended without an answer",
    ).to_dict()
