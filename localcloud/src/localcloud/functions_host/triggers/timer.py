"""Timer triggers: at most one invocation of a timer at a time, and one missed while the host was down is made up for.

As the extension does, a schedule that comes at least once a minute is not remembered over a restart, an invocation
that a crash interrupts is past due at the next start, and occurrences during an invocation are left out.
"""

import asyncio
import json
import logging
import os
from dataclasses import dataclass
from datetime import UTC, datetime

from localcloud.functions_host.app import App, AppError, resolve_settings
from localcloud.functions_host.durable.store import Store
from localcloud.functions_host.triggers.schedule import Schedule

logger = logging.getLogger(__name__)
# The longest sleep: a clock that is set forward is noticed within it.
LONGEST_SLEEP_SECONDS = 1.0
# How .NET writes a time that was never set.
NEVER = "0001-01-01T00:00:00+00:00"


@dataclass(frozen=True)
class Status:
    """When a timer fired last (None: never), when it fires next, and from when on that is counted; epoch seconds."""

    last: float | None
    next: float
    updated: float


class TimerTrigger:
    """One function with a timer trigger.

    Args:
        app: the app.
        store: keeps when it fired, and has the clock.
        name: the function's name.

    Raises:
        AppError: if its schedule is not one, or a time zone is set.
    """

    def __init__(self, app: App, store: Store, name: str) -> None:
        if os.environ.get("WEBSITE_TIME_ZONE"):
            raise AppError("Schedules are in UTC here: unset WEBSITE_TIME_ZONE.")
        self._app = app
        self._store = store
        self._name = name
        self._function = app.of_type("timerTrigger")[name]
        trigger = self._function.get_trigger()
        self._schedule = Schedule(resolve_settings(trigger.schedule))
        self._at_start = bool(trigger.run_on_startup)
        remembered = trigger.use_monitor is not False
        self._remembers = remembered and not self._schedule.within_a_minute(store.clock())
        self._status = self._recall(store.clock())

    async def run(self) -> None:
        """Fire at every occurrence, for ever."""
        await self.begin()
        while True:
            await self.fire_if_due()
            wait = self._status.next - self._store.clock()
            await asyncio.sleep(min(max(wait, 0.0), LONGEST_SLEEP_SECONDS))

    async def begin(self) -> None:
        """Make up for what was missed while the host was down, if it was; fire if it is to fire at the start."""
        if self._store.clock() > self._status.next:
            await self._fire(past_due=True)
        elif self._at_start:
            await self._fire(past_due=False)

    async def fire_if_due(self) -> None:
        """Fire once if an occurrence has come, however many have passed."""
        if self._store.clock() >= self._status.next:
            await self._fire(past_due=False)

    async def _fire(self, *, past_due: bool) -> None:
        fired_at = self._store.clock()
        try:
            await self._app.invoke(self._function, self._request(past_due))
        except Exception:
            logger.exception("Function %s failed", self._name)
        self._keep(Status(fired_at, self._schedule.after(fired_at), fired_at))

    def _request(self, past_due: bool) -> str:
        """Return what the extension sends to the worker."""
        status = self._status
        times = {"Last": status.last, "Next": status.next, "LastUpdated": status.updated}
        sent = {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": {name: _text(moment) for name, moment in times.items()}
            if self._remembers
            else None,
            "IsPastDue": past_due,
        }
        return json.dumps(sent)

    def _recall(self, now: float) -> Status:
        """Return the timer's state at the host's start; a changed schedule starts over."""
        rows = self._store.read("select last, next, updated from timers where name=?", self._name)
        if self._remembers and rows:
            status = Status(*rows[0])
            counted_from = status.updated if status.last is None else status.last
            if status.next == self._schedule.after(counted_from):
                return status
        status = Status(None, self._schedule.after(now), now)
        self._keep(status)
        return status

    def _keep(self, status: Status) -> None:
        self._status = status
        if not self._remembers:
            return
        with self._store.transaction() as connection:
            connection.execute(
                "insert or replace into timers values(?,?,?,?)",
                (self._name, status.last, status.next, status.updated),
            )


def _text(moment: float | None) -> str:
    if moment is None:
        return NEVER
    return datetime.fromtimestamp(moment, UTC).isoformat()
