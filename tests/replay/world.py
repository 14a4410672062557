"""Runs orchestrators turn by turn through the real Durable SDK, with substitute activities and a clock of its own.

Every turn replays the whole history, as a host does, so an orchestrator that is not deterministic shows itself: the
world checks that a turn asks again for all that earlier turns asked for.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.replaying import RAISED_MARK, continued_with, is_activity, is_child, is_timer, turn

MOST_TURNS = 500


@dataclass
class World:
    """What surrounds an orchestration under test.

    Args:
        activities: substitutes by name: payload in, answer out; one that raises fails as a lost worker does.
        orchestrators: the functions by name, as they are registered.
        interrupt: asked before a timer fires; returns the name of an event to raise instead, or None.
        backwards: whether what is asked for at once is answered in the opposite order.
        raised: events that an activity has raised, which come before its answer.
    """

    activities: dict[str, Callable[[Any], Any]]
    orchestrators: dict[str, Callable[..., Any]]
    interrupt: Callable[["World"], str | None] = lambda world: None
    backwards: bool = False
    raised: list[str] = field(default_factory=list)
    now: datetime = datetime(2026, 6, 1, tzinfo=UTC)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    statuses: list[Any] = field(default_factory=list)
    shown: list[Any] = field(default_factory=list)
    instances: dict[str, Any] = field(default_factory=dict)
    longest_history: int = 0
    most_bytes: int = 0

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
            state, wanted = turn(self.orchestrators[name], instance, value, history)
            self.longest_history = max(self.longest_history, len(history))
            self.most_bytes = max(self.most_bytes, len(json.dumps(history)))
            self.shown.append(state.get("customStatus"))
            if "customStatus" in state:
                self.statuses.append(state["customStatus"])
            again = continued_with(state)
            if again is not None or state["isDone"]:
                assert_no_open_timer(name, wanted)
                return again is None, state.get("output") if again is None else again
            fresh = {number: action for number, action in wanted.items() if number not in scheduled}
            scheduled |= fresh
            history.append(self._event(12))
            history += self._answers(fresh, instance) or [self._next_wake(scheduled, history)]
        raise AssertionError(f"{name} did not end within {MOST_TURNS} turns")

    def _answers(self, fresh: dict[int, dict[str, Any]], instance: str) -> list[dict[str, Any]]:
        events = []
        for number, action in sorted(fresh.items(), reverse=self.backwards):
            if is_activity(action):
                scheduled = self._event(4, number, Name=action["functionName"])
                answer = self._activity(number, action)
                events += [scheduled, *(self._event(15, Name=name, Input="null") for name in self.raised)]
                events += [answer]
                self.raised.clear()
            elif is_child(action):
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
            if is_timer(action) and number not in fired
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


def assert_no_open_timer(name: str, wanted: dict[int, dict[str, Any]]) -> None:
    """Check that no timer is left, for which a host would wait before the orchestration ends.

    https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-timers
    """
    left = [action["fireAt"] for action in wanted.values() if is_timer(action) and not action["isCanceled"]]
    assert not left, f"{name} ends although it still has timers, which fire at {left}"


class LostWorkerError(Exception):
    """Raised by a substitute activity to end as a worker does that runs out of memory."""
