"""Runs Azurite's blob service as a service of the local cloud: ``python -m localcloud.lake``."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from localcloud.common.checkout import NODE_MODULES
from localcloud.common.names import LOOPBACK
from localcloud.common.service import (
    announce_ready,
    required_variable,
    service_parser,
    stop_with_parent,
)
from localcloud.lake import ACCOUNT

KEY_VARIABLE = "LOCALCLOUD_LAKE_KEY"
AZURITE = NODE_MODULES / "azurite" / "dist" / "src" / "blob" / "main.js"
PRELOADED = [Path(__file__).with_name(name) for name in ("end_with_parent.js", "tell_writes.js")]
POLL_SECONDS = 0.05
# Azurite writes its state when it ends.
END_SECONDS = 5.0


def main() -> None:
    """Run Azurite until this process is asked to end, or Azurite ends.

    The environment brings ``LOCALCLOUD_LAKE_KEY`` and, for a receiver of reports of written blobs,
    ``LOCALCLOUD_LAKE_LISTENER``, an address that takes lists of ``{"container", "blob", "etag"}``.
    """
    options = service_parser("lake", "The local lake: Azurite's blob service.").parse_args()
    command = [_node(), *(f"--require={path}" for path in PRELOADED), str(AZURITE)]
    command += ["--blobHost", LOOPBACK, "--blobPort", str(options.port)]
    command += [
        "--location",
        str(options.state_folder),
        "--silent",
        "--skipApiVersionCheck",
        "--disableTelemetry",
    ]
    environment = {**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{required_variable(KEY_VARIABLE)}"}
    _wait_for_the_end_of_another(options.port)
    azurite = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=sys.stderr)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    if options.stop_with_parent:
        stop_with_parent()
    while azurite.poll() is None and not _answers(options.port):
        ended.wait(POLL_SECONDS)
    if azurite.poll() is not None:
        raise SystemExit(f"Azurite ended with status {azurite.returncode}: is port {options.port} in use?")
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
    if not AZURITE.exists():
        raise SystemExit(f"Azurite is missing at {AZURITE}. Install it: make setup")
    return node


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((LOOPBACK, port)) == 0


if __name__ == "__main__":
    main()
