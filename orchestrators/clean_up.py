"""What the watch found to be left behind, finished."""

from datetime import timedelta
from typing import Any

import azure.durable_functions as df

from orchestrators.retrying import Json, StageFailedError, Step, call

# A generation's history stays this small; the next one begins with an empty history.
TABLES_PER_GENERATION = 20
# What has been asked to stop does so within minutes; after these the watch asks anew.
LOOKS_AT_MOST = 20

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context", orchestration="clean_up")
def clean_up(context: df.DurableOrchestrationContext) -> Step:
    """Stop what runs without an owner, put throughput back, and tell how the tables and the migration ended.

    Nothing is put back while something may still load. What cannot be finished is left, and the watch finds it again.
    """
    left: Json = context.get_input()
    try:
        if left["next"] == 0:
            yield from _stop_runs(context, left)
            for number in range(left["containers"]):
                yield from _free_container(context, left, number)
        up_to = min(left["next"] + TABLES_PER_GENERATION, left["tables"])
        for number in range(left["next"], up_to):
            yield from _tell_end(context, left, number)
        if up_to < left["tables"]:
            context.continue_as_new({**left, "next": up_to})
            return None
        yield from _end(context, left)
    except StageFailedError as failure:
        return {"state": "failed", "error": failure.error}
    return {"state": "failed" if left["error"] else "succeeded", "error": left["error"]}


def _stop_runs(context: df.DurableOrchestrationContext, left: Json) -> Step:
    """Ask what runs outside to stop, until nothing does any more.

    It is waited for first: an activity that was under way when its orchestration ended may be starting something.
    """
    for _ in range(LOOKS_AT_MOST):
        pause = timedelta(seconds=left["waits"]["longest_seconds"])
        yield context.create_timer(context.current_utc_datetime + pause)
        if not (yield from call(context, "stop_left_runs", _payload(left), left["waits"])):
            return
    raise StageFailedError(
        {
            "title": "Runs without an owner go on",
            "detail": f"Runs that migration {left['migration']} left behind do not stop.",
            "next_step": "Stop them in Data Factory's monitor or in Databricks; the watch looks again.",
            "transient": False,
            "busy": False,
            "another_run": False,
            "cancelled": False,
        }
    )


def _free_container(context: df.DurableOrchestrationContext, left: Json, number: int) -> Step:
    """Put a container's throughput back; that one fails does not keep the others up."""
    try:
        yield from call(context, "free_left_container", _payload(left, number=number), left["waits"])
    except StageFailedError as failure:
        left["error"] = left["error"] or failure.error


def _tell_end(context: df.DurableOrchestrationContext, left: Json, number: int) -> Step:
    """Write a table's part of the report; that one fails does not keep the others from being told."""
    try:
        record = yield from call(context, "read_left_table", _payload(left, number=number), left["waits"])
        if record:
            yield from call(context, "write_table_report", record, left["waits"])
    except StageFailedError as failure:
        left |= {"error": left["error"] or failure.error, "all_told": False}


def _end(context: df.DurableOrchestrationContext, left: Json) -> Step:
    """Write the report of a migration whose orchestration did not come to it, and with that end it."""
    if not left["all_told"]:
        return
    ends = yield from call(context, "read_left_migration", _payload(left), left["waits"])
    if ends:
        yield from call(context, "write_report", {"migration": left["migration"], **ends}, left["waits"])


def _payload(left: Json, **more: Any) -> Json:
    return {"migration": left["migration"], **more}
