"""Runs a function app on this machine: ``python -m localcloud.functions_host --app FOLDER``."""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from localcloud.common.names import LOOPBACK
from localcloud.common.service import serve, service_parser, start_logging
from localcloud.functions_host.app import App, AppError
from localcloud.functions_host.durable.crashes import Crashes
from localcloud.functions_host.durable.local import LocalDurable
from localcloud.functions_host.durable.store import Store
from localcloud.functions_host.extension import extension_program
from localcloud.functions_host.extension.engine import ExtensionEngine
from localcloud.functions_host.extension.events import DeliveredTrigger
from localcloud.functions_host.triggers.blob import BlobTrigger
from localcloud.functions_host.triggers.blob_watch import (
    SHORTEST_INTERVAL_SECONDS,
    add_listener,
    watches,
)
from localcloud.functions_host.triggers.http import add_http_functions
from localcloud.functions_host.triggers.timer import TimerTrigger

# A request must not wait for its turn behind every thread that replays: by default each has Python for 5 ms.
SWITCH_SECONDS = 0.0005
LARGEST_BODY_BYTES = 100 * 2**20


def main() -> None:
    """Load the app, then run it until the process is asked to end."""
    parser = service_parser("functions_host", "A Functions host for one machine.")
    parser.add_argument("--app", type=Path, required=True, help="folder with function_app.py and host.json")
    parser.add_argument(
        "--crash-after",
        nargs="*",
        default=[],
        metavar="ACTIVITY",
        help="die once after each of these activities",
    )
    parser.add_argument(
        "--list-seconds",
        type=float,
        default=SHORTEST_INTERVAL_SECONDS,
        help="how often blobs are listed, which finds those of which nobody has told",
    )
    options = parser.parse_args()
    start_logging()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        app = App(options.app)
        store = Store(options.state_folder / "functions.sqlite")
        timers = [TimerTrigger(app, store, name) for name in app.of_type("timerTrigger")]
        crashes = Crashes(store, options.crash_after)
        durable, triggers = _durable_part(app, store, options.state_folder, crashes)
        blobs = watches(triggers, options.list_seconds)
    except AppError as error:
        raise SystemExit(f"The app cannot run: {error}") from error
    application = web.Application(client_max_size=LARGEST_BODY_BYTES)
    application.router.add_get("/admin/host/status", _host_status)
    durable.add_routes(application.router)
    add_http_functions(app, application.router)
    add_listener(blobs, application.router)
    watching: list[asyncio.Task[None]] = []

    async def begin() -> None:
        app.loop = asyncio.get_running_loop()
        await asyncio.to_thread(durable.start, f"http://{LOOPBACK}:{options.port}")
        watching.extend(asyncio.create_task(watch.run()) for watch in blobs)
        watching.extend(asyncio.create_task(timer.run()) for timer in timers)

    async def end(_: web.Application) -> None:
        for task in watching:
            task.cancel()
        await asyncio.to_thread(durable.stop)

    application.on_cleanup.append(end)
    serve(application, options, on_ready=begin)


def _durable_part(
    app: App, store: Store, folder: Path, crashes: Crashes
) -> tuple[LocalDurable | ExtensionEngine, Sequence[BlobTrigger]]:
    """Return what runs orchestrations, and the blob triggers: this host's own, or those of Microsoft's extensions."""
    program, names = extension_program(), app.of_type("blobTrigger")
    if program is None:
        return LocalDurable(app, store, crashes), [BlobTrigger(app, store, name) for name in names]
    delivered = [DeliveredTrigger(app, store, name) for name in names]
    return ExtensionEngine(app, program, folder / "extension", delivered, crashes), delivered


async def _host_status(_: web.Request) -> web.Response:
    return web.json_response({"id": "local", "state": "Running", "version": "4.0.0-local"})


if __name__ == "__main__":
    main()
    # Activities under way are abandoned: they are still in the store, and run again at the next start.
    os._exit(0)
