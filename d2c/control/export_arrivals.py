"""Exports that arrive in the lake: ours wake the copy that waits for them, others' are loaded by a standing plan."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from d2c.app.logs import log_fields
from d2c.app.settings import app_settings
from d2c.clients import durable
from d2c.clients.azure.lake import Lake
from d2c.control import lifecycle, migrations
from d2c.errors import ConflictError, RefusedError
from d2c.export_format import ExportFormatError
from d2c.plan.model import Plan
from d2c.state import export_matching, paths
from d2c.state.export_matching import Arrival
from d2c.state.standing_plans import StandingPlan, standing_plans

logger = logging.getLogger(__name__)
LOOKED_AT_AGAIN = 1000


async def export_arrived(client: Any, lake: Lake, folder: str) -> None:
    """Do what an export that has arrived in a folder of the lake asks for; the same event again changes nothing.

    Args:
        client: Durable's.
        lake: the lake.
        folder: the export's, somewhere below ``exports/``.
    """
    own = await asyncio.to_thread(export_matching.own_migration, lake, folder)
    if own is None:
        await load_if_planned(client, lake, folder, await asyncio.to_thread(standing_plans, lake))
        return
    migration, table = own
    with log_fields(migration=migration, table=table, stage="copy"):
        logger.info("The export of %s for migration %s has arrived", table, migration)
    number = await migrations.last_round(lake, migration)
    await lifecycle.wake(client, migration, table, number, ("copy",))


async def look_again(client: Any, lake: Lake) -> None:
    """Look again at exports that are not loaded, now that there is another standing plan."""
    waiting_paths, more = await asyncio.to_thread(lake.page, export_matching.WAITING, LOOKED_AT_AGAIN, None)
    standing = await asyncio.to_thread(standing_plans, lake)
    for path in waiting_paths:
        waiting = await asyncio.to_thread(lake.read_json, path)
        if waiting:
            await load_if_planned(client, lake, waiting["folder"], standing)
    if more:
        logger.warning(
            "More than %s exports wait for a plan; those after them are looked at when the next plan arrives",
            LOOKED_AT_AGAIN,
        )


async def load_if_planned(client: Any, lake: Lake, folder: str, standing: Sequence[StandingPlan]) -> None:
    """Start the migration that loads an export, or say beside it why there is none."""
    try:
        summary = await asyncio.to_thread(export_matching.read_summary, lake, folder)
        if summary is None:
            return
        if export_matching.is_own_export(summary, folder, app_settings()):
            logger.warning("The export in %s is of a migration that is not known, and starts nothing", folder)
            return
        try:
            arrival = export_matching.match(summary, folder, standing)
        except RefusedError:
            await asyncio.to_thread(export_matching.let_wait, lake, folder)
            # A plan that came in between has not seen that this export waits.
            arrival = export_matching.match(summary, folder, await asyncio.to_thread(standing_plans, lake))
        await _start(client, lake, arrival)
    except (ExportFormatError, RefusedError) as error:
        logger.warning("The export in %s is not loaded: %s", folder, error)
        await asyncio.to_thread(export_matching.leave_message, lake, folder, error)
    else:
        await asyncio.to_thread(export_matching.forget, lake, folder)


async def _start(client: Any, lake: Lake, arrival: Arrival) -> None:
    """Start an arrived export's migration, or find that an earlier event has started it.

    Raises:
        ConflictError: if a migration of something else has its name.
    """
    name, export = arrival.plan.name, arrival.arrived["export"]
    path = paths.plan_path(name)
    accepted = await asyncio.to_thread(lake.read_json, path)
    if accepted is None:
        with log_fields(migration=name):
            logger.info("The export in %s is loaded as migration %s", arrival.arrived["folder"], name)
        await migrations.start(client, arrival.plan, arrival.arrived)
        return
    if (accepted.get("arrived") or {}).get("export", {}).get("arn") != export["arn"]:
        raise ConflictError(
            f"The migration that would load this export has the name {name}, and another one has it already.",
            "Give the standing plan another name.",
        )
    if await durable.state_or_none(client, name) is None:
        await migrations.start(client, Plan.model_validate(accepted["plan"]))
