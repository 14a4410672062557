"""A plan's tables, from the moment the plan may begin to its report."""

import azure.durable_functions as df

from d2c.state.ids import start_instance_id
from d2c.state.paths import operation_folder
from orchestrators.lane import error_of, run_in_lanes, state_of_all, states_of
from orchestrators.retrying import ATTEMPTS_TO_LOOK, Json, StageFailedError, Step, call
from orchestrators.run_to_its_end import run_to_its_end_of

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context", orchestration="migrate")
def migrate(context: df.DurableOrchestrationContext) -> Step:
    """Migrate every table of a plan, or those that are retried, then write the report.

    A table that fails does not stop the others; the result says how the whole ended.
    """
    asked: Json = context.get_input()
    try:
        yield from _wait_for_the_start(context, asked)
        listed = yield from call(context, "list_tables", asked, asked["waits"], ATTEMPTS_TO_LOOK)
        context.set_custom_status({"tables": listed["tables"], "lanes": listed["lanes"]})
        results = yield from run_in_lanes(context, _work(asked), "migrate_table", listed["lanes"])
        result: Json = {
            "state": state_of_all(results),
            "tables": states_of(results),
            "error": error_of(results) if not states_of(results) else None,
        }
    except StageFailedError as failure:
        state = "cancelled" if failure.error["cancelled"] else "failed"
        result = {"state": state, "tables": {}, "error": failure.error}
    result = yield from _report(context, asked, result)
    context.set_custom_status({**result["tables"], "state": result["state"]})
    return result


def _work(asked: Json) -> Json:
    migration, number = asked["migration"], asked["round"]
    folder = operation_folder(migration, number)
    return {"migration": migration, "name": number, "folder": folder, "waits": asked["waits"], "shared": {}}


def _wait_for_the_start(context: df.DurableOrchestrationContext, asked: Json) -> Step:
    """Wait until the plan's time has come and nothing holds it back."""
    look = yield from call(context, "look_at_start", asked, asked["waits"], ATTEMPTS_TO_LOOK)
    if look["state"] == "running":
        context.set_custom_status(look["progress"])
        instance = start_instance_id(asked["migration"], asked["round"])
        yield from run_to_its_end_of(context, "start", asked, instance, run="start")


def _report(context: df.DurableOrchestrationContext, asked: Json, result: Json) -> Step:
    """Write the report; the result is how the migration ended: without a report, as a failure."""
    try:
        report = {"migration": asked["migration"], "state": result["state"], "error": result["error"]}
        ended = yield from call(context, "write_report", report, asked["waits"], ATTEMPTS_TO_LOOK)
    except StageFailedError as failure:
        return {**result, "state": "failed", "error": failure.error}
    return {**result, **ended}
