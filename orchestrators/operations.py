"""Operations on a migration that has ended: verify it again, or replay its rejected items."""

import azure.durable_functions as df

from d2c.shapes import (
    LaneCount,
    LaneResult,
    LoadResult,
    MigrationResult,
    OperationInput,
    OperationTableInput,
    ReportInput,
    TableRecord,
    TableResult,
    Work,
)
from d2c.state.ids import operation_name, operation_run_instance_id
from d2c.state.paths import operation_folder
from d2c.state.table_record import after_operation, run_payload
from orchestrators.lane import error_of, run_in_lanes, state_of_all, states_of
from orchestrators.retrying import ATTEMPTS_TO_LOOK, StageFailedError, Step, call, state_of_error
from orchestrators.run_to_its_end import run_to_its_end_of

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context", orchestration="revisit")
def revisit(context: df.DurableOrchestrationContext) -> Step:
    """Verify or replay every table of the operation, at most so many at once, then write the migration's report again.

    The migration's own state stays as it is; the result says how the operation ended.
    """
    operation: OperationInput = context.get_input()
    try:
        count: LaneCount = yield from call(context, "list_revisited", operation, operation["waits"])
        results: list[LaneResult] = yield from run_in_lanes(
            context, _work(operation), "revisit_table", count["lanes"]
        )
        result: MigrationResult = {
            "state": state_of_all(results),
            "tables": states_of(results),
            "error": error_of(results),
        }
        report: ReportInput = {
            "migration": operation["migration"],
            "state": operation["migration_state"],
            "error": None,
        }
        yield from call(context, "write_report", report, operation["waits"], ATTEMPTS_TO_LOOK)
    except StageFailedError as failure:
        result = {"state": "failed", "tables": {}, "error": failure.error}
    return result


def _work(operation: OperationInput) -> Work:
    name = operation_name(operation["operation"], operation["number"])
    return {
        "migration": operation["migration"],
        "name": name,
        "folder": operation_folder(operation["migration"], name),
        "waits": operation["waits"],
        "shared": {"operation": operation["operation"], "number": operation["number"]},
    }


@blueprint.orchestration_trigger(context_name="context", orchestration="revisit_table")
def revisit_table(context: df.DurableOrchestrationContext) -> Step:
    """Run one load run over a table's export in the lake, and write the table's part of the report again.

    An operation that does not succeed leaves the table's record and report as they are.
    """
    operation: OperationTableInput = context.get_input()
    table, waits = operation["table"], operation["waits"]
    try:
        record: TableRecord = yield from call(context, "read_table_record", operation, waits)
        payload = run_payload(record, operation)
        instance = operation_run_instance_id(operation["migration"], table, payload["revisit"]["name"])
        load: LoadResult = yield from run_to_its_end_of(context, "load", payload, instance, "stop_load")
        if load["error"]:
            raise StageFailedError(load["error"])
        now = context.current_utc_datetime.isoformat()
        record_afterwards = after_operation(record, operation, payload, load, now)
        yield from call(context, "write_table_report", record_afterwards, waits, ATTEMPTS_TO_LOOK)
    except StageFailedError as failure:
        result: TableResult = {
            "table": table,
            "state": state_of_error(failure.error),
            "error": {**failure.error, "detail": f"Table {table}: {failure.error['detail']}"},
        }
        return result
    return {"table": table, "state": "succeeded", "error": None}
