"""A lane: one worker of a stage, which takes tables from the queue, runs the stage, and passes them on."""

from collections.abc import Mapping
from typing import Any

import azure.durable_functions as df

from d2c.shapes import ErrorDict, LaneEnd, LaneInput, Source, StageEnd, TableRef, Take, Taken
from d2c.shapes.operations import MIGRATING
from d2c.state.ids import (
    LOAD_RUNS_AT_MOST,
    LOAD_RUNS_LOST_FOR_SECONDS,
    stage_instance_id,
    unit_instance_id,
    unit_name,
)
from d2c.state.paths import MigrationFiles
from orchestrators.retrying import (
    ATTEMPTS_TO_LOOK,
    StageFailedError,
    Step,
    call,
    lost_orchestration,
    wait_or_wake,
)
from orchestrators.run_to_its_end import FEW_LOSSES, LOOKS_PER_HISTORY, Losses, run_to_its_end_of

LOAD_LOSSES = Losses(LOAD_RUNS_AT_MOST, LOAD_RUNS_LOST_FOR_SECONDS)
blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context", orchestration="run_lane")
def run_lane(context: df.DurableOrchestrationContext) -> Step:
    """Take tables and run the lane's stage for them, again and again until nothing can come any more.

    Each turn has a history of its own, so that it does not grow with the number of tables.
    """
    lane: LaneInput = context.get_input()
    try:
        take: Take = yield from _take(context, lane)
    except StageFailedError as failure:
        end: LaneEnd = {"error": failure.error}
        return end
    if take["state"] == "over":
        return {"error": None}
    if take["state"] == "taken":
        run = _end_all if take["cancelled"] else RUN[lane["stage"]]
        yield from run(context, lane, take)
        lane["turn"] += 1
    context.continue_as_new(lane)
    return None


def _take(context: df.DurableOrchestrationContext, lane: LaneInput) -> Step:
    """Look for tables to take, until there are some, nothing can come any more, or the history is long enough."""
    for _ in range(LOOKS_PER_HISTORY):
        take: Take = yield from call(context, "take_tables", lane, lane["waits"], ATTEMPTS_TO_LOOK)
        if take["state"] != "idle":
            return take
        context.set_custom_status({"idle": True})
        if (yield from wait_or_wake(context, take["seconds"])):
            break
    return take


def _export(context: df.DurableOrchestrationContext, lane: LaneInput, take: Taken) -> Step:
    """Export the table."""
    ref = _ref(context, lane, take["table"])
    found: dict[str, Any] = {}
    try:
        source: Source = yield from call(context, "describe_source", ref, lane["waits"])
        found["source"] = source
        instance = stage_instance_id(lane["migration"], lane["operation"], take["table"], "export")
        found["export"] = yield from _outside(context, "export", {**ref, **found}, instance)
    except StageFailedError as failure:
        yield from _end(context, ref, "export", found, failure.error)
    else:
        yield from _pass_on(context, ref, "export", found)


def _copy(context: df.DurableOrchestrationContext, lane: LaneInput, take: Taken) -> Step:
    """Copy the table's export into the lake, or wait for one that others copy there."""
    ref = _ref(context, lane, take["table"])
    instance = stage_instance_id(lane["migration"], lane["operation"], take["table"], "copy")
    try:
        if take["arrived"]:
            found = yield from _outside(context, "existing_export", ref, instance)
        else:
            copy = yield from _outside(context, "copy", ref, instance, stop="stop_copy")
            found = {"copy": copy}
    except StageFailedError as failure:
        yield from _end(context, ref, "copy", {}, failure.error)
    else:
        yield from _pass_on(context, ref, "copy", found)


def _load(context: df.DurableOrchestrationContext, lane: LaneInput, take: Taken) -> Step:
    """Look at the containers of a unit and load its tables, each of which ends as soon as its result is there.

    Tables whose containers take longer to scale than a cluster waits are loaded by a second run.
    """
    try:
        tables = take["tables"]
        if lane["kind"] in MIGRATING:
            tables = yield from _outside(context, "prepare", lane, _instance(lane, "prepare"), run="prepare")
        if tables:
            instance = _instance(lane, "load")
            tables = yield from _outside(context, "load", lane, instance, "stop_load", losses=LOAD_LOSSES)
    except StageFailedError as failure:
        ending = {**lane, "error": failure.error, "spares_assessed": True}
        tables = yield from _insist(context, "end_tables", ending, lane)
    if tables:
        yield from _load_assessed(context, lane, take)


def _load_assessed(context: df.DurableOrchestrationContext, lane: LaneInput, take: Taken) -> Step:
    """Wait without a cluster until the containers are scaled, then load the tables that have been assessed.

    Of all that are loaded, containers that were loaded without indexes get them before their RU/s fall.
    """
    second: dict[str, Any] = {**lane, "is_second_run": True}
    left = 1
    try:
        tables = yield from _outside(context, "scale", lane, _instance(lane, "scale"), run="scale")
        if tables:
            instance = _instance(lane, "second-load")
            left = yield from _outside(context, "load", second, instance, "stop_load", losses=LOAD_LOSSES)
    except StageFailedError as failure:
        ending = {**second, "error": failure.error, "spares_assessed": True}
        left = yield from _insist(context, "end_tables", ending, lane)
    if left:
        yield from _index(context, lane, take)


def _index(context: df.DurableOrchestrationContext, lane: LaneInput, take: Taken) -> Step:
    """Wait until the containers of the tables that are loaded have their indexes."""
    try:
        yield from _outside(context, "index", lane, _instance(lane, "index"), run="index")
    except StageFailedError as failure:
        yield from _end_all(context, {**lane, "error": failure.error}, take)


def _instance(lane: LaneInput, thing: str) -> str:
    """Return the id of the orchestration that waits for something of the unit that a lane has taken."""
    return unit_instance_id(
        lane["migration"], lane["operation"], unit_name(lane["lane"], lane["turn"]), thing
    )


RUN = {"export": _export, "copy": _copy, "load": _load}


def _outside(
    context: df.DurableOrchestrationContext,
    thing: str,
    payload: Mapping[str, Any],
    instance: str,
    stop: str | None = None,
    run: str | None = None,
    losses: Losses = FEW_LOSSES,
) -> Step:
    """Run something outside to its end, or wait for a run; the result is that of its last look.

    Raises:
        StageFailedError: if it failed, or if the orchestration that waits for it was lost.
    """
    try:
        return (yield from run_to_its_end_of(context, thing, payload, instance, stop, run, losses))
    except StageFailedError:
        raise
    except Exception as lost:
        raise StageFailedError(lost_orchestration(lost, "table")) from lost


def _ref(context: df.DurableOrchestrationContext, lane: LaneInput, table: str) -> TableRef:
    ref: TableRef = {
        "file": MigrationFiles(lane["migration"]).work(lane["operation"]).table(table),
        "migration": lane["migration"],
        "operation": lane["operation"],
        "kind": lane["kind"],
        "table": table,
        "waits": lane["waits"],
        "started_at": context.current_utc_datetime.isoformat(),
    }
    if "deployment" in lane:
        ref["deployment"] = lane["deployment"]
    return ref


def _stage_end(
    context: df.DurableOrchestrationContext,
    ref: TableRef,
    stage: str,
    found: Mapping[str, Any],
    error: ErrorDict | None = None,
) -> StageEnd:
    return {
        "migration": ref["migration"],
        "operation": ref["operation"],
        "kind": ref["kind"],
        "table": ref["table"],
        "stage": stage,
        "started_at": ref["started_at"],
        "ended_at": context.current_utc_datetime.isoformat(),
        "found": found,
        "error": error,
    }


def _pass_on(
    context: df.DurableOrchestrationContext, ref: TableRef, stage: str, found: Mapping[str, Any]
) -> Step:
    """Let the next stage take a table."""
    yield from _insist(context, "pass_on", _stage_end(context, ref, stage, found), ref)


def _end(
    context: df.DurableOrchestrationContext,
    ref: TableRef,
    stage: str,
    found: Mapping[str, Any],
    error: ErrorDict,
) -> Step:
    """End a table that failed."""
    yield from _insist(context, "end_table", _stage_end(context, ref, stage, found, error), ref)


def _end_all(context: df.DurableOrchestrationContext, lane: LaneInput, take: Taken) -> Step:
    """End all tables that the lane still has."""
    yield from _insist(context, "end_tables", lane, lane)


def _insist(
    context: df.DurableOrchestrationContext, activity: str, payload: Any, waits: Mapping[str, Any]
) -> Step:
    """Call an activity that ends a turn; where it cannot put throughput back, it ends without that.

    The result is the activity's.

    A lane that cannot end its turn is lost, which `run_operation` sees.
    """
    try:
        return (yield from call(context, activity, payload, waits["waits"], ATTEMPTS_TO_LOOK))
    except StageFailedError as failure:
        last = {**payload, "restore_error": failure.error}
        return (yield from call(context, activity, last, waits["waits"], ATTEMPTS_TO_LOOK))
