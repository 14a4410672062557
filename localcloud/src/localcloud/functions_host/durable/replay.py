"""One turn of an orchestrator through the real Durable SDK: a history goes in, decisions come out."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from azure.durable_functions.models.actions import ActionType
from azure.durable_functions.models.actions.NoOpAction import NoOpAction
from azure.durable_functions.models.DurableOrchestrationContext import DurableOrchestrationContext
from azure.durable_functions.models.Task import RetryAbleTask
from azure.durable_functions.orchestrator import Orchestrator

# An orchestrator that raises makes the SDK raise with its state behind this mark.
STATE_MARK = "\n\n$OutOfProcData$:"

ORCHESTRATOR_STARTED = 12
Json = dict[str, Any]


@dataclass(frozen=True)
class Turn:
    """What an orchestrator decided: its state for the SDK, and what it still waits for by task number."""

    is_done: bool
    output: Any
    error: str | None
    custom_status: Any
    next_input: str | None
    open_actions: tuple[tuple[int, Json], ...]


def replay(handle: Any, instance: str, parent: str | None, text: str | None, history: list[Json]) -> Turn:
    """Replay a history.

    Args:
        handle: the SDK's handle of the orchestrator.
        instance: the instance id.
        parent: the parent's instance id, if any.
        text: the orchestration's input as JSON text.
        history: all events, the last event of type 12 before the new ones.
    """
    body = {
        "history": history,
        "input": text,
        "instanceId": instance,
        "isReplaying": False,
        "parentInstanceId": parent,
        "upperSchemaVersion": 1,
        "upperSchemaVersionNew": 2,
    }
    context = DurableOrchestrationContext.from_json(json.dumps(body))
    context._input_expected_type = getattr(
        handle, "_df_input_type", None
    )  # as the SDK's own entry point does
    state = _state(handle, context)
    again = next(
        (action for action in _flat(state["actions"]) if action["actionType"] == ActionType.CONTINUE_AS_NEW),
        None,
    )
    return Turn(
        is_done=state["isDone"],
        output=state.get("output"),
        error=state.get("error"),
        custom_status=state.get("customStatus"),
        next_input=again["input"] if again else None,
        open_actions=tuple(_open_actions(context, _time_of_turn(history))),
    )


def _state(handle: Any, context: Any) -> Json:
    try:
        state: Json = json.loads(Orchestrator(handle.orchestrator_function).handle(context))
    except Exception as error:  # the orchestrator's own, whatever it is
        text = str(error)
        if STATE_MARK not in text:
            return {"isDone": True, "error": f"{type(error).__name__}: {error}", "actions": [[]]}
        return {**json.loads(text.rsplit(STATE_MARK, 1)[1]), "isDone": True}
    return state


def _time_of_turn(history: list[Json]) -> datetime:
    began = next(entry for entry in reversed(history) if entry["EventType"] == ORCHESTRATOR_STARTED)
    return datetime.fromisoformat(began["Timestamp"])


def _open_actions(context: Any, now: datetime) -> list[tuple[int, Json]]:
    """Return what the orchestrator waits for; events are keyed by name and have no number."""
    found = []
    for number, task in context.open_tasks.items():
        if not isinstance(number, int) or number < 0 or isinstance(task, list):
            continue
        action = task._get_action()
        # The SDK has no action of its own for the timer of a retry and for the call that follows it.
        found.append(
            (number, _retry_action(task, now) if isinstance(action, NoOpAction) else action.to_json())
        )
    return sorted(found, key=lambda pair: pair[0])


def _retry_action(task: Any, now: datetime) -> Json:
    owner = task
    while not isinstance(owner, RetryAbleTask):
        owner = owner.parent
    if not owner.is_waiting_on_timer:
        action = owner.actions[0] if isinstance(owner.actions, list) else owner.actions
        repeated: Json = action.to_json()
        return repeated
    wait = timedelta(milliseconds=owner.retry_options.first_retry_interval_in_milliseconds)
    return {"actionType": ActionType.CREATE_TIMER, "fireAt": (now + wait).isoformat(), "isCanceled": False}


def _flat(actions: Any) -> Any:
    for action in actions:
        if isinstance(action, list):
            yield from _flat(action)
        elif "compoundActions" in action:
            yield from _flat(action["compoundActions"])
        else:
            yield action
