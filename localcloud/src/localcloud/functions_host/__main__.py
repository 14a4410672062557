"""Runs a function app on this machine: ``python -m localcloud.functions_host --app FOLDER``."""

import asyncio
import logging
import os
import sys
from pathlib import Path

from aiohttp import web

from localcloud.common.names import LOOPBACK
from localcloud.common.service import serve, service_parser, start_logging
from localcloud.functions_host.app import App, AppError
from localcloud.functions_host.durable.api import DurableApi, client_payload
from localcloud.functions_host.durable.engine import Engine
from localcloud.functions_host.durable.store import Store
from localcloud.functions_host.entra import add_token_endpoint
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
# Their records at the level INFO would drown the app's own, one per HTTP call.
CHATTY = ("azure.core.pipeline.policies.http_logging_policy", "azure.identity", "databricks.sdk", "botocore")


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
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        app = App(options.app)
        store = Store(options.state_folder / "functions.sqlite")
        triggers = [BlobTrigger(app, store, name) for name in app.of_type("blobTrigger")]
        blobs = watches(triggers, options.list_seconds)
        timers = [TimerTrigger(app, store, name) for name in app.of_type("timerTrigger")]
    except AppError as error:
        raise SystemExit(f"The app cannot run: {error}") from error
    engine = Engine(app, store, options.crash_after)
    hub = app.durable_settings.get("hubName", "TestHubName")
    app.client_payload = client_payload(f"http://{LOOPBACK}:{options.port}", hub)
    application = web.Application(client_max_size=LARGEST_BODY_BYTES)
    application.router.add_get("/admin/host/status", _host_status)
    DurableApi(app, engine).add_routes(application.router)
    add_http_functions(app, application.router)
    add_listener(blobs, application.router)
    add_token_endpoint(application.router)
    watching: list[asyncio.Task[None]] = []

    async def begin() -> None:
        app.loop = asyncio.get_running_loop()
        engine.start()
        watching.extend(asyncio.create_task(watch.run()) for watch in blobs)
        watching.extend(asyncio.create_task(timer.run()) for timer in timers)

    async def end(_: web.Application) -> None:
        engine.stop()
        for task in watching:
            task.cancel()

    application.on_cleanup.append(end)
    serve(application, options, on_ready=begin)


async def _host_status(_: web.Request) -> web.Response:
    return web.json_response({"id": "local", "state": "Running", "version": "4.0.0-local"})


if __name__ == "__main__":
    main()
    # Activities under way are abandoned: they are still in the store, and run again at the next start.
    os._exit(0)
