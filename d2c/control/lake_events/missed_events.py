"""Plans and exports whose event was lost or failed: the watchdog starts what they should have started.

A tick reads the queue of failed events, and continues a sweep through the lake where the tick before stopped.
An event that is only late meets it; both start the same migration, which starts once.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import PurePosixPath

from d2c.app.one_of_many import one_of_many
from d2c.clients.azure.failed_events import FailedEvents
from d2c.clients.azure.lake import Lake, Listed
from d2c.clients.threads import in_thread
from d2c.control.app import App
from d2c.control.lake_events import existing_exports, plan_files
from d2c.control.lake_events.sweep import first_sweep, is_at_its_start, next_page, parse_sweep, unanswered
from d2c.errors import D2CError, RefusedError, TransientError
from d2c.foreign_json import quoted
from d2c.shapes import SweepFile
from d2c.state import export_matching, paths
from d2c.state.export_matching import EXPORTS, ExistingExport
from d2c.state.operations import last_migrating
from d2c.state.standing_plans import PLANS, Known

logger = logging.getLogger(__name__)
MOST_EVENTS = 32
FILES_OF_A_PAGE = 2_000
PAGES_OF_A_TICK = 5
MOST_SWEEP_BYTES = 2**16
# A page that cannot be handled is tried again for an hour; then the sweep continues, since other files wait behind it.
MOST_FAILURES = 12


async def find_missed(app: App, failed: FailedEvents, now: datetime) -> None:
    """Handle what no event has handled.

    Args:
        app: the app.
        failed: the queue of events whose function failed.
        now: the time.
    """
    # The standing plans are read once for all that a tick handles.
    known: Known = {}
    with one_of_many("The queue of failed events"):
        await _handle_failed(app, failed, known)
    await _sweep(app, now, known)


async def _handle_failed(app: App, failed: FailedEvents, known: Known) -> None:
    """Handle events again whose function failed; one that fails again stays in the queue."""
    for event in await in_thread(failed.take, MOST_EVENTS):
        logger.warning("The event of %s failed, and is handled again", quoted(event.path))
        with one_of_many(f"The event of {quoted(event.path)}, which failed again,"):
            await _handle(app, event.path, known)
            await in_thread(failed.remove, event)


async def _sweep(app: App, now: datetime, known: Known) -> None:
    """Continue the sweep for some pages; a sweep that reaches its start ends the tick."""
    before = await _last_sweep(app)
    sweep = before or first_sweep(now)
    for _ in range(PAGES_OF_A_TICK):
        sweep, ended = await _page(app, sweep, now, known)
        if ended:
            break
    if sweep != before:
        await app.lake.write_json(paths.SWEEP, sweep)


async def _last_sweep(app: App) -> SweepFile | None:
    """Return how far the sweep has come; None at first, or if its file is not one."""
    content = await app.lake.read(paths.SWEEP, MOST_SWEEP_BYTES)
    try:
        return None if content is None else parse_sweep(content)
    except ValueError:
        logger.warning("The lake's %s is not a sweep, and a new one begins", paths.SWEEP)
        return None


async def _page(app: App, sweep: SweepFile, now: datetime, known: Known) -> tuple[SweepFile, bool]:
    """Look at a page; the result is the sweep after it, and whether the tick ends with it."""
    token, trouble = None, None
    try:
        files, token = await app.lake.run(Lake.listed, sweep["place"], FILES_OF_A_PAGE, sweep["token"])
    except D2CError as error:
        # What cannot be listed may have a token that is no longer valid, so the rest of the folder is left out too.
        trouble = error
    else:
        missed = unanswered(files, datetime.fromisoformat(sweep["since"]), now)
        trouble = await _handle_missed(app, [file.path for file in missed], known)
    if trouble:
        logger.warning("The sweep through the lake stops at %s: %s", sweep["place"], trouble)
        if sweep["failures"] < MOST_FAILURES:
            return {**sweep, "failures": sweep["failures"] + 1}, True
        logger.warning("The sweep continues without what failed in %s", sweep["place"])
    sweep = next_page(sweep, token, now)
    return sweep, is_at_its_start(sweep)


async def _handle_missed(app: App, missed: Sequence[str], known: Known) -> TransientError | None:
    """Handle files one by one; the result is the last error that may heal, because of which the page is repeated."""
    trouble: TransientError | None = None
    for path in missed:
        with one_of_many(f"The lake's {quoted(path)}"):
            try:
                await _handle(app, path, known)
            except TransientError as error:
                trouble = error
    return trouble


async def _handle(app: App, path: str, known: Known) -> None:
    """Do what the event of a file would have done."""
    if not paths.is_plain(path):
        logger.error("%s is ignored, because its name leads elsewhere; give it a plain name", quoted(path))
    elif path.startswith(PLANS):
        await plan_files.plan_arrived(app, path)
    elif path.startswith(EXPORTS):
        await _load(app, str(PurePosixPath(path).parent), known)


async def _load(app: App, folder: str, known: Known) -> None:
    """Load an existing export; the copy of one that is our own looks for it by itself."""
    own = await app.lake.run(export_matching.own_migration, folder)
    if own:
        number = await app.lake.run(last_migrating, own[0])
        await existing_exports.refuse_of_others(app, folder, number)
    else:
        await existing_exports.load_if_planned(app, folder, known, partial(_admit, app))


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
