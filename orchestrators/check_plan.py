"""The check of a plan: all systems and tables side by side."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import azure.durable_functions as df

from d2c.checks.systems import SYSTEMS
from d2c.errors import PermanentError
from d2c.shapes import Answer, CheckInput, CheckParts, CheckResult, ErrorDict, Reference
from orchestrators.retrying import Step, cause_of

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context", orchestration="check_plan")
def check_plan(context: df.DurableOrchestrationContext) -> Step:
    """Check all that a plan's migration needs, and sum it up; one check that fails hides none of the others.

    A check is not retried: its error is what it has to report.
    """
    check: CheckInput = context.get_input()
    context.set_custom_status({"done": 0, "total": len(SYSTEMS) + 1})
    tables = yield from _list_tables(context, check)
    parts: list[tuple[str, CheckInput, str]] = [
        ("check_system", {**check, "system": system}, system) for system in SYSTEMS
    ]
    parts += [
        ("check_tables", {**check, "tables": part, "part": number}, f"tables, part {number + 1}")
        for number, part in enumerate(tables["parts"])
    ]
    results = yield from _side_by_side(context, parts)
    whole: CheckInput = {**check, "results": [tables["result"], *results]}
    summary: Answer[CheckResult] = yield from _call_once(context, "sum_up_check", whole)
    if "value" in summary:
        return summary["value"]
    result: CheckResult = {"state": "failed", "error": summary["error"], "result": None}
    return result


def _list_tables(context: df.DurableOrchestrationContext, check: CheckInput) -> Step:
    """List the plan's tables in parts; the result has no parts but a finding if that fails."""
    answer: Answer[CheckParts] = yield from _call_once(context, "list_checked_tables", check)
    if "value" in answer:
        return answer["value"]
    return {"parts": [], "result": _finding("tables", answer["error"])}


def _call_once(context: df.DurableOrchestrationContext, activity: str, payload: Mapping[str, Any]) -> Step:
    """Call an activity; the result is its answer, an error too where its worker was lost."""
    task = yield context.task_any([context.call_activity(activity, payload)])
    return _answer_of(task.result)


def _side_by_side(
    context: df.DurableOrchestrationContext, parts: Sequence[tuple[str, CheckInput, str]]
) -> Step:
    """Call an activity for each part; the result is a list of references to the findings of each."""
    running = [(context.call_activity(activity, payload), name) for activity, payload, name in parts]
    results: list[Reference] = []
    while running:
        ended = yield context.task_any([task for task, _ in running])
        name = next(name for task, name in running if task is ended)
        running = [(task, other) for task, other in running if task is not ended]
        answer: Answer[Reference] = _answer_of(ended.result)
        results.append(answer["value"] if "value" in answer else _finding(name, answer["error"]))
        context.set_custom_status({"done": len(results), "total": len(parts)})
    return results


def _answer_of(result: Any) -> Answer[Any]:
    """Return an activity's answer; one whose worker was lost has none, and is an error."""
    if isinstance(result, dict):
        return cast("Answer[Any]", result)
    error = PermanentError(f"The check ended without an answer: {cause_of(result)}", "Check again.")
    return {"error": error.to_dict()}


def _finding(name: str, error: ErrorDict) -> Reference:
    """Return the findings of a part that failed as a whole, as `d2c.checks.store` refers to values."""
    finding = {
        "system": "Check",
        "thing": name,
        "check": "whole check",
        "state": "failed",
        "finding": error["detail"],
        "next_step": error["next_step"],
    }
    return {"value": {"findings": [finding]}}
