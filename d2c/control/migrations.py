"""Migrations as the HTTP API speaks of them, put together from the lake and from Durable's instances."""

import asyncio
import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from d2c.app.logs import log_fields
from d2c.app.settings import app_settings
from d2c.clients import durable
from d2c.clients.azure.lake import Lake, connect_lake
from d2c.errors import ConflictError, NotFoundError, PlanError
from d2c.plan.model import NAME, Plan, times_of
from d2c.plan.tables import account_faults
from d2c.state import operations, paths

logger = logging.getLogger(__name__)
UNDER_WAY = ("pending", "running")


async def start(client: Any, plan: Plan, arrived: dict[str, Any] | None = None) -> None:
    """Start a plan's migration unless it runs already.

    Args:
        client: Durable's.
        plan: the plan.
        arrived: the export in the lake that the plan's one table is loaded from, in place of an export of its own.

    Raises:
        ConflictError: if another plan, or a migration that has ended, has the name.
        PlanError: if the app has no role for an AWS account of the plan, which an arrived export does not need.
    """
    settings = app_settings()
    faults = [] if arrived else account_faults(plan, settings.aws)
    if faults:
        raise PlanError(faults)
    lake = connect_lake(settings)
    if not await asyncio.to_thread(lake.exists, paths.plan_path(plan.name)):
        # What a crash from here on leaves accepted and not started, the watch starts.
        await asyncio.to_thread(lake.write, paths.open_path(plan.name), b"")
    accepted = await _accept(lake, plan, arrived)
    if accepted["digest"] != plan.digest():
        raise ConflictError(
            f"Another plan has the name {plan.name}.",
            "Give this plan another name, or post the other one again.",
        )
    state = await durable.state_or_none(client, plan.name)
    if state in UNDER_WAY:
        return
    if state is not None:
        raise ConflictError(
            f"Migration {plan.name} has run already and is {state}.",
            "Retry it if tables failed; to run it again, give the plan another name.",
        )
    # The index entry comes before the instance: what runs is listed, even after a crash between the two.
    accepted_at = datetime.fromisoformat(accepted["accepted_at"])
    entry = paths.index_path(plan.name, int(accepted_at.timestamp() * 1000))
    await asyncio.to_thread(lake.write, entry, b"")
    await begin_round(client, lake, plan, 0)


async def begin_round(client: Any, lake: Lake, plan: Plan, number: int) -> None:
    """Start a round of a migration's work: its first, or a retry.

    Args:
        client: Durable's.
        lake: the lake.
        plan: the migration's.
        number: the round's; what a retry is asked is in the lake.
    """
    await asyncio.to_thread(lake.write, paths.open_path(plan.name), b"")
    value = {"migration": plan.name, "round": number, "times": times_of(plan), "waits": waits()}
    await durable.start(client, "migrate", plan.name, value)
    with log_fields(migration=plan.name):
        logger.info("Round %s of migration %s has begun", number, plan.name)


async def _accept(lake: Lake, plan: Plan, arrived: dict[str, Any] | None) -> dict[str, Any]:
    """Return the plan that has the name, with its digest and when it was accepted: this one where it has none yet."""
    path = paths.plan_path(plan.name)
    accepted: dict[str, Any] = {
        "plan": plan.model_dump(mode="json", exclude_none=True),
        "accepted_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "digest": plan.digest(),
        **({"arrived": arrived} if arrived else {}),
    }
    if not await asyncio.to_thread(lake.create, path, json.dumps(accepted, indent=1).encode()):
        accepted = await asyncio.to_thread(lake.read_json, path)
    return accepted


def waits() -> dict[str, float]:
    """Return the intervals at which orchestrations look at what runs outside."""
    polling = app_settings().polling
    return {
        "first_seconds": polling.first_seconds,
        "factor": polling.factor,
        "longest_seconds": polling.longest_seconds,
    }


async def state_of(client: Any, migration: str) -> str:
    """Return a migration's state.

    Raises:
        NotFoundError: if there is no such migration.
    """
    return durable.state_of(await instance_of(client, migration))


def check_id(migration: str) -> None:
    """Refuse what cannot be a migration's id before it becomes part of addresses and lake paths.

    Raises:
        NotFoundError: if no plan can have the name.
    """
    if not re.fullmatch(NAME, migration):
        raise _no_migration(migration)


async def instance_of(client: Any, migration: str) -> Any:
    """Return the status of a migration's orchestration."""
    check_id(migration)
    status = await client.get_status(migration)
    if not status:
        raise _no_migration(migration)
    return status


def _no_migration(migration: str) -> NotFoundError:
    return NotFoundError(
        f"There is no migration {migration}.", "GET /api/migrations lists those that there are."
    )


async def plan_of(lake: Lake, migration: str) -> dict[str, Any]:
    """Return a migration's plan, as it was accepted.

    Raises:
        NotFoundError: if it is not in the lake.
    """
    plan: dict[str, Any] = (await accepted_of(lake, migration))["plan"]
    return plan


async def accepted_of(lake: Lake, migration: str) -> dict[str, Any]:
    """Return a migration's plan with when it was accepted.

    Raises:
        NotFoundError: if it is not in the lake.
    """
    accepted: dict[str, Any] | None = await asyncio.to_thread(lake.read_json, paths.plan_path(migration))
    if accepted is None:
        raise NotFoundError(
            f"The plan of migration {migration} is not in the lake.",
            "Look for it in the lake's migrations folder.",
        )
    return accepted


async def last_round(lake: Lake, migration: str) -> int:
    """Return what `d2c.state.operations.last_round` does, off the event loop."""
    return await asyncio.to_thread(operations.last_round, lake, migration)


async def table_names(lake: Lake, migration: str) -> list[str]:
    """Return the names of a migration's tables; while they are not listed yet, those that the plan has."""
    listed = await asyncio.to_thread(lake.read_json, paths.tables_path(migration))
    found = listed or await plan_of(lake, migration)
    return [table["table"] for table in found["tables"]]
