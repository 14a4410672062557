"""A plan of several tables."""

from typing import Any

import azure.durable_functions as df

from d2c.run_keys import table_instance_id
from orchestrators.many_tables import run_tables, state_of_all, states_of
from orchestrators.waiting import ATTEMPTS_TO_LOOK, Json, StageFailedError, Step, call

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context", orchestration="migrate")
def migrate(context: df.DurableOrchestrationContext) -> Step:
    """Migrate every table of a plan, at most so many at once, then write the report.

    A table that fails does not stop the others; the result says how the whole ended.
    """
    plan: Json = context.get_input()
    results = yield from run_tables(context, plan, lambda table: _start(context, plan, table))
    result: Json = {"state": state_of_all(results), "tables": states_of(results)}
    try:
        report = {"migration": plan["migration"], "state": result["state"]}
        yield from call(context, "write_report", report, plan["waits"], ATTEMPTS_TO_LOOK)
    except StageFailedError as failure:
        result |= {"state": "failed", "error": failure.error}
    context.set_custom_status({**states_of(results), "state": result["state"]})
    return result


def _start(context: df.DurableOrchestrationContext, plan: Json, table: Json) -> Any:
    """Start one table's migration under an id that is made of the migration's and the table's."""
    table = {**table, "migration": plan["migration"], "waits": plan["waits"]}
    return context.call_sub_orchestrator(
        "migrate_table", table, table_instance_id(plan["migration"], table["table"])
    )
