"""Exports that appear in the lake: our own wake the waiting copy, existing exports are loaded by a standing plan."""

import logging
from collections.abc import Awaitable, Callable

from d2c.app.logs import log_fields
from d2c.app.one_of_many import one_of_many
from d2c.clients import durable
from d2c.clients.threads import in_thread
from d2c.control import migrations
from d2c.control.app import App
from d2c.errors import ConflictError, D2CError, PermanentError, RefusedError
from d2c.export_format import ManifestSummary
from d2c.foreign_json import quoted
from d2c.plan.model import Plan
from d2c.state import export_matching, paths
from d2c.state.export_matching import ExistingExport
from d2c.state.ids import stage_instance_id
from d2c.state.operations import last_migrating
from d2c.state.standing_plans import Known, standing_plans

logger = logging.getLogger(__name__)
MOST_WAITING = 1000


Admit = Callable[[ExistingExport], Awaitable[None]]


async def _any(existing: ExistingExport) -> None:
    """Admit every export."""


async def export_arrived(app: App, folder: str) -> None:
    """Handle the manifest of an export in the lake; the same event again changes nothing.

    Args:
        app: the app.
        folder: the export's, somewhere below ``exports/``.
    """
    own = await app.lake.run(export_matching.own_migration, folder)
    if own is None:
        await load_if_planned(app, folder, {})
        return
    migration, table = own
    number = await app.lake.run(last_migrating, migration)
    if await refuse_of_others(app, folder, number):
        return
    with log_fields(migration=migration, table=table, stage="copy"):
        logger.info("The export of %s for migration %s has arrived", table, migration)
    await durable.wake(app.durable, stage_instance_id(migration, number, table, "copy"))


async def refuse_of_others(app: App, folder: str, number: int) -> bool:
    """Refuse an export of others in the folder of a migration's table, with a message in it; return whether it is one.

    Args:
        app: the app.
        folder: the export's.
        number: of the migration's last start or retry.
    """
    try:
        await app.lake.run(export_matching.check_own, folder, number, app.settings)
    except RefusedError as error:
        await _refuse(app, folder, error)
        return True
    return False


async def _refuse(app: App, folder: str, error: D2CError) -> None:
    logger.warning("The export in %s is not loaded: %s", quoted(folder), error)
    await app.lake.run(export_matching.leave_message, folder, error)


async def match_waiting(app: App) -> None:
    """Match the exports that no plan has loaded yet, now that there is another standing plan."""
    waiting_paths, more = await app.lake.page(export_matching.WAITING, MOST_WAITING, None)
    known: Known = {}
    for path in waiting_paths:
        with one_of_many(f"The export that {path} names"):
            waiting = await app.lake.read_json(path)
            if waiting:
                await load_if_planned(app, waiting["folder"], known)
    if more:
        logger.warning(
            "More than %s exports wait for a plan; the others are matched when the next plan is added",
            MOST_WAITING,
        )


async def load_if_planned(app: App, folder: str, known: Known, admit: Admit = _any) -> None:
    """Start the migration that loads an export, or write the reason why not into the export's folder.

    Args:
        app: the app.
        folder: the export's.
        known: the plans that the caller has read already.
        admit: refuses an export that must not be loaded; all are if it is left out.
    """
    try:
        summary = await app.lake.run(export_matching.read_summary, folder)
        if summary is None:
            return
        if export_matching.is_own_export(summary, folder, app.settings):
            raise RefusedError(
                f"This export was made by the migration {folder.split('/')[1]}, which this app does not know.",
                "Load it by the app that made it, or copy it into another folder below exports/.",
                "The export is of an unknown migration",
            )
        try:
            export = await _match(app, summary, folder, known)
        except RefusedError:
            await app.lake.run(export_matching.let_wait, folder)
            # A plan that was added in between has not seen that this export waits.
            export = await _match(app, summary, folder, known)
        await _start(app, export, admit)
    except (PermanentError, RefusedError) as error:
        await _refuse(app, folder, error)
    else:
        await app.lake.run(export_matching.forget, folder)


async def _match(app: App, summary: ManifestSummary, folder: str, known: Known) -> ExistingExport:
    """Return the standing plan that loads an export, by the plans that are there now.

    Raises:
        RefusedError: if no plan or several plans have its table.
        ExportFormatError: if the manifest does not name its table.
    """
    plans = await app.lake.run(standing_plans, known)
    return await in_thread(export_matching.match, summary, folder, plans)


async def _start(app: App, existing: ExistingExport, admit: Admit) -> None:
    """Start an existing export's migration, unless an earlier event has started it.

    Raises:
        ConflictError: if a migration of another export has its name.
        RefusedError: if it must not be loaded.
    """
    name, export = existing.plan.name, existing.arrived["export"]
    accepted = await app.lake.read_json(paths.MigrationFiles(name).plan)
    if accepted is None:
        await admit(existing)
        with log_fields(migration=name):
            logger.info(
                "The export in %s is loaded as migration %s", quoted(existing.arrived["folder"]), name
            )
        await migrations.start(app, existing.plan, existing.arrived)
        await app.lake.run(export_matching.note_loaded, existing)
        return
    if (accepted.get("arrived") or {}).get("export", {}).get("arn") != export["arn"]:
        raise ConflictError(
            f"The migration that would load this export has the name {name}, and another one has it already.",
            "Give the standing plan another name.",
        )
    if await durable.state_or_none(app.durable, name) is None:
        await migrations.start(app, Plan.model_validate(accepted["plan"]))
