"""What Durable's extension tells of failures, as 3.19.0 was seen to tell it.

The SDK shows an orchestrator the reason and, after a blank and a line's end, the details.
"""

import json
import traceback
from typing import Any

# The host reads a worker's exception as text: what follows this mark is taken for the stack trace.
STACK_MARK = "\nStack:"


def activity_failure(name: str, error: BaseException) -> dict[str, Any]:
    """Return the reason and the details of an activity that raised."""
    text = f"{type(error).__name__}: {error}".partition(STACK_MARK)[0]
    stack = "".join(traceback.format_exception(error))
    inner = {
        "$type": "Microsoft.Azure.WebJobs.Script.Workers.Rpc.RpcException",
        "Message": f"Result: Failure\nException: {text}{STACK_MARK} {stack}",
    }
    details = {
        "$type": "System.Exception, System.Private.CoreLib",
        "ClassName": "System.Exception",
        "Message": f" {text}",
        "InnerException": inner,
    }
    return {"Reason": f"Activity function '{name}' failed:  {text}", "Details": json.dumps(details)}


def orchestrator_failure(name: str, text: str) -> str:
    """Return the output of an orchestration that raised."""
    return f"Orchestrator function '{name}' failed: {text}"


def child_failure(status: str, output: Any) -> dict[str, Any]:
    """Return the reason and the details that a parent is told of a child that did not complete."""
    if status == "Terminated":
        return {"Reason": str(output), "Details": None}
    message = str(output).partition(" failed: ")[2]
    stack = "   at Microsoft.Azure.WebJobs.Extensions.DurableTask.TaskOrchestrationShim"
    return {"Reason": output, "Details": f"Message: {message}, StackTrace: {stack}"}


def no_function(name: str, known: list[str]) -> str:
    """Return why an orchestration of a name that the app does not have fails."""
    names = ", ".join(f"'{one}'" for one in known)
    return (
        f"The function '{name}' doesn't exist, is disabled, or is not an orchestrator function. "
        f"Additional info: The following are the known orchestrator functions: {names}."
    )
