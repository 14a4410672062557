"""The orchestrators of the scenarios: small ones, and the product's that waits for jobs."""

from typing import Any

import azure.durable_functions as df

from orchestrators import run_to_its_end
from tests.builders import the_waits

SLOW = {**the_waits(), "first_seconds": 3600, "factor": 1, "longest_seconds": 3600}
app = df.DFApp()


@app.orchestration_trigger(context_name="context")
def waits_for_go(context: df.DurableOrchestrationContext):
    """Show its input, and wait."""
    context.set_custom_status({"shown": context.get_input()})
    return (yield context.wait_for_external_event("go"))


@app.orchestration_trigger(context_name="context")
def has_child(context: df.DurableOrchestrationContext):
    """Run a child, and tell what it raised."""
    name, child = context.get_input()
    try:
        return (yield context.call_sub_orchestrator(name, child, child))
    except Exception as error:
        return f"raised: {error}"


@app.orchestration_trigger(context_name="context")
def notes(context: df.DurableOrchestrationContext):
    """Call an activity."""
    return (yield context.call_activity("note", context.get_input()))


@app.orchestration_trigger(context_name="context")
def breaks(context: df.DurableOrchestrationContext):
    """Call an activity that fails."""
    return (yield context.call_activity("fail", "line one\nline two"))


@app.orchestration_trigger(context_name="context")
def raises(context: df.DurableOrchestrationContext):
    """Fail by itself."""
    yield context.call_activity("note", "raises")
    raise ValueError("inner\nsecond")


@app.orchestration_trigger(context_name="context")
def talks_too_much(context: df.DurableOrchestrationContext):
    """Set a custom status over the limit, in letters that JSON would escape."""
    context.set_custom_status("\u00e9" * context.get_input())
    yield context.call_activity("note", "talks")


@app.orchestration_trigger(context_name="context")
def shows_once(context: df.DurableOrchestrationContext):
    """Set a custom status in the first of two histories only."""
    step = context.get_input()
    if step == "first":
        context.set_custom_status({"of": "first"})
        yield context.call_activity("note", "first history")
        context.continue_as_new("second")
        return None
    yield context.call_activity("note", "second history")
    return (yield context.wait_for_external_event("go"))


def orchestrators() -> dict[str, Any]:
    """Return the SDK's handles of the scenarios' orchestrators, and of the product's that they use."""
    builders = [*app._function_builders, *run_to_its_end.blueprint._function_builders]
    functions = [builder._function for builder in builders]
    return {
        function.get_trigger().orchestration or function.get_function_name(): function.get_user_function()
        for function in functions
    }


def job(name: str) -> dict[str, Any]:
    """Return what the product's `run_to_its_end` takes."""
    return {
        "start": "start_job",
        "look": "look_at_job",
        "stop": None,
        "payload": {"job": name},
        "waits": SLOW,
        "try": 1,
    }
