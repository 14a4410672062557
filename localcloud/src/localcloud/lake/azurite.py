"""Azurite as a process: a storage account with blobs and, where they have a port, queues and tables."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path

from localcloud.common.checkout import NODE_MODULES
from localcloud.common.names import LOOPBACK
from localcloud.common.service import announce_ready, stop_with_parent
from localcloud.lake import ACCOUNT

PROGRAMS = NODE_MODULES / "azurite" / "dist" / "src"
END_WITH_PARENT = Path(__file__).with_name("end_with_parent.js")
POLL_SECONDS = 0.05
# Azurite writes its state when it ends.
END_SECONDS = 5.0


def run_azurite(
    options: Namespace,
    key: str,
    ports: Mapping[str, int],
    *preloaded: Path,
    beside: Callable[[], None] = lambda: None,
) -> None:
    """Run Azurite until this process is asked to end, or Azurite ends.

    Args:
        options: of a `service_parser`; its port is that of the blobs.
        key: the account's, base64.
        ports: of ``queue`` and ``table``; none if there are blobs only.
        preloaded: scripts that are loaded before Azurite.
        beside: called once Azurite answers; starts what serves beside it.
    """
    taken = {"blob": options.port, **ports}
    command = [_node(), *(f"--require={path}" for path in (END_WITH_PARENT, *preloaded)), _program(ports)]
    for kind, port in taken.items():
        command += [f"--{kind}Host", LOOPBACK, f"--{kind}Port", str(port)]
    command += ["--location", str(options.state_folder), "--silent"]
    command += ["--skipApiVersionCheck", "--disableTelemetry"]
    _wait_for_the_end_of_another(options.port)
    environment = {**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{key}"}
    azurite = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=sys.stderr)
    _watch(azurite, options, [port for port in taken.values() if port], beside)


def _watch(
    azurite: subprocess.Popen[bytes], options: Namespace, ports: list[int], beside: Callable[[], None]
) -> None:
    """Say when Azurite answers, and end it when this process is asked to."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    if options.stop_with_parent:
        stop_with_parent()
    while azurite.poll() is None and not all(_answers(port) for port in ports):
        ended.wait(POLL_SECONDS)
    if azurite.poll() is not None:
        raise SystemExit(
            f"Azurite ended with status {azurite.returncode}: is one of the ports {ports} in use?"
        )
    beside()
    announce_ready(f"http://{LOOPBACK}:{options.port}")
    while azurite.poll() is None and not ended.wait(POLL_SECONDS * 4):
        pass
    azurite.terminate()
    azurite.wait()


def _wait_for_the_end_of_another(port: int) -> None:
    """Give the Azurite of a service that was killed a moment ago the time to end.

    Raises:
        SystemExit: if the port stays taken.
    """
    deadline = time.monotonic() + END_SECONDS
    while _answers(port):
        if time.monotonic() > deadline:
            raise SystemExit(
                f"Cannot listen on {LOOPBACK}:{port}: another program does. Stop it, or choose another port."
            )
        time.sleep(POLL_SECONDS)


def _node() -> str:
    node = shutil.which("node")
    if node is None:
        raise SystemExit("Node.js is missing, which Azurite needs. Install Node.js 20 or newer.")
    return node


def _program(ports: Mapping[str, int]) -> str:
    """Return Azurite's program for all kinds of storage, or that for blobs only."""
    program = PROGRAMS / ("azurite.js" if ports else "blob/main.js")
    if not program.exists():
        raise SystemExit(f"Azurite is missing at {program}. Install it: make setup")
    return str(program)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((LOOPBACK, port)) == 0
