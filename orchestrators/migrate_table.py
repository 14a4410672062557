"""One table's way from DynamoDB to Cosmos DB."""

import azure.durable_functions as df

from d2c.state.ids import stage_instance_id
from d2c.state.progress import counts_of_load
from orchestrators.retrying import ATTEMPTS_TO_LOOK, Json, StageFailedError, Step, call
from orchestrators.run_to_its_end import run_to_its_end_of
from orchestrators.stage_log import StageLog

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context", orchestration="migrate_table")
def migrate_table(context: df.DurableOrchestrationContext) -> Step:
    """Take one table through all stages; the result is its line of the migration's end.

    The input may have ``found`` what the stages of an earlier round came to, which are not run again then.
    """
    table: Json = {**context.get_input(), "started_at": context.current_utc_datetime.isoformat()}
    found: Json = table.pop("found", {})
    log = StageLog(context, table["table"])
    error = None
    try:
        yield from _bring_into_the_lake(context, log, table, found)
        yield from _take_turn(context, log, table, "prepare", "loads")
        log.begin("prepare")
        if "described" not in found:
            payload = {**table, **found}
            found["described"] = yield from call(context, "describe_container", payload, table["waits"])
        yield from _run(context, "prepare", {**table, **found})
        log.begin("assess")
        found["load"] = yield from _run(context, "load", {**table, **found}, stop="stop_load")
        _take_over(log, found["load"])
    except StageFailedError as failure:
        error = {**failure.error, "stage": failure.error.get("stage", log.last_stage)}
        log.close("cancelled" if error["cancelled"] else "failed")
    found["restored"], restore_error = yield from _restore_throughput(context, {**table, **found})
    error = _joined(error, restore_error)
    return (yield from _report(context, log, table, found, error))


def _bring_into_the_lake(
    context: df.DurableOrchestrationContext, log: StageLog, table: Json, found: Json
) -> Step:
    """Export the table and copy the export into the lake, or take an export that others have copied there."""
    if table.get("arrived") and "copy" not in found:
        log.begin("copy")
        found |= yield from _run(context, "arrival", table)
    if "export" not in found:
        yield from _take_turn(context, log, table, "export", "exports")
        log.begin("export")
        found["source"] = yield from call(context, "describe_source", table, table["waits"])
        found["export"] = yield from _run(context, "export", {**table, **found})
    log.count(items_exported=found["export"]["items"])
    if "copy" not in found:
        yield from _take_turn(context, log, table, "copy", "copies")
        log.begin("copy")
        found["copy"] = yield from _run(context, "copy", {**table, **found}, stop="stop_copy")


def _take_turn(
    context: df.DurableOrchestrationContext, log: StageLog, table: Json, stage: str, kind: str
) -> Step:
    """Wait until a stage may begin, and take the slot that it needs."""
    payload = {**table, "kind": kind}
    look = yield from call(context, "look_at_start", payload, table["waits"], ATTEMPTS_TO_LOOK)
    if look["state"] == "running":
        log.wait(stage, look["progress"]["waiting"])
        instance = stage_instance_id(table["migration"], table["table"], f"{kind}-turn", table["round"])
        yield from run_to_its_end_of(context, "start", payload, instance, run=kind)


def _run(context: df.DurableOrchestrationContext, stage: str, payload: Json, stop: str | None = None) -> Step:
    """Run a stage to its end; the result is what the last look found."""
    instance = stage_instance_id(payload["migration"], payload["table"], stage, payload["round"])
    return (yield from run_to_its_end_of(context, stage, payload, instance, stop))


def _take_over(log: StageLog, load: Json) -> None:
    """Record what the load run found, and fail as it failed."""
    log.count(**counts_of_load(load))
    log.replace_last(load["stages"])
    if load["error"]:
        raise StageFailedError(load["error"])


def _restore_throughput(context: df.DurableOrchestrationContext, payload: Json) -> Step:
    """Put the container's throughput back, whatever happened before; the result is what it is now, and an error."""
    if "described" not in payload:
        return None, None
    try:
        restored = yield from call(context, "restore_throughput", payload, payload["waits"], ATTEMPTS_TO_LOOK)
    except StageFailedError as failure:
        return None, {**failure.error, "stage": "report"}
    return restored, None


def _joined(error: Json | None, restore_error: Json | None) -> Json | None:
    """Return the first error, which tells of the second too: throughput that stays up costs money every hour."""
    if error is None or restore_error is None:
        return error or restore_error
    return {
        **error,
        "detail": f"{error['detail']} The throughput could not be put back either: {restore_error['detail']}",
        "next_step": f"{error['next_step']} For the throughput: {restore_error['next_step']}",
    }


def _report(
    context: df.DurableOrchestrationContext, log: StageLog, table: Json, found: Json, error: Json | None
) -> Step:
    """Write the table's part of the report; the result is the table's line of the migration's end."""
    state = "succeeded"
    if error:
        state = "cancelled" if error["cancelled"] else "failed"
    log.begin("report")
    record = {**table, **found, "state": state, "error": error, "stages": log.stages}
    try:
        yield from call(context, "write_table_report", record, table["waits"], ATTEMPTS_TO_LOOK)
    except StageFailedError as failure:
        error, state = error or {**failure.error, "stage": "report"}, "failed"
    log.close(state)
    return {"table": table["table"], "state": state, "error": error}
