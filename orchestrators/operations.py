"""A migration that has ended, revisited: verified again, or its rejected items replayed."""

import azure.durable_functions as df

from d2c.state.ids import operation_name, operation_run_instance_id
from d2c.state.paths import operation_folder
from d2c.state.table_record import after_operation, run_payload
from orchestrators.lane import error_of, run_in_lanes, state_of_all, states_of
from orchestrators.retrying import ATTEMPTS_TO_LOOK, Json, StageFailedError, Step, call
from orchestrators.run_to_its_end import run_to_its_end_of

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context", orchestration="revisit")
def revisit(context: df.DurableOrchestrationContext) -> Step:
    """Revisit every table that was asked for, at most so many at once, then write the migration's report anew.

    What the migration came to stays as it is; the result says how the revisit ended.
    """
    asked: Json = context.get_input()
    try:
        listed = yield from call(context, "list_revisited", asked, asked["waits"])
        results = yield from run_in_lanes(context, _work(asked), "revisit_table", listed["lanes"])
        result: Json = {
            "state": state_of_all(results),
            "tables": states_of(results),
            "error": error_of(results),
        }
        report = {"migration": asked["migration"], "state": asked["migration_state"], "error": None}
        yield from call(context, "write_report", report, asked["waits"], ATTEMPTS_TO_LOOK)
    except StageFailedError as failure:
        result = {"state": "failed", "tables": {}, "error": failure.error}
    return result


def _work(asked: Json) -> Json:
    name = operation_name(asked["operation"], asked["number"])
    return {
        "migration": asked["migration"],
        "name": name,
        "folder": operation_folder(asked["migration"], name),
        "waits": asked["waits"],
        "shared": {"operation": asked["operation"], "number": asked["number"]},
    }


@blueprint.orchestration_trigger(context_name="context", orchestration="revisit_table")
def revisit_table(context: df.DurableOrchestrationContext) -> Step:
    """Run one load run over a table's export as it lies in the lake, and write the table's part of the report anew.

    A revisit that does not succeed leaves the table's record and report as they are.
    """
    asked: Json = context.get_input()
    table, waits = asked["table"], asked["waits"]
    try:
        record = yield from call(context, "read_table_record", asked, waits)
        payload = run_payload(record, asked)
        instance = operation_run_instance_id(asked["migration"], table, payload["revisit"]["name"])
        found = yield from run_to_its_end_of(context, "load", payload, instance, "stop_load")
        if found["error"]:
            raise StageFailedError(found["error"])
        now = context.current_utc_datetime.isoformat()
        record = after_operation(record, asked, payload, found, now)
        yield from call(context, "write_table_report", record, waits, ATTEMPTS_TO_LOOK)
    except StageFailedError as failure:
        state = "cancelled" if failure.error["cancelled"] else "failed"
        error = {**failure.error, "detail": f"Table {table}: {failure.error['detail']}"}
        return {"table": table, "state": state, "error": error}
    return {"table": table, "state": "succeeded", "error": None}
