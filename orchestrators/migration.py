"""A plan of several tables, a few at a time."""

from collections import Counter
from typing import Any

import azure.durable_functions as df

from d2c.run_keys import table_instance_id
from orchestrators.waiting import ATTEMPTS_TO_LOOK, Json, StageFailedError, Step, call

Container = tuple[str, str]

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context", orchestration="migrate")
def migrate(context: df.DurableOrchestrationContext) -> Step:
    """Migrate every table of a plan, at most so many at once, then write the report.

    A table that fails does not stop the others; the result says how the whole ended.
    """
    plan: Json = context.get_input()
    waiting = list(plan["tables"])
    running: list[tuple[Any, Container]] = []
    states: Counter[str] = Counter(pending=len(waiting))
    while waiting or running:
        while len(running) < plan["max_parallel_tables"] and (table := _take_next(waiting, running)):
            running.append((_start(context, plan, table), _container_of(table)))
            states += Counter(running=1)
            states -= Counter(pending=1)
        context.set_custom_status(dict(states))
        ended = yield context.task_any([task for task, _ in running])
        running = [entry for entry in running if entry[0] != ended]
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


def _take_next(waiting: list[Json], running: list[tuple[Any, Container]]) -> Json | None:
    """Take the first table whose container no running table loads, or None.

    Tables that share a container take turns: each scales it for its load and puts its throughput back.
    """
    busy = {container for _, container in running}
    for place, table in enumerate(waiting):
        if _container_of(table) not in busy:
            return waiting.pop(place)
    return None


def _container_of(table: Json) -> Container:
    return table["database"], table["container"]


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
