"""The check of a plan: all systems and tables side by side."""

from collections.abc import Sequence
from typing import Any

import azure.durable_functions as df

from d2c.checks.systems import SYSTEMS
from orchestrators.retrying import Json, Step

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context", orchestration="check_plan")
def check_plan(context: df.DurableOrchestrationContext) -> Step:
    """Check all that a plan's migration needs, and sum it up; one check that fails hides none of the others.

    A check is not tried again: what it met is what it tells.
    """
    asked: Json = context.get_input()
    context.set_custom_status({"done": 0, "total": len(SYSTEMS) + 1})
    listed = yield from _call_once(context, "list_checked_tables", asked)
    tables = listed.get("value") or {"parts": [], "result": _failure("tables", listed)}
    parts = [("check_system", {**asked, "system": system}, system) for system in SYSTEMS]
    parts += [
        ("check_tables", {**asked, "tables": part, "part": number}, f"tables, part {number + 1}")
        for number, part in enumerate(tables["parts"])
    ]
    results = yield from _side_by_side(context, parts)
    found = {**asked, "results": [tables["result"], *results]}
    summed = yield from _call_once(context, "sum_up_check", found)
    return summed.get("value") or {"state": "failed", "error": summed["error"], "result": None}


def _call_once(context: df.DurableOrchestrationContext, activity: str, payload: Json) -> Step:
    """Call an activity; the result is its answer, an error too where its worker was lost."""
    ended = yield context.task_any([context.call_activity(activity, payload)])
    return _answer_of(ended.result)


def _side_by_side(context: df.DurableOrchestrationContext, parts: Sequence[tuple[str, Json, str]]) -> Step:
    """Call an activity for each part; the result is a list of where the findings of each are."""
    running = [(context.call_activity(activity, payload), name) for activity, payload, name in parts]
    results: list[Json] = []
    while running:
        ended = yield context.task_any([task for task, _ in running])
        name = next(name for task, name in running if task is ended)
        running = [(task, other) for task, other in running if task is not ended]
        answer = _answer_of(ended.result)
        results.append(answer.get("value") or _failure(name, answer))
        context.set_custom_status({"done": len(results), "total": len(parts)})
    return results


def _answer_of(result: Any) -> Json:
    """Return an activity's answer; one whose worker was lost has none, and is an error."""
    if isinstance(result, dict):
        return result
    cause = (str(result).strip().splitlines() or ["no reason was given"])[0]
    return {"error": {"detail": f"The check ended without an answer: {cause}", "next_step": "Check again."}}


def _failure(name: str, answer: Json) -> Json:
    """Return the findings of a part that failed as a whole, as `d2c.checks.store` refers to values."""
    finding = {
        "system": "Check",
        "thing": name,
        "check": "whole check",
        "state": "failed",
        "finding": answer["error"]["detail"],
        "next_step": answer["error"]["next_step"],
    }
    return {"value": {"findings": [finding]}}
