"""Durable's orchestration instances: starting and waking them, and how they stand."""

from datetime import UTC, datetime
from typing import Any

from d2c.errors import StageError

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
    error = StageError(
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
