"""A plan's tables, from the moment the plan may begin to its report."""

import azure.durable_functions as df

from d2c.shapes import (
    LaneCount,
    LaneResult,
    Look,
    MigrationInput,
    MigrationResult,
    ReportInput,
    ReportResult,
    Work,
)
from d2c.state.ids import start_instance_id
from d2c.state.paths import operation_folder
from orchestrators.lane import error_of, run_in_lanes, state_of_all, states_of
from orchestrators.retrying import ATTEMPTS_TO_LOOK, StageFailedError, Step, call, state_of_error
from orchestrators.run_to_its_end import run_to_its_end_of

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context", orchestration="migrate")
def migrate(context: df.DurableOrchestrationContext) -> Step:
    """Migrate every table of a plan, or those that are retried, then write the report.

    A table that fails does not stop the others; the result says how the whole ended.
    """
    migration: MigrationInput = context.get_input()
    try:
        yield from _wait_for_the_start(context, migration)
        count: LaneCount = yield from call(
            context, "list_tables", migration, migration["waits"], ATTEMPTS_TO_LOOK
        )
        context.set_custom_status(count)
        results: list[LaneResult] = yield from run_in_lanes(
            context, _work(migration), "migrate_table", count["lanes"]
        )
        result: MigrationResult = {
            "state": state_of_all(results),
            "tables": states_of(results),
            "error": error_of(results) if not states_of(results) else None,
        }
    except StageFailedError as failure:
        result = {"state": state_of_error(failure.error), "tables": {}, "error": failure.error}
    result = yield from _report(context, migration, result)
    context.set_custom_status({**result["tables"], "state": result["state"]})
    return result


def _work(migration: MigrationInput) -> Work:
    return {
        "migration": migration["migration"],
        "name": migration["round"],
        "folder": operation_folder(migration["migration"], migration["round"]),
        "waits": migration["waits"],
        "shared": {},
    }


def _wait_for_the_start(context: df.DurableOrchestrationContext, migration: MigrationInput) -> Step:
    """Wait until the plan's time has come and nothing holds it back."""
    look: Look[bool] = yield from call(
        context, "look_at_start", migration, migration["waits"], ATTEMPTS_TO_LOOK
    )
    if look["state"] == "running":
        context.set_custom_status(look["progress"])
        instance = start_instance_id(migration["migration"], migration["round"])
        yield from run_to_its_end_of(context, "start", migration, instance, run="start")


def _report(
    context: df.DurableOrchestrationContext, migration: MigrationInput, result: MigrationResult
) -> Step:
    """Write the report; the result is how the migration ended: without a report, as a failure."""
    try:
        report: ReportInput = {
            "migration": migration["migration"],
            "state": result["state"],
            "error": result["error"],
        }
        ended: ReportResult = yield from call(
            context, "write_report", report, migration["waits"], ATTEMPTS_TO_LOOK
        )
    except StageFailedError as failure:
        return {**result, "state": "failed", "error": failure.error}
    return {**result, **ended}
