"""Durable's orchestration instances: starting and waking them, and how they stand."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from azure.durable_functions.models.OrchestrationRuntimeStatus import OrchestrationRuntimeStatus

from d2c.errors import PermanentError

STATE_OF_RUNTIME_STATUS = {
    "Pending": "pending",
    "Running": "running",
    "ContinuedAsNew": "running",
    "Suspended": "running",
    "Failed": "failed",
    "Terminated": "cancelled",
    "Canceled": "cancelled",
}

GOES_ON = ("Pending", "Running", "ContinuedAsNew", "Suspended")


class Snapshot:
    """What one call told of a migration's orchestrations that go on; what it did not tell is asked for.

    Durable tells one page, and an orchestration may have ended since, so one that is not in it may be there.

    Args:
        client: Durable's.
        told: the statuses by the instances' ids.
    """

    def __init__(self, client: Any, told: Mapping[str, Any]) -> None:
        self._client = client
        self._told = told

    async def status(self, *names: str) -> Any:
        """Return the status of the first of some instances that there is, or None."""
        for instance in names:
            if instance in self._told:
                return self._told[instance]
        for instance in names:
            status = await self._client.get_status(instance)
            if status:
                return status
        return None


async def snapshot(client: Any, migration: str) -> Snapshot:
    """Return how the orchestrations of a migration's tables and stages stand that go on, by one call.

    Args:
        client: Durable's.
        migration: its id, which the ids of its orchestrations begin with.
    """
    states = [OrchestrationRuntimeStatus(state) for state in GOES_ON]
    told = await client.get_status_by(runtime_status=states, instance_id_prefix=f"{migration}:")
    return Snapshot(client, {status.instance_id: status for status in told})


async def start(client: Any, orchestration: str, instance: str, value: dict[str, Any]) -> None:
    """Start an orchestration, in place of one that has ended, unless another call has started it a moment before."""
    try:
        await client.start_new(orchestration, instance_id=instance, client_input=value)
    except Exception:
        # The SDK raises a bare Exception for every refusal.
        if not await is_under_way(client, instance):
            raise


async def wake(client: Any, instance: str) -> None:
    """Wake an orchestration that waits in `run_to_its_end`, if it is under way."""
    if not await is_under_way(client, instance):
        return
    try:
        await client.raise_event(instance, "wake", None)
    except Exception:
        # The SDK raises a bare Exception for every refusal; what has ended meanwhile needs no waking.
        if await is_under_way(client, instance):
            raise


async def terminate(client: Any, instance: str, reason: str) -> None:
    """End an orchestration that has not ended yet; what it has started outside goes on."""
    if goes_on(await client.get_status(instance)):
        await client.terminate(instance, reason)


def goes_on(status: Any) -> bool:
    """Tell whether an orchestration has neither ended nor been forgotten; one that Durable suspended goes on later."""
    return bool(status) and runtime_status(status) in GOES_ON


async def is_under_way(client: Any, instance: str) -> bool:
    """Tell whether an orchestration has neither ended nor been forgotten."""
    status = await client.get_status(instance)
    return bool(status) and runtime_status(status) in ("Pending", "Running", "ContinuedAsNew")


def broken_off(state: str, output: Any) -> dict[str, Any]:
    """Describe an orchestration that ended without a result; its output may go on with a stack trace."""
    cause = (str(output or "").strip().splitlines() or ["no reason was given"])[0]
    error = PermanentError(
        f"The orchestration ended without a result: {cause}",
        "See the app's log, then start the migration again under another name.",
    )
    return {**error.to_dict(), "cancelled": state == "cancelled"}


def times_and_state(status: Any) -> dict[str, Any]:
    """Return ``state``, ``started_at`` and ``finished_at`` of an orchestration."""
    state = state_of(status)
    ended = state not in ("pending", "running")
    return {
        "state": state,
        "started_at": _time(status.created_time),
        "finished_at": _time(status.last_updated_time) if ended else None,
    }


async def state_or_none(client: Any, instance: str) -> str | None:
    """Return an orchestration's state, or None if there is no such one."""
    status = await client.get_status(instance)
    return state_of(status) if status else None


def state_of(status: Any) -> str:
    """Return an orchestration's state in the words of the HTTP API."""
    if runtime_status(status) == "Completed":
        return str(status.output["state"])
    return STATE_OF_RUNTIME_STATUS[runtime_status(status)]


def runtime_status(status: Any) -> str:
    """Return what Durable calls an orchestration's state."""
    return str(status.runtime_status.value)


def _time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="seconds")
