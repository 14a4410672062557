"""Durable's orchestration instances: starting, waking and terminating them, and their state."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, TypedDict

from azure.durable_functions.models.OrchestrationRuntimeStatus import OrchestrationRuntimeStatus

from d2c.errors import PermanentError
from d2c.shapes import ErrorDict

STATE_OF_RUNTIME_STATUS = {
    "Pending": "pending",
    "Running": "running",
    "ContinuedAsNew": "running",
    "Suspended": "running",
    "Failed": "failed",
    "Terminated": "cancelled",
    "Canceled": "cancelled",
}

NOT_ENDED = ("Pending", "Running", "ContinuedAsNew", "Suspended")
UNDER_WAY = ("Pending", "Running", "ContinuedAsNew")


class DurableClient(Protocol):
    """The part of `DurableOrchestrationClient` that the app uses."""

    async def get_status(self, instance_id: str, *, show_input: bool = False) -> Any:
        """Return an instance's status, which is falsy if there is no such instance."""

    async def get_status_by(
        self, *, runtime_status: list[OrchestrationRuntimeStatus], instance_id_prefix: str
    ) -> Sequence[Any]:
        """Return the statuses of all instances in some states."""

    async def start_new(self, orchestration: str, *, instance_id: str, client_input: Any) -> str:
        """Start an instance."""

    async def terminate(self, instance_id: str, reason: str) -> None:
        """Terminate an instance."""

    async def raise_event(self, instance_id: str, event: str, data: Any) -> None:
        """Send an event to an instance."""

    def create_http_management_payload(self, instance_id: str) -> dict[str, str]:
        """Return Durable's own addresses of an instance."""


class Snapshot:
    """The statuses of a migration's active orchestrations from one call; a status that is missing is requested alone.

    An orchestration may have ended since, so one that is missing may exist.

    Args:
        client: Durable's.
        statuses: by the instances' ids.
    """

    def __init__(self, client: DurableClient, statuses: Mapping[str, Any]) -> None:
        self._client = client
        self._statuses = statuses

    async def status(self, *names: str) -> Any:
        """Return the status of the first of some instances that exists, or None."""
        for instance in names:
            if instance in self._statuses:
                return self._statuses[instance]
        for instance in names:
            status = await self._client.get_status(instance)
            if status:
                return status
        return None


async def snapshot(client: DurableClient, migration: str) -> Snapshot:
    """Return the statuses of the active orchestrations of a migration's tables and stages, by one call.

    Args:
        client: Durable's.
        migration: its id, which the ids of its orchestrations begin with.
    """
    states = [OrchestrationRuntimeStatus(state) for state in NOT_ENDED]
    found = await client.get_status_by(runtime_status=states, instance_id_prefix=f"{migration}:")
    return Snapshot(client, {status.instance_id: status for status in found})


async def start(client: DurableClient, orchestration: str, instance: str, value: Mapping[str, Any]) -> None:
    """Start an orchestration, in place of an ended one, unless another call has started it a moment before."""
    try:
        await client.start_new(orchestration, instance_id=instance, client_input=value)
    except Exception:
        # The SDK raises a bare Exception for every refusal.
        if not await is_under_way(client, instance):
            raise


async def wake(client: DurableClient, instance: str) -> None:
    """Wake an orchestration that waits in `run_to_its_end`, if it is under way."""
    if not await is_under_way(client, instance):
        return
    try:
        await client.raise_event(instance, "wake", None)
    except Exception:
        # The SDK raises a bare Exception for every refusal; an orchestration that has ended needs no waking.
        if await is_under_way(client, instance):
            raise


async def terminate(client: DurableClient, instance: str, reason: str) -> None:
    """Terminate an orchestration that has not ended yet; the external runs that it started continue."""
    if has_not_ended(await client.get_status(instance)):
        await client.terminate(instance, reason)


def has_not_ended(status: Any) -> bool:
    """Return whether an orchestration exists and has not ended; one that Durable suspended has not."""
    return bool(status) and runtime_status(status) in NOT_ENDED


async def is_under_way(client: DurableClient, instance: str) -> bool:
    """Return whether an orchestration exists, has not ended and is not suspended by Durable."""
    status = await client.get_status(instance)
    return bool(status) and runtime_status(status) in UNDER_WAY


def broken_off(state: str, output: Any) -> ErrorDict:
    """Return the error of an orchestration that ended without a result; its output may end with a stack trace."""
    cause = (str(output or "").strip().splitlines() or ["no reason was given"])[0]
    error = PermanentError(
        f"The orchestration ended without a result: {cause}",
        "See the app's log, then start the migration again under another name.",
    )
    return {**error.to_dict(), "cancelled": state == "cancelled"}


class TimesAndState(TypedDict):
    """An orchestration's state and times, in the words of the HTTP API."""

    state: str
    started_at: str
    finished_at: str | None


def times_and_state(status: Any) -> TimesAndState:
    """Return ``state``, ``started_at`` and ``finished_at`` of an orchestration."""
    state = state_of(status)
    ended = state not in ("pending", "running")
    return {
        "state": state,
        "started_at": _time(status.created_time),
        "finished_at": _time(status.last_updated_time) if ended else None,
    }


async def state_or_none(client: DurableClient, instance: str) -> str | None:
    """Return an orchestration's state, or None if it does not exist."""
    status = await client.get_status(instance)
    return state_of(status) if status else None


def state_of(status: Any) -> str:
    """Return an orchestration's state in the words of the HTTP API."""
    if runtime_status(status) == "Completed":
        return str(status.output["state"])
    return STATE_OF_RUNTIME_STATUS[runtime_status(status)]


def runtime_status(status: Any) -> str:
    """Return an orchestration's state in Durable's words."""
    return str(status.runtime_status.value)


def _time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="seconds")
