"""Migrations as the HTTP API speaks of them, put together from the lake and from Durable's instances."""

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Any

from d2c import lake_paths
from d2c.clients.lake import Lake, connect_lake
from d2c.errors import ConflictError, NotFoundError
from d2c.plan import Plan
from d2c.progress import describe_table, pending_table
from d2c.run_keys import stage_instance_id, table_instance_id
from d2c.settings import app_settings

# Stages that wait in an orchestration of their own, which an event can wake.
WAITING_STAGES = ("export", "copy", "prepare", "load")
INSTANCE_OF_STAGE = {"assess": "load", "verify": "load"}
STATE_OF_RUNTIME_STATUS = {
    "Pending": "pending",
    "Running": "running",
    "ContinuedAsNew": "running",
    "Suspended": "running",
    "Failed": "failed",
    "Terminated": "cancelled",
    "Canceled": "cancelled",
}


async def start(client: Any, plan: Plan) -> None:
    """Start a plan's migration unless it runs already.

    Raises:
        ConflictError: if another plan, or a migration that has ended, has the name.
    """
    lake = connect_lake(app_settings())
    accepted_at = datetime.now(UTC).isoformat(timespec="milliseconds")
    accepted = {"plan": plan.model_dump(mode="json", exclude_none=True), "accepted_at": accepted_at}
    body = json.dumps({**accepted, "digest": plan.digest()}, indent=1).encode()
    is_new = await asyncio.to_thread(lake.create, lake_paths.plan_path(plan.name), body)
    if not is_new:
        found = await asyncio.to_thread(lake.read_json, lake_paths.plan_path(plan.name))
        if found["digest"] != plan.digest():
            raise ConflictError(
                f"Another plan has the name {plan.name}.",
                "Give this plan another name, or post the other one again.",
            )
        state = await _state(client, plan.name)
        if state in ("pending", "running"):
            return
        if state is not None:
            raise ConflictError(
                f"Migration {plan.name} has run already and is {state}.",
                "To run it again, give the plan another name.",
            )
    # The index entry comes before the instance: what runs is listed, even after a crash between the two.
    entry = lake_paths.index_path(plan.name, time.time_ns() // 1_000_000)
    await asyncio.to_thread(lake.write, entry, b"")
    await client.start_new("migrate", instance_id=plan.name, client_input=_orchestration_input(plan))


def _orchestration_input(plan: Plan) -> dict[str, Any]:
    polling = app_settings().polling
    return {
        "migration": plan.name,
        "tables": plan.table_inputs(),
        "max_parallel_tables": plan.max_parallel_tables,
        "waits": {
            "first_seconds": polling.first_seconds,
            "factor": polling.factor,
            "longest_seconds": polling.longest_seconds,
        },
    }


async def page(client: Any, size: int, token: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """Return one page of migrations, newest first, and the next page's token or None."""
    lake = connect_lake(app_settings())
    entries, following = await asyncio.to_thread(lake.page, lake_paths.MIGRATIONS_BY_TIME, size, token)
    ids = [lake_paths.migration_of_index(entry) for entry in entries]
    statuses = await asyncio.gather(*(client.get_status(migration) for migration in ids))
    rows = [
        {"id": migration, **_times_and_state(status)} for migration, status in zip(ids, statuses, strict=True)
    ]
    return rows, following


async def state_of(client: Any, migration: str) -> str:
    """Return a migration's state.

    Raises:
        NotFoundError: if there is no such migration.
    """
    state = await _state(client, migration)
    if state is None:
        raise NotFoundError(
            f"There is no migration {migration}.", "GET /api/migrations lists those that there are."
        )
    return state


async def status_of(client: Any, migration: str) -> dict[str, Any]:
    """Return how a migration and each of its tables stand; ``instance`` of a table is its orchestration's id.

    Raises:
        NotFoundError: if there is no such migration.
    """
    await state_of(client, migration)
    status = await client.get_status(migration)
    plan = await _plan(connect_lake(app_settings()), migration)
    tables = await asyncio.gather(
        *(_table_status(client, migration, entry["table"]) for entry in plan["tables"])
    )
    return {"id": migration, **_times_and_state(status), "tables": tables}


async def cancel(client: Any, migration: str) -> None:
    """Mark a migration as cancelled, and wake what waits so that it sees the mark at once."""
    lake = connect_lake(app_settings())
    mark = json.dumps({"cancelled_at": datetime.now(UTC).isoformat(timespec="seconds")}).encode()
    await asyncio.to_thread(lake.create, lake_paths.cancel_path(migration), mark)
    plan = await _plan(lake, migration)
    await asyncio.gather(*(wake(client, migration, entry["table"]) for entry in plan["tables"]))


async def wake(client: Any, migration: str, table: str, stages: tuple[str, ...] = WAITING_STAGES) -> None:
    """Make the stages of a table that wait look at once instead of at their next interval."""
    for stage in stages:
        instance = stage_instance_id(migration, table, stage)
        status = await client.get_status(instance)
        if status and _runtime_status(status) in ("Pending", "Running", "ContinuedAsNew"):
            await client.raise_event(instance, "wake", None)


async def _table_status(client: Any, migration: str, table: str) -> dict[str, Any]:
    instance = table_instance_id(migration, table)
    status = await client.get_status(instance)
    if not status:
        return {**pending_table(table), "instance": instance}
    shown = status.custom_status or {}
    stage = shown.get("stage", "export")
    progress = None
    if _runtime_status(status) == "Running":
        waiting = await client.get_status(
            stage_instance_id(migration, table, INSTANCE_OF_STAGE.get(stage, stage))
        )
        progress = waiting.custom_status if waiting else None
    output = status.output if isinstance(status.output, dict) else None
    state = output["state"] if output else STATE_OF_RUNTIME_STATUS.get(_runtime_status(status), "failed")
    error = output["error"] if output else None
    return {**describe_table(table, state, shown, progress, error), "instance": instance}


def _times_and_state(status: Any) -> dict[str, Any]:
    state = _state_of(status) if status else "pending"
    ended = state not in ("pending", "running")
    return {
        "state": state,
        "started_at": _time(status.created_time) if status else None,
        "finished_at": _time(status.last_updated_time) if status and ended else None,
    }


async def _state(client: Any, migration: str) -> str | None:
    status = await client.get_status(migration)
    return _state_of(status) if status else None


def _state_of(status: Any) -> str:
    if _runtime_status(status) == "Completed":
        return str(status.output["state"])
    return STATE_OF_RUNTIME_STATUS[_runtime_status(status)]


def _runtime_status(status: Any) -> str:
    return str(status.runtime_status.value)


def _time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="seconds")


async def _plan(lake: Lake, migration: str) -> dict[str, Any]:
    accepted = await asyncio.to_thread(lake.read_json, lake_paths.plan_path(migration))
    if accepted is None:
        raise NotFoundError(
            f"The plan of migration {migration} is not in the lake.",
            "Look for it in the lake's migrations folder.",
        )
    plan: dict[str, Any] = accepted["plan"]
    return plan
