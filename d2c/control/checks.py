"""Checking a plan before its migration: starting the check, and reading its findings."""

import asyncio
import re
import time
import uuid
from typing import Any

from d2c.checks.store import keep, kept
from d2c.clients import durable
from d2c.clients.azure.lake import Lake
from d2c.control.app import App
from d2c.errors import NotFoundError, PlanError
from d2c.foreign_json import quoted
from d2c.plan.allowed import account_faults
from d2c.plan.model import Plan
from d2c.shapes import Reference
from d2c.state.ids import CHECK_ID, check_id

POLL_SECONDS = 0.25


async def start(app: App, plan: Plan, wait_seconds: float) -> dict[str, Any]:
    """Start the check of a plan, and return the check once it has ended or the wait is over.

    Args:
        app: the app.
        plan: the plan.
        wait_seconds: how long to wait for the check's end.

    Raises:
        PlanError: if the settings have no role for one of the plan's accounts.
    """
    faults = account_faults(plan, app.settings.aws)
    if faults:
        raise PlanError(faults)
    identity = check_id(plan.name, uuid.uuid4().hex[:12])
    reference = await app.lake.run(_keep_plan, identity, plan)
    await durable.start(app.durable, "check_plan", identity, {"check": identity, "plan": reference})
    ends = time.monotonic() + wait_seconds
    while True:
        check = await find(app, identity)
        if check["state"] != "running" or time.monotonic() >= ends:
            return check
        await asyncio.sleep(POLL_SECONDS)


def refuse_impossible(identity: str) -> None:
    """Refuse what no check can be called before it becomes part of addresses.

    Raises:
        NotFoundError: if it is that.
    """
    if not re.fullmatch(CHECK_ID, identity):
        raise _no_check(quoted(identity))


def _no_check(identity: str) -> NotFoundError:
    return NotFoundError(f"There is no check {identity}.", "POST a plan to /api/migrations?dry_run=true.")


async def find(app: App, identity: str) -> dict[str, Any]:
    """Return a check in the words of the HTTP API.

    Raises:
        NotFoundError: if there is no such check, or its findings are no longer in the lake.
    """
    status = await app.durable.get_status(identity)
    if not status:
        raise _no_check(identity)
    state = durable.state_of(status)
    check: dict[str, Any] = {
        "id": identity,
        "state": "running" if state == "pending" else state,
        "progress": status.custom_status or {"done": 0, "total": 1},
        "checked_at": None,
        "counts": None,
        "checks": [],
        "estimate": None,
        "error": None,
    }
    if check["state"] == "running":
        return check
    output = status.output
    if durable.runtime_status(status) != "Completed":
        output = {"result": None, "error": durable.broken_off(state, output)}
    if output["result"] is None:
        return {**check, "error": {name: output["error"][name] for name in ("detail", "next_step")}}
    findings = await app.lake.run(_kept, output["result"])
    if findings is None:
        raise NotFoundError(f"The findings of {identity} are no longer in the lake.", "Check the plan again.")
    return {**check, "counts": output["counts"], **findings}


def _keep_plan(lake: Lake, identity: str, plan: Plan) -> Reference:
    return keep(lambda: lake, identity, "plan", plan.model_dump(mode="json", exclude_none=True))


def _kept(lake: Lake, reference: Reference) -> Any:
    return kept(lambda: lake, reference)
