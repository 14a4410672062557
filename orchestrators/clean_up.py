"""Clean up the orphans of a migration that the watchdog found."""

from datetime import timedelta

import azure.durable_functions as df

from d2c.errors import PermanentError
from d2c.shapes import OrphanInput, Orphans, ReportInput
from orchestrators.retrying import StageFailedError, Step, call

# A history stays this small; the next one begins empty.
TABLES_PER_HISTORY = 20
# Runs that were asked to stop do so within minutes; after these looks the watchdog asks again.
LOOKS_AT_MOST = 20

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context", orchestration="clean_up")
def clean_up(context: df.DurableOrchestrationContext) -> Step:
    """Stop orphaned runs, put throughput back, and record how the tables and the migration ended.

    Nothing is put back while something may still load. What fails here stays an orphan that the watchdog finds again.
    """
    orphans: Orphans = context.get_input()
    try:
        if orphans["next"] == 0:
            yield from _stop_runs(context, orphans)
            for number in range(orphans["containers"]):
                yield from _free_container(context, orphans, number)
        up_to = min(orphans["next"] + TABLES_PER_HISTORY, orphans["tables"])
        for number in range(orphans["next"], up_to):
            yield from _record_end(context, orphans, number)
        if up_to < orphans["tables"]:
            context.continue_as_new({**orphans, "next": up_to})
            return None
        yield from _end_migration(context, orphans)
    except StageFailedError as failure:
        return {"state": "failed", "error": failure.error}
    return {"state": "failed" if orphans["error"] else "succeeded", "error": orphans["error"]}


def _stop_runs(context: df.DurableOrchestrationContext, orphans: Orphans) -> Step:
    """Ask orphaned runs to stop until none is running.

    It waits before it looks: an activity that was under way when its orchestration ended may be starting something.
    """
    payload: OrphanInput = {"migration": orphans["migration"]}
    for _ in range(LOOKS_AT_MOST):
        pause = timedelta(seconds=orphans["waits"]["longest_seconds"])
        yield context.create_timer(context.current_utc_datetime + pause)
        if not (yield from call(context, "stop_orphaned_runs", payload, orphans["waits"])):
            return
    error = PermanentError(
        f"Orphaned runs of migration {orphans['migration']} do not stop.",
        "Stop them in Data Factory's monitor or in Databricks; the watchdog looks again.",
        title="Orphaned runs do not stop",
    )
    raise StageFailedError(error.to_dict())


def _free_container(context: df.DurableOrchestrationContext, orphans: Orphans, number: int) -> Step:
    """Put a container's throughput back; a failure does not keep the others from it."""
    payload: OrphanInput = {"migration": orphans["migration"], "number": number}
    try:
        yield from call(context, "release_orphaned_container", payload, orphans["waits"])
    except StageFailedError as failure:
        orphans["error"] = orphans["error"] or failure.error


def _record_end(context: df.DurableOrchestrationContext, orphans: Orphans, number: int) -> Step:
    """Write a table's part of the report; a failure does not keep the others from theirs."""
    payload: OrphanInput = {"migration": orphans["migration"], "number": number}
    try:
        yield from call(context, "end_orphaned_table", payload, orphans["waits"])
    except StageFailedError as failure:
        orphans["error"] = orphans["error"] or failure.error
        orphans["all_recorded"] = False


def _end_migration(context: df.DurableOrchestrationContext, orphans: Orphans) -> Step:
    """Write the report of a migration whose orchestration did not come to it, and with that end it."""
    if not orphans["all_recorded"]:
        return
    payload: OrphanInput = {"migration": orphans["migration"]}
    report: ReportInput | None = yield from call(
        context, "read_orphaned_migration", payload, orphans["waits"]
    )
    if report:
        yield from call(context, "write_report", report, orphans["waits"])
