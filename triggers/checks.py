"""The HTTP API: checking a plan before its migration."""

import asyncio
import re
import time
import uuid
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from d2c.aws_settings import account_faults
from d2c.check_store import keep, kept
from d2c.clients.lake import Lake, connect_lake
from d2c.errors import BodyError, NotFoundError, PlanError
from d2c.plan import Plan
from d2c.run_keys import check_id
from d2c.settings import app_settings
from triggers import instances
from triggers.answers import answers_problems, json_answer

CHECK = re.compile(r"check-[A-Za-z0-9_-]{1,48}\.[0-9a-f]{12}")
DEFAULT_WAIT_SECONDS = 25
# A Function app's HTTP call may take 230 seconds, and callers give up earlier.
LONGEST_WAIT_SECONDS = 60
LOOK_EVERY_SECONDS = 0.25
RETRY_AFTER_SECONDS = 2

blueprint = df.Blueprint()


@blueprint.route(route="checks/{id}", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def get_check(req: func.HttpRequest, client: Any) -> func.HttpResponse:
    """Tell how far a check is, or what it found."""
    return json_answer(await _check_of(client, req.route_params["id"]))


async def check(req: func.HttpRequest, client: Any, plan: Plan) -> func.HttpResponse:
    """Start the check of a plan, and answer with what it finds, or with where that will be if it takes longer."""
    wait_seconds = _wait_seconds(req)
    faults = account_faults(plan, app_settings().aws)
    if faults:
        raise PlanError(faults)
    identity = check_id(plan.name, uuid.uuid4().hex[:12])
    value = plan.model_dump(mode="json", exclude_none=True)
    reference = await asyncio.to_thread(keep, _lake, identity, "plan", value)
    await instances.start(client, "check_plan", identity, {"check": identity, "plan": reference})
    ends = time.monotonic() + wait_seconds
    while True:
        found = await _check_of(client, identity)
        if found["state"] != "running":
            return json_answer(found)
        if time.monotonic() >= ends:
            break
        await asyncio.sleep(LOOK_EVERY_SECONDS)
    answer = json_answer(found, 202)
    answer.headers["Location"] = f"{req.url.split('/migrations', 1)[0]}/checks/{identity}"
    answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return answer


def _wait_seconds(req: func.HttpRequest) -> int:
    text = req.params.get("wait", str(DEFAULT_WAIT_SECONDS))
    if not text.isdecimal() or int(text) > LONGEST_WAIT_SECONDS:
        raise BodyError([f"wait: it takes whole seconds from 0 to {LONGEST_WAIT_SECONDS}, not {text!r}"])
    return int(text)


async def _check_of(client: Any, identity: str) -> dict[str, Any]:
    """Return a check as the API tells it.

    Raises:
        NotFoundError: if there is no such check, or its findings are no longer in the lake.
    """
    status = await client.get_status(identity) if CHECK.fullmatch(identity) else None
    if not status:
        raise NotFoundError(f"There is no check {identity}.", "POST a plan to /api/migrations?dry_run=true.")
    state = instances.state_of(status)
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
    if instances.runtime_status(status) != "Completed":
        output = {"result": None, "error": instances.broken_off(state, output)}
    if output["result"] is None:
        return {**answer, "error": {name: output["error"][name] for name in ("detail", "next_step")}}
    found = await asyncio.to_thread(kept, _lake, output["result"])
    if found is None:
        raise NotFoundError(f"The findings of {identity} are no longer in the lake.", "Check the plan again.")
    return {**answer, "counts": output["counts"], **found}


def _lake() -> Lake:
    return connect_lake(app_settings())
