"""One long-running thing outside, from its start to its end, however many days that takes."""

from datetime import timedelta
from typing import Any

import azure.durable_functions as df

from d2c.state.ids import attempts_of_retry
from orchestrators.retrying import ATTEMPTS_TO_LOOK, Json, StageFailedError, Step, call, next_interval

# A generation's history stays this small; the next one begins with an empty history.
LOOKS_PER_GENERATION = 8
RUNS_AT_MOST = 3
WAKE_EVENT = "wake"

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context", orchestration="run_to_its_end")
def run_to_its_end(context: df.DurableOrchestrationContext) -> Step:
    """Start something, look at it at growing intervals until it has ended, and return its result or its error.

    The input names the activities ``start``, ``look`` and, if it can be stopped, ``stop``, their ``payload``, and
    the ``waits`` between looks. It comes back as the next generation's input, with the ``run`` that was started; a
    ``run`` that is there from the beginning is only looked at.
    """
    job: Json = context.get_input()
    try:
        if job.get("run") is None:
            payload = {**job["payload"], "attempt": _attempt(job)}
            job["run"] = yield from call(context, job["start"], payload, job["waits"])
        for _ in range(LOOKS_PER_GENERATION):
            payload = {**job["payload"], "attempt": _attempt(job), "run": job["run"]}
            look = yield from call(context, job["look"], payload, job["waits"], ATTEMPTS_TO_LOOK)
            if look["state"] == "succeeded":
                return {"value": look["result"]}
            context.set_custom_status(look["progress"])
            if (yield from _wait(context, job, look.get("look_again_in_seconds"))):
                break
    except StageFailedError as failure:
        if failure.error["cancelled"]:
            return {"error": (yield from _stop(context, job, failure.error))}
        another = _tried_again(job, failure.error)
        if another is None:
            return {"error": failure.error}
        job = another
    context.continue_as_new(job)
    return None


def run_to_its_end_of(
    context: df.DurableOrchestrationContext,
    thing: str,
    payload: Json,
    instance: str,
    stop: str | None = None,
    run: str | None = None,
) -> Step:
    """Run ``start_<thing>`` to its end by ``look_at_<thing>``; the result is what the last look found.

    Args:
        context: the orchestration's.
        thing: what the activities are called after.
        payload: their input.
        instance: the id of the orchestration that waits.
        stop: the activity that stops what runs outside, if it can be stopped.
        run: what is only looked at, since nothing has to be started.

    Raises:
        StageFailedError: with the error with which it ended.
    """
    job = {
        "start": f"start_{thing}",
        "look": f"look_at_{thing}",
        "stop": stop,
        "payload": payload,
        "waits": payload["waits"],
        "try": 1,
        "run": run,
    }
    answer = yield context.call_sub_orchestrator("run_to_its_end", job, instance)
    if "error" in answer:
        raise StageFailedError(answer["error"])
    return answer["value"]


def _attempt(job: Json) -> int:
    """Return the number of the attempt, which no other round of the migration's work has."""
    return attempts_of_retry(int(job["payload"].get("round", 0)))[int(job["try"]) - 1]


def _tried_again(job: Json, error: Json) -> Json | None:
    """Return the job for another start, or None if its error is the end.

    A service that is busy has not tried, so it is asked for the same attempt again, for as long as it takes.
    """
    if error["busy"]:
        return {**job, "seconds": None}
    if error["another_run"] and job["try"] < RUNS_AT_MOST:
        return {**job, "run": None, "try": job["try"] + 1, "seconds": None}
    return None


def _wait(context: df.DurableOrchestrationContext, job: Json, asked_seconds: float | None) -> Step:
    """Wait for the next interval or for an event that says there is something to see; tell whether it was the event.

    The SDK hands an event that comes before its wait to every later wait of the same name, so a generation ends
    after the first one.
    """
    seconds = job.get("seconds") or job["waits"]["first_seconds"]
    job["seconds"] = next_interval(seconds, job["waits"])
    due = context.current_utc_datetime + timedelta(seconds=max(asked_seconds or 0, seconds))
    timer = context.create_timer(due)
    event = context.wait_for_external_event(WAKE_EVENT)
    first: Any = yield context.task_any([timer, event])
    if first == timer:
        return False
    timer.cancel()
    return True


def _stop(context: df.DurableOrchestrationContext, job: Json, cancelled: Json) -> Step:
    """Stop what runs outside; the result is the error of the cancellation, with why it could not be stopped if so."""
    if job.get("run") is None or job.get("stop") is None:
        return cancelled
    try:
        yield from call(context, job["stop"], {**job["payload"], "run": job["run"]}, job["waits"])
    except StageFailedError as failure:
        not_stopped = (
            f"{cancelled['detail']} What runs outside could not be stopped: {failure.error['detail']}"
        )
        return {**cancelled, "detail": not_stopped, "next_step": failure.error["next_step"]}
    return cancelled
