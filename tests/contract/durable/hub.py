"""Where orchestrations of scenarios run, with activities that answer from this process."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import azure.durable_functions as df
from azure.durable_functions.models.utils.http_utils import _close_session

from tests.contract.polling import HANG_SECONDS

ENDED = ("Completed", "Failed", "Terminated")
POLL_SECONDS = 0.05
Scenario = Callable[["Hub"], Awaitable[None]]


class Activities:
    """What the scenarios' activities answer, and what they were called with."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.answers: dict[str, Any] = {}
        self.gates: dict[tuple[str, str], threading.Event] = {}

    def named(self) -> Mapping[str, Callable[[Any], Any]]:
        """Return the activities by name: payload in, answer out."""
        return {"note": self._note, "start_job": self._start, "look_at_job": self._look, "fail": self._fail}

    def gate(self, activity: str, name: str) -> threading.Event:
        """Let an activity's calls with a name wait until the event is set."""
        return self.gates.setdefault((activity, name), threading.Event())

    def of(self, name: str) -> list[str]:
        """Return the activities called with a name."""
        return [activity for activity, value in self.calls if value == name]

    def _note(self, name: str) -> str:
        return self._called("note", name)

    def _start(self, payload: Any) -> Any:
        return {"value": self._called("start_job", payload["job"])}

    def _look(self, payload: Any) -> Any:
        name = self._called("look_at_job", payload["job"])
        return self.answers.get(name, {"value": {"state": "running", "progress": {"looked": True}}})

    def _fail(self, text: str) -> None:
        raise RuntimeError(text)

    def _called(self, activity: str, name: str) -> str:
        self.calls.append((activity, name))
        gate = self.gates.get((activity, name))
        if gate:
            gate.wait(HANG_SECONDS)
        return name


class Hub:
    """A place where orchestrations run, and the ways in which scenarios use it.

    Args:
        binding: what the client binding hands a function there.
        activities: that run there.
    """

    def __init__(self, binding: str, activities: Activities) -> None:
        self.client = df.DurableOrchestrationClient(binding)
        self.activities = activities

    async def start(self, orchestration: str, instance: str, value: Any = None) -> None:
        """Start an orchestration."""
        assert await self.client.start_new(orchestration, instance, value) == instance

    async def reach(self, instance: str, *states: str) -> Any:
        """Return an instance's status once it is in one of some states."""

        async def look() -> Any:
            status = await self.client.get_status(instance, show_input=True)
            return status if status and status.runtime_status.value in states else None

        return await until(look)

    async def end(self, instance: str) -> Any:
        """Return an instance's status once it has ended."""
        return await self.reach(instance, *ENDED)

    async def called(self, activity: str, name: str, count: int) -> None:
        """Wait until an activity was called so often with a name."""

        async def look() -> bool:
            return self.activities.of(name).count(activity) >= count

        await until(look)

    async def wait_for_status(self, instance: str, shown: Any) -> Any:
        """Return an instance's status once its custom status is as wanted."""

        async def look() -> Any:
            status = await self.client.get_status(instance)
            return status if status and status.custom_status == shown else None

        return await until(look)

    async def refusal(self, call: Awaitable[Any]) -> str:
        """Return with what text a call is refused."""
        try:
            await call
        except Exception as error:
            return str(error)
        raise AssertionError("the call was not refused")


async def until(look: Callable[[], Awaitable[Any]]) -> Any:
    """Return the first true answer."""
    async with asyncio.timeout(HANG_SECONDS):
        while not (answer := await look()):
            await asyncio.sleep(POLL_SECONDS)
        return answer


def run(scenario: Scenario, hub: Hub) -> None:
    """Run a scenario; the SDK's session is of one event loop only."""

    async def whole() -> None:
        try:
            await scenario(hub)
        finally:
            await _close_session()

    asyncio.run(whole())
