"""What every service of the local cloud shares: its command line, its ready line and its end.

A service is a module that runs as ``python -m localcloud.<service> --port N --state-folder DIR``. It listens on
loopback only, keeps all that it must remember in its state folder, logs to standard error, and prints one line of
JSON, ``{"ready": true, "url": ...}``, on standard output once it answers. It ends on SIGTERM or SIGINT, and with
``--stop-with-parent`` also when its standard input closes, so that it never outlives whoever started it.
Secrets come by environment, never by command line. With ``LOCALCLOUD_SERVER_CERTIFICATE`` in its environment, the file
of its certificate and key, it speaks TLS.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import ssl
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from localcloud.common.callers import refuse_foreign_pages
from localcloud.common.certificates import SERVER_CERTIFICATE
from localcloud.common.names import LOOPBACK


def service_parser(name: str, description: str) -> argparse.ArgumentParser:
    """Return an argument parser with the options that all services take.

    Args:
        name: the service's name, as in ``python -m localcloud.<name>``.
        description: one sentence for ``--help``.
    """
    parser = argparse.ArgumentParser(prog=f"python -m localcloud.{name}", description=description)
    parser.add_argument("--port", type=int, required=True, help="loopback TCP port to listen on")
    parser.add_argument(
        "--state-folder", type=Path, required=True, help="folder that keeps the service's state"
    )
    parser.add_argument("--stop-with-parent", action="store_true", help="end when standard input closes")
    return parser


def required_variable(name: str) -> str:
    """Return an environment variable that a service cannot do without.

    Raises:
        SystemExit: if it is not set, naming it.
    """
    value = os.environ.get(name)
    if not value:
        raise SystemExit(
            f"Set {name}: this service of the local cloud needs it in its environment (see its main)."
        )
    return value


def start_logging() -> None:
    """Send log records to standard error, one line each."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )


def server_tls() -> ssl.SSLContext | None:
    """Return what a server speaks TLS with, or None without a certificate in the environment."""
    certificate = os.environ.get(SERVER_CERTIFICATE)
    if not certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


def stop_with_parent() -> None:
    """Send this process SIGTERM once its standard input closes, which happens when its starter ends."""

    def wait_for_the_end_of_input() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait_for_the_end_of_input, daemon=True, name="stop-with-parent").start()


def announce_ready(url: str) -> None:
    """Print the ready line that the starter of a service waits for."""
    print(json.dumps({"ready": True, "url": url}), flush=True)


def serve(
    app: web.Application,
    options: argparse.Namespace,
    *,
    on_ready: Callable[[], Awaitable[None]] | None = None,
    runner: type[web.AppRunner] = web.AppRunner,
) -> None:
    """Serve an aiohttp application on loopback until the process is asked to end.

    Args:
        app: the application; its ``on_cleanup`` handlers run before this returns.
        options: parsed by a `service_parser`.
        on_ready: awaited after the port is open and before the ready line is printed.
        runner: what runs the application.

    Raises:
        SystemExit: with status 1 and a message that names the port, if it is taken.
    """
    asyncio.run(_serve(runner(app, access_log=None, handler_cancellation=False), options, on_ready))


async def _serve(
    runner: web.AppRunner, options: argparse.Namespace, on_ready: Callable[[], Awaitable[None]] | None
) -> None:
    ended, tls = asyncio.Event(), server_tls()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, ended.set)
    runner.app.middlewares.insert(0, refuse_foreign_pages)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, options.port, backlog=1024, ssl_context=tls).start()
    except OSError as error:
        await runner.cleanup()
        raise SystemExit(
            f"Cannot listen on {LOOPBACK}:{options.port}: {error.strerror}. "
            "Stop the program that uses this port, or choose another port."
        ) from error
    if options.stop_with_parent:
        stop_with_parent()
    if on_ready is not None:
        await on_ready()
    announce_ready(f"{'https' if tls else 'http'}://{LOOPBACK}:{options.port}")
    await ended.wait()
    await runner.cleanup()
