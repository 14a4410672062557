"""One table's way from DynamoDB to Cosmos DB."""

import azure.durable_functions as df

from d2c.shapes import (
    ErrorDict,
    Findings,
    LoadResult,
    Look,
    State,
    TableInput,
    TableOutcome,
    TableResult,
)
from d2c.state.ids import stage_instance_id
from d2c.state.progress import counts_of_load
from orchestrators.retrying import ATTEMPTS_TO_LOOK, StageFailedError, Step, call, state_of_error
from orchestrators.run_to_its_end import run_to_its_end_of
from orchestrators.stage_log import StageLog

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context", orchestration="migrate_table")
def migrate_table(context: df.DurableOrchestrationContext) -> Step:
    """Take one table through all stages; the result is its state and error.

    The input may have findings of an earlier round as ``found``; their stages are not run again.
    """
    table: TableInput = context.get_input()
    table["started_at"] = context.current_utc_datetime.isoformat()
    findings = table.pop("found", {})
    log = StageLog(context, table["table"])
    error: ErrorDict | None = None
    try:
        yield from _bring_into_the_lake(context, log, table, findings)
        yield from _take_turn(context, log, table, "prepare", "loads")
        log.begin("prepare")
        if "described" not in findings:
            payload: TableInput = {**table, **findings}
            findings["described"] = yield from call(context, "describe_container", payload, table["waits"])
        yield from _run(context, "prepare", {**table, **findings})
        log.begin("assess")
        findings["load"] = yield from _run(context, "load", {**table, **findings}, stop="stop_load")
        _take_over(log, findings["load"])
    except StageFailedError as failure:
        error = {**failure.error, "stage": failure.error.get("stage", log.last_stage)}
        log.close(state_of_error(error))
    findings["restored"], restore_error = yield from _restore_throughput(context, {**table, **findings})
    error = _joined(error, restore_error)
    return (yield from _report(context, log, {**table, **findings}, error))


def _bring_into_the_lake(
    context: df.DurableOrchestrationContext, log: StageLog, table: TableInput, findings: Findings
) -> Step:
    """Export the table and copy the export into the lake, or take an export that others have copied there."""
    if table.get("arrived") and "copy" not in findings:
        log.begin("copy")
        findings |= yield from _run(context, "arrival", table)
    if "export" not in findings:
        yield from _take_turn(context, log, table, "export", "exports")
        log.begin("export")
        findings["source"] = yield from call(context, "describe_source", table, table["waits"])
        findings["export"] = yield from _run(context, "export", {**table, **findings})
    log.count(items_exported=findings["export"]["items"])
    if "copy" not in findings:
        yield from _take_turn(context, log, table, "copy", "copies")
        log.begin("copy")
        findings["copy"] = yield from _run(context, "copy", {**table, **findings}, stop="stop_copy")


def _take_turn(
    context: df.DurableOrchestrationContext, log: StageLog, table: TableInput, stage: str, kind: str
) -> Step:
    """Wait until a stage may begin, and take the slot that it needs."""
    payload: TableInput = {**table, "kind": kind}
    look: Look[bool] = yield from call(context, "look_at_start", payload, table["waits"], ATTEMPTS_TO_LOOK)
    if look["state"] == "running":
        log.wait(stage, look["progress"]["waiting"])
        instance = stage_instance_id(table["migration"], table["table"], f"{kind}-turn", table["round"])
        yield from run_to_its_end_of(context, "start", payload, instance, run=kind)


def _run(
    context: df.DurableOrchestrationContext, stage: str, payload: TableInput, stop: str | None = None
) -> Step:
    """Run a stage to its end; the result is that of the last look."""
    instance = stage_instance_id(payload["migration"], payload["table"], stage, payload["round"])
    return (yield from run_to_its_end_of(context, stage, payload, instance, stop))


def _take_over(log: StageLog, load: LoadResult) -> None:
    """Record the stages and counts of the load run, and fail as it failed."""
    log.count(**counts_of_load(load))
    log.replace_last(load["stages"])
    if load["error"]:
        raise StageFailedError(load["error"])


def _restore_throughput(context: df.DurableOrchestrationContext, payload: TableInput) -> Step:
    """Put the container's throughput back, whatever happened before; the result is the RU/s now, and an error."""
    if "described" not in payload:
        return None, None
    try:
        restored = yield from call(context, "restore_throughput", payload, payload["waits"], ATTEMPTS_TO_LOOK)
    except StageFailedError as failure:
        return None, {**failure.error, "stage": "report"}
    return restored, None


def _joined(error: ErrorDict | None, restore_error: ErrorDict | None) -> ErrorDict | None:
    """Return the first error, with the text of the second: throughput that stays up costs money every hour."""
    if error is None or restore_error is None:
        return error or restore_error
    return {
        **error,
        "detail": f"{error['detail']} The throughput could not be put back either: {restore_error['detail']}",
        "next_step": f"{error['next_step']} For the throughput: {restore_error['next_step']}",
    }


def _report(
    context: df.DurableOrchestrationContext, log: StageLog, table: TableInput, error: ErrorDict | None
) -> Step:
    """Write the table's part of the report; the result is the table's state and error."""
    state: State = state_of_error(error) if error else "succeeded"
    log.begin("report")
    record: TableOutcome = {**table, "state": state, "error": error, "stages": log.stages}
    try:
        yield from call(context, "write_table_report", record, table["waits"], ATTEMPTS_TO_LOOK)
    except StageFailedError as failure:
        error, state = error or {**failure.error, "stage": "report"}, "failed"
    log.close(state)
    result: TableResult = {"table": table["table"], "state": state, "error": error}
    return result
