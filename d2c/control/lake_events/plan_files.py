"""Plans as files in the lake: each is accepted or refused, and a file next to it says which."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from d2c.app import clock
from d2c.clients import durable
from d2c.clients.azure.async_lake import AsyncLake
from d2c.clients.threads import in_turn
from d2c.control import migrations
from d2c.control.app import App
from d2c.control.lake_events import existing_exports
from d2c.errors import PermanentError, PlanError, RefusedError, TransientError
from d2c.foreign_json import quoted
from d2c.plan.model import MOST_PLAN_BYTES, Plan, parse_plan
from d2c.redaction import without_secrets
from d2c.state import paths
from d2c.state.export_matching import says
from d2c.state.standing_plans import ACCEPTED, REFUSED, is_standing

logger = logging.getLogger(__name__)
CHANGES_FOLLOWED = 5


async def plan_arrived(app: App, path: str) -> None:
    """Accept or refuse a plan's file, and write the outcome next to it; the same event again changes nothing.

    Args:
        app: the app.
        path: the file's, somewhere below ``plans/``.

    Raises:
        TransientError: if the file changes faster than it can be followed.
    """
    before: bytes | str | None = None
    for _ in range(CHANGES_FOLLOWED):
        # Events of two versions may be handled in parallel: the last outcome must be that of the current version.
        content = await _read(app.lake, path)
        if content == before:
            return
        if content is not None:
            await _decide(app, path, content)
        before = content
    raise TransientError(f"The lake's {path} changes all the time.", "Retrying.")


async def _read(lake: AsyncLake, path: str) -> bytes | str | None:
    """Return a plan's file, or why it cannot be read; None if it is gone."""
    try:
        return await lake.read(path, MOST_PLAN_BYTES)
    except PermanentError as error:
        return f"{error.detail} {error.next_step}"


async def _decide(app: App, path: str, content: bytes | str) -> None:
    try:
        if isinstance(content, str):
            raise PlanError([content])
        plan = await in_turn(parse_plan, content)
        migrations.refuse_forbidden(app, plan)
        digest = await in_turn(plan.digest)
        await _start(app, plan, digest)
    except RefusedError as error:
        logger.warning("The plan %s is refused: %s", quoted(path), error.detail)
        await _write_outcome(app.lake, path, REFUSED, _refusal(error), ACCEPTED)
        return
    await _write_outcome(app.lake, path, ACCEPTED, {"id": plan.name, "digest": digest}, REFUSED)
    if is_standing(plan):
        await existing_exports.match_waiting(app)


async def _start(app: App, plan: Plan, digest: str) -> None:
    """Start a plan's migration, unless it waits for exports or this very plan has run already."""
    if is_standing(plan):
        return
    accepted = await app.lake.read_json(paths.MigrationFiles(plan.name).plan)
    if accepted and accepted["digest"] == digest:
        state = await durable.state_or_none(app.durable, plan.name)
        if state is not None:
            return
    await migrations.start(app, plan)


def _refusal(error: RefusedError) -> dict[str, Any]:
    """Return an error as the file next to a plan has it."""
    refusal: dict[str, Any] = {**error.texts()}
    if isinstance(error, PlanError):
        refusal["next_step"] = (
            "Fix the plan and put it under the same name again; docs/start/plan.md describes every field."
        )
        refusal["faults"] = [without_secrets(fault) for fault in error.faults]
    return refusal


async def _write_outcome(
    lake: AsyncLake, path: str, kind: str, outcome: Mapping[str, Any], other: str
) -> None:
    """Write a plan's outcome next to its file, unless it is there already, and delete the contrary one."""
    if not says(await lake.read(path + kind), outcome):
        dated = {**outcome, "at": clock.text()}
        await lake.write(path + kind, json.dumps(dated, indent=1).encode())
    await lake.delete(path + other)
