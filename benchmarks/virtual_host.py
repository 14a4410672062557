"""A Durable host in memory with a clock of its own: orchestrations through the real SDK, and time passes at once.

An orchestration's history begins anew when it continues as new.
"""

import heapq
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from benchmarks.replaying import (
    CHILD_COMPLETED,
    CHILD_CREATED,
    CHILD_FAILED,
    EVENT_RAISED,
    EXECUTION_STARTED,
    ORCHESTRATOR_STARTED,
    RAISED_MARK,
    TASK_COMPLETED,
    TASK_SCHEDULED,
    TIMER_CREATED,
    TIMER_FIRED,
    Action,
    History,
    Live,
    continued_with,
    is_activity,
    is_child,
    is_timer,
)

BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
# Until the host gives an activity whose worker was lost to another one.
LOST_SECONDS = 60.0


@dataclass
class Orchestration:
    """An orchestration: what its present history consists of, and where its result goes."""

    name: str
    instance: str
    value: Any
    parent: tuple["Orchestration", int] | None = None
    history: History = field(default_factory=list)
    size: int = 0  # bytes of the history
    generation: int = 0
    known: set[int] = field(default_factory=set)  # tasks that it waits for or has waited for
    arrived: History = field(default_factory=list)  # events for the next turn
    live: Live | None = None
    has_ended: bool = False
    output: Any = None


class VirtualHost:
    """Runs orchestrations on a clock that jumps to whatever comes next.

    Args:
        orchestrators: the functions by name.
        activities: by name: payload in, answer out.
        seconds: how long a call of an activity takes.
        replays: whether every turn replays its whole history, as a host does; if not, the figures are the same, sooner.
        is_lost: asked for each call; where true, the worker dies as it has done its work, and the host calls it again.
    """

    def __init__(
        self,
        orchestrators: Mapping[str, Callable[..., Any]],
        activities: Mapping[str, Callable[[Any], Any]],
        *,
        seconds: float = 0.0,
        replays: bool = True,
        is_lost: Callable[[str, Any], bool] = lambda name, payload: False,
    ) -> None:
        self.now = BEGIN
        self.turns = 0
        self.calls: Counter[str] = Counter()
        self.largest: dict[str, int] = {}  # the longest history in bytes, by orchestrator
        self.orchestrations: dict[str, Orchestration] = {}
        self._orchestrators, self._activities = orchestrators, activities
        self._seconds, self._replays, self._is_lost = seconds, replays, is_lost
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = count()

    @property
    def elapsed(self) -> float:
        """The seconds since the clock began."""
        return (self.now - BEGIN).total_seconds()

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something after some seconds."""
        self._at(self.now + timedelta(seconds=seconds), act)

    def start(
        self, name: str, value: Any, instance: str, parent: tuple[Orchestration, int] | None = None
    ) -> Orchestration:
        """Start an orchestration; `run` runs it."""
        orchestration = Orchestration(name, instance, value, parent)
        self.orchestrations[instance] = orchestration
        self._begin(orchestration)
        return orchestration

    def wake(self, instance: str, event: str = "wake") -> None:
        """Raise an event for an orchestration; nothing if it has ended."""
        orchestration = self.orchestrations.get(instance)
        if orchestration and not orchestration.has_ended:
            self._deliver(orchestration, self._event(EVENT_RAISED, Name=event, Input="null"))

    def run(self) -> None:
        """Go on until nothing can happen any more."""
        while self._agenda:
            self.now, _, act = heapq.heappop(self._agenda)
            act()

    def _at(self, moment: datetime, act: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (max(moment, self.now), next(self._order), act))

    def _begin(self, orchestration: Orchestration) -> None:
        orchestration.history, orchestration.size = [], 0
        orchestration.known, orchestration.live = set(), None
        orchestration.generation += 1
        kept = [event for event in orchestration.arrived if event["EventType"] == EVENT_RAISED]
        started = self._event(
            EXECUTION_STARTED, Name=orchestration.name, Version="", Input=json.dumps(orchestration.value)
        )
        orchestration.arrived = []
        for event in (started, *kept):
            self._deliver(orchestration, event)

    def _deliver(self, orchestration: Orchestration, event: dict[str, Any]) -> None:
        """Give an orchestration an event; those of one moment share a turn."""
        if not orchestration.arrived:
            self._at(self.now, lambda: self._turn(orchestration))
        orchestration.arrived.append(event)

    def _turn(self, orchestration: Orchestration) -> None:
        if not orchestration.arrived or orchestration.has_ended:
            return
        events = [self._event(ORCHESTRATOR_STARTED), *orchestration.arrived]
        self._write(orchestration, *events)
        orchestration.arrived = []
        self.turns += 1
        try:
            live = self._live(orchestration, events)
        except Exception as failure:
            if RAISED_MARK not in str(failure):
                raise
            self._end(orchestration, CHILD_FAILED, Reason=str(failure), Details="a stack trace")
            return
        again = continued_with(live.state)
        if again is not None:
            orchestration.value = again
            self._begin(orchestration)
        elif live.state["isDone"]:
            orchestration.output = live.state.get("output")
            self._end(orchestration, CHILD_COMPLETED, Result=json.dumps(orchestration.output))
        else:
            wanted = live.wanted()
            for number in wanted.keys() - orchestration.known:
                self._schedule(orchestration, number, wanted[number])
            orchestration.known |= wanted.keys()

    def _live(self, orchestration: Orchestration, events: History) -> Live:
        if orchestration.live and not self._replays:
            orchestration.live.go_on(events)
        else:
            function = self._orchestrators[orchestration.name]
            orchestration.live = Live(
                function, orchestration.instance, orchestration.value, orchestration.history
            )
        return orchestration.live

    def _write(self, orchestration: Orchestration, *events: dict[str, Any]) -> None:
        orchestration.history += events
        orchestration.size += sum(len(json.dumps(event)) for event in events)
        largest = max(self.largest.get(orchestration.name, 0), orchestration.size)
        self.largest[orchestration.name] = largest

    def _end(self, orchestration: Orchestration, kind: int, **fields: Any) -> None:
        orchestration.has_ended, orchestration.live = True, None
        if orchestration.parent:
            parent, number = orchestration.parent
            self._deliver(parent, self._event(kind, TaskScheduledId=number, **fields))

    def _schedule(self, orchestration: Orchestration, number: int, action: Action) -> None:
        name, given = action.get("functionName"), action.get("input")
        if is_activity(action):
            self._write(orchestration, self._event(TASK_SCHEDULED, number, Name=name, Input=given))
            self._call(orchestration, number, str(name), json.loads(str(given)))
        elif is_child(action):
            instance = action.get("instanceId") or f"{orchestration.instance}:{number}"
            created = self._event(CHILD_CREATED, number, Name=name, InstanceId=instance, Input=given)
            self._write(orchestration, created)
            self.start(str(name), json.loads(str(given)), instance, (orchestration, number))
        elif is_timer(action):
            moment = datetime.fromisoformat(action["fireAt"].replace("Z", "+00:00"))
            generation = orchestration.generation
            self._write(orchestration, self._event(TIMER_CREATED, number, FireAt=action["fireAt"]))

            def fire() -> None:
                if orchestration.generation == generation and not orchestration.has_ended:
                    fired = self._event(TIMER_FIRED, TimerId=number, FireAt=action["fireAt"])
                    self._deliver(orchestration, fired)

            self._at(moment, fire)

    def _call(self, orchestration: Orchestration, number: int, name: str, payload: Any) -> None:
        def work() -> None:
            self.calls[name] += 1
            answer = self._activities[name](payload)
            if self._is_lost(name, payload):
                self.after(LOST_SECONDS, work)
                return
            completed = self._event(TASK_COMPLETED, TaskScheduledId=number, Result=json.dumps(answer))
            self._deliver(orchestration, completed)

        self.after(self._seconds, work)

    def _event(self, kind: int, number: int = -1, **fields: Any) -> dict[str, Any]:
        return {
            "EventType": kind,
            "EventId": number,
            "IsPlayed": False,
            "Timestamp": self.now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            **fields,
        }
