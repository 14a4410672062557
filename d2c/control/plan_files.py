"""Plans that are dropped into the lake: each is accepted or refused, and a file beside it says which."""

import asyncio
import json
import logging
from datetime import UTC, datetime
from typing import Any

from d2c.clients import durable
from d2c.clients.azure.lake import Lake
from d2c.control import export_arrivals, migrations
from d2c.errors import PlanError, RefusedError, TransientError
from d2c.plan.model import Plan, parse_plan
from d2c.state import paths
from d2c.state.standing_plans import MOST_PLAN_BYTES, PLANS, is_standing

logger = logging.getLogger(__name__)
ACCEPTED, REFUSED = ".accepted", ".refused"
CHANGES_FOLLOWED = 5
Json = dict[str, Any]


async def plan_arrived(client: Any, lake: Lake, path: str) -> None:
    """Do what a plan's file asks for, and say beside it what became of it; the same event again changes nothing.

    Args:
        client: Durable's.
        lake: the lake.
        path: the file's, somewhere below ``plans/``.

    Raises:
        TransientError: if the file changes faster than it can be followed.
    """
    before: bytes | int | None = None
    for _ in range(CHANGES_FOLLOWED):
        # Events of two versions may be handled side by side: what is said last must be of the version that is there.
        content = await _read(lake, path)
        if content == before:
            return
        if content is not None:
            await _take(client, lake, path, content)
        before = content
    raise TransientError(f"The lake's {path} changes all the time.", "It is looked at again.")


async def _read(lake: Lake, path: str) -> bytes | int | None:
    """Return a plan's file, or of one that is too large its size in bytes; None if it is gone."""
    size = (await asyncio.to_thread(lake.sizes, PLANS)).get(path.removeprefix(PLANS))
    if size is not None and size > MOST_PLAN_BYTES:
        return size
    return await asyncio.to_thread(lake.read, path)


async def _take(client: Any, lake: Lake, path: str, content: bytes | int) -> None:
    try:
        if isinstance(content, int):
            raise PlanError([f"the plan has {content} bytes, and may have {MOST_PLAN_BYTES} at the most"])
        plan = parse_plan(content)
        await _begin(client, lake, plan)
    except RefusedError as error:
        logger.warning("The plan %s is refused: %s", path, error.detail)
        await _say(lake, path, REFUSED, _refusal(error), ACCEPTED)
        return
    await _say(lake, path, ACCEPTED, {"id": plan.name, "digest": plan.digest()}, REFUSED)
    if is_standing(plan):
        await export_arrivals.look_again(client, lake)


async def _begin(client: Any, lake: Lake, plan: Plan) -> None:
    """Start a plan's migration, unless it waits for exports or this very plan has run to its end."""
    if is_standing(plan):
        return
    accepted = await asyncio.to_thread(lake.read_json, paths.plan_path(plan.name))
    if accepted and accepted["digest"] == plan.digest():
        state = await durable.state_or_none(client, plan.name)
        if state is not None:
            return
    await migrations.start(client, plan)


def _refusal(error: RefusedError) -> Json:
    """Return an error as it stands beside a plan's file."""
    refusal: Json = {"title": error.title, "detail": error.detail, "next_step": error.next_step}
    if isinstance(error, PlanError):
        refusal["next_step"] = (
            "Mend the plan and put it under the same name again; docs/start/plan.md describes every field."
        )
        refusal["faults"] = list(error.faults)
    return refusal


async def _say(lake: Lake, path: str, kind: str, what: Json, other: str) -> None:
    """Write what became of a plan beside its file, where that is not said already, and take the contrary back."""
    there = await asyncio.to_thread(lake.read_json, path + kind) or {}
    if {name: there.get(name) for name in what} != what:
        said = {**what, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        await asyncio.to_thread(lake.write, path + kind, json.dumps(said, indent=1).encode())
    await asyncio.to_thread(lake.delete, path + other)
