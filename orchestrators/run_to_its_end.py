"""Start an external job and poll it until it ends, however many days that takes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import azure.durable_functions as df

from d2c.shapes import Answer, ErrorDict, Job, Look, Running
from d2c.state.ids import RUNS_AT_MOST
from orchestrators.retrying import ATTEMPTS_TO_LOOK, StageFailedError, Step, call, next_interval, wait_or_wake

# A history stays this small; the next one begins empty.
LOOKS_PER_HISTORY = 8

blueprint = df.Blueprint()


class Losses(NamedTuple):
    """What is too much: so many runs that were lost without progress, and none of them brought any for so long."""

    runs_at_most: int
    for_seconds: float


FEW_LOSSES = Losses(RUNS_AT_MOST, 0.0)


@blueprint.orchestration_trigger(context_name="context", orchestration="run_to_its_end")
def run_to_its_end(context: df.DurableOrchestrationContext) -> Step:
    """Start a job, look at it at growing intervals until it has ended, and return its result or its error.

    The input names the activities ``start``, ``look`` and, if it can be stopped, ``stop``, their ``payload``, and
    the ``waits`` between looks. It is the next history's input too, with the ``run`` that was started and its
    ``progress``; a ``run`` that is there from the beginning is only looked at. A job may have parts, one after another,
    each with a start and attempts of its own.
    """
    job: Job = context.get_input()
    # Durable shows nothing of a history that has set nothing yet, not even what the one before had set.
    context.set_custom_status(job.get("progress"))
    try:
        if job.get("run") is None:
            job["run"] = yield from call(context, job["start"], _input(job), job["waits"])
        for _ in range(LOOKS_PER_HISTORY):
            payload = {**_input(job), "run": job["run"]}
            look: Look[Any] = yield from call(context, job["look"], payload, job["waits"], ATTEMPTS_TO_LOOK)
            if look["state"] == "succeeded":
                return {"value": look["result"]}
            job["progress"] = look["progress"]
            context.set_custom_status(job["progress"])
            if look["state"] == "part_done":
                job = _next_part(job)
                break
            if (yield from _wait(context, job, look)):
                break
    except StageFailedError as failure:
        now = context.current_utc_datetime
        following = None if failure.error["cancelled"] else _following_job(job, failure.error, now)
        if following is None:
            # What failed for the moment only, for too long, may still run.
            may_run = failure.error["cancelled"] or failure.error["transient"]
            return {"error": (yield from _stop(context, job, failure.error)) if may_run else failure.error}
        if failure.error["another_run"] and following.get("lost", 0) > 1:
            yield from wait_or_wake(context, _pause(following))
        job = following
    context.continue_as_new(job)
    return None


def run_to_its_end_of(
    context: df.DurableOrchestrationContext,
    thing: str,
    payload: Mapping[str, Any],
    instance: str,
    stop: str | None = None,
    run: str | None = None,
    losses: Losses = FEW_LOSSES,
) -> Step:
    """Run ``start_<thing>`` to its end by ``look_at_<thing>``; the result is that of the last look.

    Args:
        context: the orchestration's.
        thing: the noun in the activities' names.
        payload: their input, with its ``waits``.
        instance: the id of the orchestration that waits.
        stop: the activity that stops the run, if it can be stopped.
        run: a run to look at; None if one has to be started.
        losses: when it is given up, after runs that were lost one after the other without progress.

    Raises:
        StageFailedError: with the error with which it ended.
    """
    job: Job = {
        "start": f"start_{thing}",
        "look": f"look_at_{thing}",
        "stop": stop,
        "payload": payload,
        "waits": payload["waits"],
        "try": 1,
        "run": run,
        "runs_at_most": losses.runs_at_most,
        "lost_for_seconds": losses.for_seconds,
    }
    answer: Answer[Any] = yield context.call_sub_orchestrator("run_to_its_end", job, instance)
    if "error" in answer:
        raise StageFailedError(answer["error"])
    return answer["value"]


def _input(job: Job) -> dict[str, Any]:
    part = {"part": job["part"]} if "part" in job else {}
    return {**job["payload"], "attempt": job["try"], **part}


def _next_part(job: Job) -> Job:
    """Return the job for the start of the next part, at which no attempt has been made yet."""
    part = job.get("part", 1) + 1
    return {**job, "run": None, "try": 1, "part": part, "seconds": None, "lost": 0, "lost_since": None}


def _following_job(job: Job, error: ErrorDict, now: datetime) -> Job | None:
    """Return the job for another start, or None if its error is the end.

    A service that is busy has not begun, so the same attempt is repeated, for as long as it takes.
    """
    if error["busy"]:
        return {**job, "seconds": None}
    lost = 0 if error.get("progressed") else job.get("lost", 0) + 1
    since = (job.get("lost_since") or now.isoformat()) if lost else None
    if not error["another_run"] or _is_lost_for_good(job, lost, since, now):
        return None
    return {
        **job,
        "run": None,
        "progress": None,
        "try": job["try"] + 1,
        "seconds": None,
        "lost": lost,
        "lost_since": since,
    }


def _is_lost_for_good(job: Job, lost: int, since: str | None, now: datetime) -> bool:
    """Return whether too many runs were lost without progress, for too long."""
    if since is None or lost < job.get("runs_at_most", RUNS_AT_MOST):
        return False
    return (now - datetime.fromisoformat(since)).total_seconds() >= job.get("lost_for_seconds", 0.0)


def _pause(job: Job) -> float:
    """Return the seconds before the next run, after several in a row that brought nothing."""
    waits = job["waits"]
    return float(min(waits["first_seconds"] * waits["factor"] ** job["lost"], waits["longest_seconds"]))


def _wait(context: df.DurableOrchestrationContext, job: Job, look: Running) -> Step:
    """Wait for the next interval or for a wake event; the result tells whether it was the event.

    While something outside waits for the next look, the intervals do not grow.
    """
    seconds = job.get("seconds") or job["waits"]["first_seconds"]
    within = look.get("look_again_within_seconds")
    if within is not None:
        return (yield from wait_or_wake(context, min(within, seconds)))
    job["seconds"] = next_interval(seconds, job["waits"])
    return (yield from wait_or_wake(context, max(look.get("look_again_in_seconds") or 0, seconds)))


def _stop(context: df.DurableOrchestrationContext, job: Job, error: ErrorDict) -> Step:
    """Stop the run; the result is the error because of which, with the reason if the run could not be stopped."""
    stop = job.get("stop")
    if stop is None or job.get("run") is None:
        return error
    try:
        yield from call(context, stop, {**_input(job), "run": job["run"]}, job["waits"])
    except StageFailedError as failure:
        detail = f"{error['detail']} The run could not be stopped: {failure.error['detail']}"
        return {**error, "detail": detail, "next_step": failure.error["next_step"]}
    return error
