"""Plans and exports whose event was lost or failed: the watchdog starts what they should have started.

A tick reads the queue of failed events, and goes on with a sweep through the lake from where the tick before stopped.
An event that is only late meets it; both start the same migration, which starts once.
"""

import logging
from datetime import datetime
from functools import partial
from pathlib import PurePosixPath

from d2c.clients.azure.failed_events import FailedEvents
from d2c.clients.azure.lake import Lake, Listed
from d2c.clients.threads import in_thread
from d2c.control.app import App
from d2c.control.arrivals import existing_exports, plan_files
from d2c.control.arrivals.sweep import first_sweep, is_at_its_start, next_page, unanswered
from d2c.errors import D2CError, RefusedError
from d2c.shapes import SweepFile
from d2c.state import export_matching, paths
from d2c.state.export_matching import EXPORTS, ExistingExport
from d2c.state.standing_plans import PLANS, standing_plans

logger = logging.getLogger(__name__)
MOST_EVENTS = 32
FILES_OF_A_PAGE = 2_000
PAGES_OF_A_TICK = 5
# A page that cannot be handled is tried again for an hour; then the sweep goes on, for other files wait behind it.
MOST_FAILURES = 12


async def find_missed(app: App, failed: FailedEvents, now: datetime) -> None:
    """Handle what no event has handled.

    Args:
        app: the app.
        failed: the queue of events whose function failed.
        now: the time.
    """
    await _handle_failed(app, failed)
    await _sweep(app, now)


async def _handle_failed(app: App, failed: FailedEvents) -> None:
    """Handle events again whose function failed; one that fails again stays in the queue."""
    for event in await in_thread(failed.take, MOST_EVENTS):
        logger.warning("The event of %s failed, and is handled again", event.path)
        try:
            await _handle(app, event.path)
        except D2CError as error:
            logger.warning("The event of %s failed again: %s", event.path, error)
        else:
            await in_thread(failed.remove, event)


async def _sweep(app: App, now: datetime) -> None:
    """Go on with the sweep for some pages; one that begins anew in a tick ends with it."""
    before: SweepFile | None = await app.lake.read_json(paths.SWEEP)
    sweep = before or first_sweep(now)
    for _ in range(PAGES_OF_A_TICK):
        sweep, ended = await _page(app, sweep, now)
        if ended:
            break
    if sweep != before:
        await app.lake.write_json(paths.SWEEP, sweep)


async def _page(app: App, sweep: SweepFile, now: datetime) -> tuple[SweepFile, bool]:
    """Look at a page; the result is the sweep after it, and whether the tick ends with it."""
    try:
        files, token = await app.lake.run(Lake.listed, sweep["place"], FILES_OF_A_PAGE, sweep["token"])
        for file in unanswered(files, datetime.fromisoformat(sweep["since"]), now):
            await _handle(app, file.path)
    except D2CError as error:
        logger.warning("The sweep through the lake stops at %s: %s", sweep["place"], error)
        if sweep["failures"] < MOST_FAILURES:
            return {**sweep, "failures": sweep["failures"] + 1}, True
        # What cannot be listed may have a token that is no longer valid, so the rest of the folder is left out too.
        logger.warning(
            "The sweep goes on without the rest of %s, for other files wait behind it", sweep["place"]
        )
        token = None
    sweep = next_page(sweep, token, now)
    return sweep, is_at_its_start(sweep)


async def _handle(app: App, path: str) -> None:
    """Do what the event of a file would have done."""
    if not paths.is_plain(path):
        logger.error("%r is ignored, because its name leads elsewhere; give it a plain name", path)
    elif path.startswith(PLANS):
        await plan_files.plan_arrived(app, path)
    elif path.startswith(EXPORTS):
        await _load(app, str(PurePosixPath(path).parent))


async def _load(app: App, folder: str) -> None:
    """Load an existing export; the copy of one that is our own looks for it by itself."""
    if await app.lake.run(export_matching.own_migration, folder) is None:
        plans = await app.lake.run(standing_plans)
        await existing_exports.load_if_planned(app, folder, plans, partial(_admit, app))


async def _admit(app: App, existing: ExistingExport) -> None:
    """Refuse an export that is older than its standing plan, or than the last one that the plan has loaded.

    Raises:
        RefusedError: if it is.
    """
    plan = existing.arrived["plan"]
    (file, *_), _ = await app.lake.run(Lake.listed, plan, 1, None)
    last = await app.lake.run(export_matching.last_loaded, existing)
    reference = max((file, last), key=lambda one: one.modified) if last else file
    if datetime.fromisoformat(existing.arrived["export"]["time"]) < reference.modified:
        raise _too_old(existing, reference)


def _too_old(existing: ExistingExport, reference: Listed) -> RefusedError:
    time = existing.arrived["export"]["time"]
    return RefusedError(
        f"No event of this export of {time} came, and {reference.path} of {reference.modified.isoformat()} is younger.",
        "To load it all the same, write its manifest-summary.json again.",
        "The export is too old to be loaded without being asked for",
    )
