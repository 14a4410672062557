"""An operation on a migration, from the moment it may begin to its report: its start, a retry, a verify, a replay."""

from collections import Counter
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

from d2c.shapes import (
    ErrorDict,
    LaneCounts,
    LaneEnd,
    LaneInput,
    LaneStage,
    Look,
    LostLane,
    OperationInput,
    OperationResult,
    ReportInput,
)
from d2c.shapes.operations import MIGRATING
from d2c.state.ids import lane_instance_id, start_instance_id
from d2c.state.table_states import state_of
from orchestrators.retrying import (
    ATTEMPTS_TO_LOOK,
    ATTEMPTS_TO_START,
    StageFailedError,
    Step,
    call,
    lost_orchestration,
)
from orchestrators.run_to_its_end import run_to_its_end_of

# A lane that is lost so often without a table would be lost for ever.
MOST_LOSSES = 3
# The first one says how long to wait; clocks may differ a little.
LOOKS_AT_REQUEST_UNITS = 3
blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context", orchestration="run_operation")
def run_operation(context: df.DurableOrchestrationContext) -> Step:
    """Take the tables of an operation through the pipeline, then write the report.

    A table that fails does not stop the others; the result says how the whole ended.
    """
    operation: OperationInput = context.get_input()
    error: ErrorDict | None = None
    try:
        if operation["kind"] in MIGRATING:
            yield from _wait_for_the_start(context, operation)
        counts: LaneCounts = yield from call(
            context, "list_tables", operation, operation["waits"], ATTEMPTS_TO_LOOK
        )
        context.set_custom_status({"tables": counts["tables"]})
        error = yield from _run_lanes(context, operation, counts)
    except StageFailedError as failure:
        error = failure.error
    if operation["kind"] in MIGRATING:
        yield from _wait_for_request_units(context, operation)
    result = yield from _report(context, operation, error)
    context.set_custom_status({**result["tables"], "state": result["state"]})
    return result


def _wait_for_the_start(context: df.DurableOrchestrationContext, operation: OperationInput) -> Step:
    """Wait until the plan's time has come and nothing holds it back."""
    look: Look[bool] = yield from call(
        context, "look_at_start", operation, operation["waits"], ATTEMPTS_TO_LOOK
    )
    if look["state"] == "running":
        context.set_custom_status(look["progress"])
        instance = start_instance_id(operation["migration"], operation["operation"])
        yield from run_to_its_end_of(context, "start", operation, instance, run="start")


def _run_lanes(
    context: df.DurableOrchestrationContext, operation: OperationInput, counts: LaneCounts
) -> Step:
    """Run all lanes until nothing can come any more; the result is the first error of one that had to stop.

    A lane whose orchestration is lost, by a defect or because somebody ended it, is replaced.
    """
    running = [(lane, _start(context, lane)) for lane in _lanes(operation, counts)]
    losses: Counter[tuple[LaneStage, int]] = Counter()
    error: ErrorDict | None = None
    while running:
        ended: Any = yield context.task_any([task for _, task in running])
        position = next(position for position, (_, task) in enumerate(running) if task is ended)
        lane, _ = running.pop(position)
        try:
            stopped, following = yield from _after(context, lane, ended.result, losses)
        except StageFailedError as failure:
            stopped, following = failure.error, None
        if following:
            running.append((following, _start(context, following)))
        elif stopped:
            error = error or stopped
            yield from _abandon(context, operation)
    return error


def _after(
    context: df.DurableOrchestrationContext,
    lane: LaneInput,
    result: Any,
    losses: Counter[tuple[LaneStage, int]],
) -> Step:
    """Return the error of a lane that has stopped and the lane that takes its place, each of them or None.

    Args:
        context: the orchestration's.
        lane: the lane that has ended.
        result: its result, or what it raised.
        losses: how often each lane was lost without a table since it last had one; counted here.
    """
    if isinstance(result, dict):
        end: LaneEnd = result  # type: ignore[assignment]
        return end["error"], None
    lost: LostLane = yield from call(context, "end_lost", lane, lane["waits"], ATTEMPTS_TO_LOOK)
    key = lane["stage"], lane["lane"]
    losses[key] = 0 if lost["tables"] else losses[key] + 1
    if losses[key] > MOST_LOSSES:
        return lost_orchestration(result, "migration"), None
    return None, {**lane, "turn": lost["turn"]}


def _abandon(context: df.DurableOrchestrationContext, operation: OperationInput) -> Step:
    """End the other lanes: tables could wait for ever for the one that has stopped.

    Where the lake itself is away, they stop by the same error.
    """
    try:
        yield from call(context, "abandon", operation, operation["waits"], ATTEMPTS_TO_LOOK)
    except StageFailedError as failure:
        context.set_custom_status({"abandoning": failure.error["detail"][:200]})


def _lanes(operation: OperationInput, counts: LaneCounts) -> list[LaneInput]:
    """Return the input of each lane; a lane's number is one within its stage."""
    stages: list[tuple[LaneStage, str, int]] = [
        *(("export", location, count) for location, count in counts["export"].items()),
        ("copy", "", counts["copy"]),
        ("load", "", counts["load"]),
    ]
    lanes: list[LaneInput] = []
    for stage, location, count in stages:
        first = sum(lane["stage"] == stage for lane in lanes)
        lanes += [
            {
                "migration": operation["migration"],
                "operation": operation["operation"],
                "kind": operation["kind"],
                "waits": operation["waits"],
                "stage": stage,
                "location": location,
                "lane": first + number,
                "turn": 0,
            }
            for number in range(count)
        ]
    if "deployment" in operation:
        for lane in lanes:
            lane["deployment"] = operation["deployment"]
    return lanes


def _start(context: df.DurableOrchestrationContext, lane: LaneInput) -> Any:
    instance = lane_instance_id(lane["migration"], lane["operation"], lane["stage"], lane["lane"])
    return context.call_sub_orchestrator("run_lane", lane, instance)


def _wait_for_request_units(context: df.DurableOrchestrationContext, operation: OperationInput) -> Step:
    """Wait until Azure Monitor has counted the loads, for some minutes at most; the report is written without, too."""
    for _ in range(LOOKS_AT_REQUEST_UNITS):
        try:
            look: Look[int] = yield from call(
                context, "look_at_request_units", operation, operation["waits"], ATTEMPTS_TO_START
            )
        except StageFailedError:
            return
        if look["state"] != "running":
            return
        seconds = look.get("look_again_within_seconds", operation["waits"]["longest_seconds"])
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=seconds))


def _report(
    context: df.DurableOrchestrationContext, operation: OperationInput, error: ErrorDict | None
) -> Step:
    """Write the report; the result is how the operation ended: without a report, as a failure."""
    payload: ReportInput = {
        "migration": operation["migration"],
        "operation": operation["operation"],
        "kind": operation["kind"],
        "error": error,
    }
    try:
        result: OperationResult = yield from call(
            context, "write_report", payload, operation["waits"], ATTEMPTS_TO_LOOK
        )
    except StageFailedError as failure:
        state = state_of(error) if error else "failed"
        result = {"state": state, "tables": {}, "error": error or failure.error}
    return result
