"""A plan of several tables, a few at a time."""

from collections import Counter
from typing import Any

import azure.durable_functions as df

from d2c.run_keys import table_instance_id
from orchestrators.waiting import ATTEMPTS_TO_LOOK, Json, StageFailedError, Step, call

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context", orchestration="migrate")
def migrate(context: df.DurableOrchestrationContext) -> Step:
    """Migrate every table of a plan, at most so many at once, then write the report.

    A table that fails does not stop the others; the result says how the whole ended.
    """
    plan: Json = context.get_input()
    waiting = list(plan["tables"])
    running: list[Any] = []
    states: Counter[str] = Counter(pending=len(waiting))
    while waiting or running:
        while waiting and len(running) < plan["max_parallel_tables"]:
            running.append(_start(context, plan, waiting.pop(0)))
            states += Counter(running=1)
            states -= Counter(pending=1)
        context.set_custom_status(dict(states))
        ended = yield context.task_any(running)
        running.remove(ended)
        states += Counter({_state_of(ended): 1})
        states -= Counter(running=1)
    result = {"state": _state_of_all(states), "tables": dict(states)}
    try:
        report = {"migration": plan["migration"], "state": result["state"]}
        yield from call(context, "write_report", report, plan["waits"], ATTEMPTS_TO_LOOK)
    except StageFailedError as failure:
        result |= {"state": "failed", "error": failure.error}
    context.set_custom_status({**dict(states), "state": result["state"]})
    return result


def _start(context: df.DurableOrchestrationContext, plan: Json, table: Json) -> Any:
    """Start one table's migration under an id that is made of the migration's and the table's."""
    table = {**table, "migration": plan["migration"], "waits": plan["waits"]}
    return context.call_sub_orchestrator(
        "migrate_table", table, table_instance_id(plan["migration"], table["table"])
    )


def _state_of(ended: Any) -> str:
    """Return how a table's orchestration ended; one that raised, which only a defect makes it do, has failed."""
    return str(ended.result["state"]) if isinstance(ended.result, dict) else "failed"


def _state_of_all(states: Counter[str]) -> str:
    for state in ("failed", "cancelled"):
        if states[state]:
            return state
    return "succeeded"
