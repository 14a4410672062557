"""Lanes: as many tables side by side as a plan allows, with a history that does not grow with their number."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import azure.durable_functions as df

from d2c.errors import PermanentError
from d2c.report.contents import worst_state
from d2c.shapes import (
    ErrorDict,
    LaneInput,
    LaneResult,
    Look,
    PlacesInput,
    State,
    TableInput,
    TableResult,
    Unit,
    Work,
)
from d2c.state.ids import lane_instance_id, stage_instance_id, table_instance_id
from orchestrators.retrying import ATTEMPTS_TO_LOOK, StageFailedError, Step, call, cause_of
from orchestrators.run_to_its_end import run_to_its_end_of

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context", orchestration="run_lane")
def run_lane(context: df.DurableOrchestrationContext) -> Step:
    """Take one unit of work after another until there is none; the result is how many tables ended in which state.

    A table that fails does not stop the others. Each unit has a history of its own, so histories stay small.
    """
    lane: LaneInput = context.get_input()
    context.set_custom_status({"lane": lane["lane"], **lane["states"]})
    try:
        unit: Unit | None = yield from call(context, "take_unit", lane, lane["waits"], ATTEMPTS_TO_LOOK)
    except StageFailedError as failure:
        return {"states": lane["states"], "error": failure.error}
    if unit is None:
        return {"states": lane["states"], "error": lane["error"]}
    yield from _take_places(context, lane, unit)
    context.set_custom_status({"lane": lane["lane"], **lane["states"], "running": len(unit["tables"])})
    results: list[TableResult] = []
    for tables in [unit["tables"]] if unit["together"] else [[table] for table in unit["tables"]]:
        results += yield from _side_by_side(context, [_start(context, lane, table) for table in tables])
    states = Counter(lane["states"]) + Counter(result["state"] for result in results)
    error = lane["error"] or next((result["error"] for result in results if result["error"]), None)
    following: LaneInput = {
        **lane,
        "turn": lane["turn"] + 1,
        "unit": unit["number"],
        "states": dict(states),
        "error": error,
    }
    context.continue_as_new(following)
    return None


def run_in_lanes(context: df.DurableOrchestrationContext, work: Work, orchestration: str, lanes: int) -> Step:
    """Run an orchestration for every table of a round of work; the result is a list of the lanes' results.

    Args:
        context: the orchestration's.
        work: the round's.
        orchestration: ``migrate_table`` or ``revisit_table``.
        lanes: how many units run side by side.
    """

    def start(number: int) -> Any:
        lane: LaneInput = {
            "migration": work["migration"],
            "name": work["name"],
            "folder": work["folder"],
            "waits": work["waits"],
            "shared": work["shared"],
            "orchestration": orchestration,
            "lane": number,
            "turn": 0,
            "states": {},
            "error": None,
        }
        instance = lane_instance_id(work["migration"], work["name"], number)
        return context.call_sub_orchestrator("run_lane", lane, instance)

    return (yield from _side_by_side(context, [start(number) for number in range(lanes)]))


def _take_places(context: df.DurableOrchestrationContext, lane: LaneInput, unit: Unit) -> Step:
    """Wait until all tables of a unit may run; those of a cancelled migration may, for they refuse to."""
    most_tables = unit["max_parallel_tables"]
    if most_tables is None:
        return
    payload: PlacesInput = {
        "migration": lane["migration"],
        "name": lane["name"],
        "waits": lane["waits"],
        "unit": unit["number"],
        "tables": len(unit["tables"]) if unit["together"] else 1,
        "max_parallel_tables": most_tables,
    }
    instance = f"{lane_instance_id(lane['migration'], lane['name'], lane['lane'])}-places-{unit['number']}"
    with suppress(StageFailedError):
        look: Look[bool] = yield from call(
            context, "look_at_places", payload, lane["waits"], ATTEMPTS_TO_LOOK
        )
        if look["state"] == "running":
            yield from run_to_its_end_of(context, "places", payload, instance, run="places")


def states_of(results: Sequence[LaneResult]) -> dict[str, int]:
    """Return how many tables ended in each state."""
    return dict(sum((Counter(result.get("states", {})) for result in results), Counter[str]()))


def error_of(results: Sequence[LaneResult]) -> ErrorDict | None:
    """Return the first error of the lanes, or None."""
    return next((result["error"] for result in results if result["error"]), None)


def state_of_all(results: Sequence[LaneResult]) -> State:
    """Return the state of the whole; a lane that stopped has left tables undone, which is a failure."""
    stopped = ["failed" for result in results if result["error"] and not result["error"]["cancelled"]]
    return worst_state([*states_of(results), *stopped])


def _start(context: df.DurableOrchestrationContext, lane: LaneInput, table: TableInput) -> Any:
    """Start one table's orchestration under an id made of the migration's, the table's and the round's."""
    migration, name = lane["migration"], lane["name"]
    if isinstance(name, int):
        instance = table_instance_id(migration, table["table"], name)
    else:
        instance = stage_instance_id(migration, table["table"], name)
    value = {**table, **lane["shared"], "migration": migration, "waits": lane["waits"]}
    return context.call_sub_orchestrator(lane["orchestration"], value, instance)


def _side_by_side(context: df.DurableOrchestrationContext, tasks: Sequence[Any]) -> Step:
    """Wait for orchestrations that run side by side; the result is a list of their results, in no order.

    The SDK's `task_all` would end with the first one that raises, without the results of the others.
    """
    running, results = list(tasks), []
    while running:
        ended = yield context.task_any(running)
        running.remove(ended)
        results.append(_result_of(ended))
    return results


def _result_of(ended: Any) -> Any:
    """Return an orchestration's result; one that raised, by a defect or because somebody ended it, has failed."""
    if isinstance(ended.result, dict):
        return ended.result
    error = PermanentError(
        cause_of(ended.result),
        "See the app's log, then retry the migration.",
        title="An orchestration ended without a result",
    )
    result: TableResult = {"state": "failed", "error": error.to_dict()}
    return result
