"""Runs orchestrators turn by turn through the real Durable SDK, with substitute activities and a clock of its own.

Every turn replays the whole history, as a host does, so an orchestrator that is not deterministic shows itself: the
world checks that a turn asks again for all that earlier turns asked for.
"""

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from azure.durable_functions.models.actions import ActionType
    from azure.durable_functions.models.DurableOrchestrationContext import DurableOrchestrationContext
    from azure.durable_functions.orchestrator import Orchestrator

MOST_TURNS = 500
# What the SDK puts into the text of an orchestrator's own exception.
RAISED_MARK = "$OutOfProcData$"


@dataclass
class World:
    """What surrounds an orchestration under test.

    Args:
        activities: substitutes by name: payload in, answer out; one that raises fails as a lost worker does.
        orchestrators: the functions by name, as they are registered.
        interrupt: asked before a timer fires; returns the name of an event to raise instead, or None.
    """

    activities: dict[str, Callable[[Any], Any]]
    orchestrators: dict[str, Callable[..., Any]]
    interrupt: Callable[["World"], str | None] = lambda world: None
    now: datetime = datetime(2026, 6, 1, tzinfo=UTC)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    statuses: list[Any] = field(default_factory=list)
    instances: dict[str, Any] = field(default_factory=dict)
    longest_history: int = 0

    def run(self, name: str, value: Any, instance: str = "test") -> Any:
        """Run an orchestration to its end, and return its output."""
        self.instances[instance] = value
        while True:
            ended, output = self._generation(name, value, instance)
            if ended:
                return output
            value = output

    def called(self, name: str) -> list[Any]:
        """Return the payloads with which an activity was called."""
        return [payload for called, payload in self.calls if called == name]

    def _generation(self, name: str, value: Any, instance: str) -> tuple[bool, Any]:
        history = [self._event(12), self._event(0, Name=name, Version="", Input=json.dumps(value))]
        scheduled: dict[int, dict[str, Any]] = {}
        for _ in range(MOST_TURNS):
            state, wanted = _turn(self.orchestrators[name], instance, value, history)
            self.longest_history = max(self.longest_history, len(history))
            if "customStatus" in state:
                self.statuses.append(state["customStatus"])
            again = _continue_as_new(state)
            if again is not None:
                return False, again
            if state["isDone"]:
                return True, state.get("output")
            fresh = {number: action for number, action in wanted.items() if number not in scheduled}
            scheduled |= fresh
            history.append(self._event(12))
            history += self._answers(fresh, instance) or [self._next_wake(scheduled, history)]
        raise AssertionError(f"{name} did not end within {MOST_TURNS} turns")

    def _answers(self, fresh: dict[int, dict[str, Any]], instance: str) -> list[dict[str, Any]]:
        events = []
        for number, action in fresh.items():
            kind = action["actionType"]
            if kind == ActionType.CALL_ACTIVITY:
                events += [
                    self._event(4, number, Name=action["functionName"]),
                    self._activity(number, action),
                ]
            elif kind == ActionType.CALL_SUB_ORCHESTRATOR:
                child = action.get("instanceId") or f"{instance}:{number}"
                events += [self._event(7, number, Name=action["functionName"], InstanceId=child)]
                events += [self._child(number, action, child)]
        return events

    def _child(self, number: int, action: dict[str, Any], child: str) -> dict[str, Any]:
        try:
            output = self.run(action["functionName"], json.loads(action["input"]), child)
        except Exception as error:
            if RAISED_MARK not in str(error):
                raise
            return self._event(9, TaskScheduledId=number, Reason=str(error), Details="a stack trace")
        return self._event(8, TaskScheduledId=number, Result=json.dumps(output))

    def _activity(self, number: int, action: dict[str, Any]) -> dict[str, Any]:
        payload = json.loads(action["input"])
        self.calls.append((action["functionName"], payload))
        try:
            result = json.dumps(self.activities[action["functionName"]](payload))
        except LostWorkerError as error:
            return self._event(6, TaskScheduledId=number, Reason=str(error), Details="a stack trace")
        return self._event(5, TaskScheduledId=number, Result=result)

    def _next_wake(
        self, scheduled: dict[int, dict[str, Any]], history: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """Raise an event, or let the earliest timer fire."""
        event = self.interrupt(self)
        if event is not None:
            return self._event(15, Name=event, Input="null")
        fired = {entry["TimerId"] for entry in history if entry["EventType"] == 11}
        open_timers = {
            number: datetime.fromisoformat(action["fireAt"].replace("Z", "+00:00"))
            for number, action in scheduled.items()
            if action["actionType"] == ActionType.CREATE_TIMER and number not in fired
        }
        number, fire_at = min(open_timers.items(), key=lambda timer: timer[1])
        self.slept.append((fire_at - self.now).total_seconds())
        self.now = max(self.now, fire_at)
        history[-1] = self._event(12)
        return self._event(11, TimerId=number, FireAt=fire_at.isoformat())

    def _event(self, kind: int, number: int = -1, **fields: Any) -> dict[str, Any]:
        self.now += timedelta(microseconds=1)
        return {
            "EventType": kind,
            "EventId": number,
            "IsPlayed": False,
            "Timestamp": self.now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            **fields,
        }


class LostWorkerError(Exception):
    """Raised by a substitute activity to end as a worker does that runs out of memory."""


def _turn(
    handle: Callable[..., Any], instance: str, value: Any, history: list[dict[str, Any]]
) -> tuple[dict[str, Any], dict[int, dict[str, Any]]]:
    """Replay a history; return the SDK's answer, and what the orchestrator waits for by task number."""
    body = {
        "history": history,
        "input": json.dumps(value),
        "instanceId": instance,
        "isReplaying": False,
        "parentInstanceId": None,
        "upperSchemaVersion": 1,
        "upperSchemaVersionNew": 2,
    }
    context = DurableOrchestrationContext.from_json(json.dumps(body))
    state = json.loads(Orchestrator(handle).handle(context))
    open_tasks = {
        number: task for number, task in context.open_tasks.items() if isinstance(number, int) and number >= 0
    }
    return state, {number: task._get_action().to_json() for number, task in sorted(open_tasks.items())}


def _continue_as_new(state: dict[str, Any]) -> Any:
    for action in state["actions"][0]:
        if action["actionType"] == ActionType.CONTINUE_AS_NEW:
            return json.loads(action["input"])
    return None


def orchestrator_functions(*modules: Any) -> dict[str, Callable[..., Any]]:
    """Return the orchestrators that modules register, by name."""
    functions = {}
    for module in modules:
        for builder in module.blueprint._function_builders:
            function = builder._function
            trigger = function.get_trigger()
            if trigger.type == "orchestrationTrigger":
                functions[trigger.orchestration] = function.get_user_function().orchestrator_function
    return functions
