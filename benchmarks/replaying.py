"""Turns of an orchestrator through the real Durable SDK.

A host replays the whole history at each turn; where many turns would take too long, `Live` goes on with what is new.
"""

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from azure.durable_functions.models.actions import ActionType
    from azure.durable_functions.models.DurableOrchestrationContext import DurableOrchestrationContext
    from azure.durable_functions.models.history import HistoryEvent
    from azure.durable_functions.orchestrator import Orchestrator

# What the SDK puts into the text of an orchestrator's own exception.
RAISED_MARK = "$OutOfProcData$"
# Kinds of events of a history.
EXECUTION_STARTED, TASK_SCHEDULED, TASK_COMPLETED, TASK_FAILED = 0, 4, 5, 6
CHILD_CREATED, CHILD_COMPLETED, CHILD_FAILED = 7, 8, 9
TIMER_CREATED, TIMER_FIRED, ORCHESTRATOR_STARTED, EVENT_RAISED = 10, 11, 12, 15

History = list[dict[str, Any]]
Action = Mapping[str, Any]


class Live:
    """An orchestrator in the midst of its history.

    Args:
        orchestrator: the function.
        instance: the orchestration's id.
        value: its input.
        history: its events up to now, which are replayed.
    """

    def __init__(
        self,
        orchestrator: Callable[..., Any],
        instance: str,
        value: Any,
        history: Sequence[Mapping[str, Any]],
    ) -> None:
        body = {
            "history": history,
            "input": json.dumps(value),
            "instanceId": instance,
            "isReplaying": False,
            "parentInstanceId": None,
            "upperSchemaVersion": 1,
            "upperSchemaVersionNew": 2,
        }
        self._context = DurableOrchestrationContext.from_json(json.dumps(body))
        sdk = Orchestrator(orchestrator)
        self._executor = sdk.task_orchestration_executor
        self.state: dict[str, Any] = json.loads(sdk.handle(self._context))

    def go_on(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Take one more turn, with the events that have come since the last one, without a replay."""
        for event in events:
            self._executor.process_event(HistoryEvent(**event))
            if self._executor.has_execution_completed:
                break
        self.state = json.loads(self._executor.get_orchestrator_state_str())

    def wanted(self) -> dict[int, Action]:
        """Return what the orchestrator waits for, by task number."""
        open_tasks = {
            number: task
            for number, task in self._context.open_tasks.items()
            if isinstance(number, int) and number >= 0
        }
        return {number: task._get_action().to_json() for number, task in sorted(open_tasks.items())}


def turn(
    orchestrator: Callable[..., Any], instance: str, value: Any, history: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Any], dict[int, Action]]:
    """Replay a history; return the SDK's answer, and what the orchestrator waits for by task number."""
    live = Live(orchestrator, instance, value, history)
    return live.state, live.wanted()


def continued_with(state: Mapping[str, Any]) -> Any:
    """Return the input with which an orchestrator continues as new, or None if it does not.

    Args:
        state: the SDK's answer.
    """
    for action in state["actions"][0]:
        if action["actionType"] == ActionType.CONTINUE_AS_NEW:
            return json.loads(action["input"])
    return None


def is_activity(action: Action) -> bool:
    """Return whether an orchestrator waits for an activity."""
    return bool(action["actionType"] == ActionType.CALL_ACTIVITY)


def is_child(action: Action) -> bool:
    """Return whether an orchestrator waits for another one."""
    return bool(action["actionType"] == ActionType.CALL_SUB_ORCHESTRATOR)


def is_timer(action: Action) -> bool:
    """Return whether an orchestrator waits for a time."""
    return bool(action["actionType"] == ActionType.CREATE_TIMER)


def orchestrator_functions(*modules: Any) -> dict[str, Callable[..., Any]]:
    """Return the orchestrators that modules register, by name."""
    return {
        function.get_trigger().orchestration: function.get_user_function().orchestrator_function
        for function in _functions(modules, "orchestrationTrigger")
    }


def activity_functions(*modules: Any) -> dict[str, Callable[..., Any]]:
    """Return the activities that modules register, by name, without what makes answers of their results."""
    functions = (function.get_user_function() for function in _functions(modules, "activityTrigger"))
    return {function.__name__: function.__wrapped__ for function in functions}


def _functions(modules: Sequence[Any], trigger: str) -> list[Any]:
    functions = [builder._function for module in modules for builder in module.blueprint._function_builders]
    return [function for function in functions if function.get_trigger().type == trigger]
