"""Checking a plan before its migration: starting the check, and reading what it found."""

import asyncio
import re
import time
import uuid
from typing import Any

from d2c.app.settings import app_settings
from d2c.checks.store import keep, kept
from d2c.clients import durable
from d2c.clients.azure.lake import Lake, connect_lake
from d2c.errors import NotFoundError, PlanError
from d2c.plan.model import Plan
from d2c.plan.tables import account_faults
from d2c.state.ids import check_id

CHECK = re.compile(r"check-[A-Za-z0-9_-]{1,48}\.[0-9a-f]{12}")
LOOK_EVERY_SECONDS = 0.25


async def start(client: Any, plan: Plan, wait_seconds: float) -> dict[str, Any]:
    """Start the check of a plan and return it once it has ended, or after some seconds as far as it is.

    Args:
        client: Durable's.
        plan: the plan.
        wait_seconds: how long to wait for the check's end.

    Raises:
        PlanError: if the settings have no role for one of the plan's accounts.
    """
    faults = account_faults(plan, app_settings().aws)
    if faults:
        raise PlanError(faults)
    identity = check_id(plan.name, uuid.uuid4().hex[:12])
    value = plan.model_dump(mode="json", exclude_none=True)
    reference = await asyncio.to_thread(keep, _lake, identity, "plan", value)
    await durable.start(client, "check_plan", identity, {"check": identity, "plan": reference})
    ends = time.monotonic() + wait_seconds
    while True:
        check = await find(client, identity)
        if check["state"] != "running" or time.monotonic() >= ends:
            return check
        await asyncio.sleep(LOOK_EVERY_SECONDS)


async def find(client: Any, identity: str) -> dict[str, Any]:
    """Return a check as the API tells it.

    Raises:
        NotFoundError: if there is no such check, or its findings are no longer in the lake.
    """
    status = await client.get_status(identity) if CHECK.fullmatch(identity) else None
    if not status:
        raise NotFoundError(f"There is no check {identity}.", "POST a plan to /api/migrations?dry_run=true.")
    state = durable.state_of(status)
    answer: dict[str, Any] = {
        "id": identity,
        "state": "running" if state == "pending" else state,
        "progress": status.custom_status or {"done": 0, "total": 1},
        "checked_at": None,
        "counts": None,
        "checks": [],
        "estimate": None,
        "error": None,
    }
    if answer["state"] == "running":
        return answer
    output = status.output
    if durable.runtime_status(status) != "Completed":
        output = {"result": None, "error": durable.broken_off(state, output)}
    if output["result"] is None:
        return {**answer, "error": {name: output["error"][name] for name in ("detail", "next_step")}}
    found = await asyncio.to_thread(kept, _lake, output["result"])
    if found is None:
        raise NotFoundError(f"The findings of {identity} are no longer in the lake.", "Check the plan again.")
    return {**answer, "counts": output["counts"], **found}


def _lake() -> Lake:
    return connect_lake(app_settings())
