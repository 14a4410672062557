"""Starting services of the local cloud as processes of their own, and ending those again, and only those."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from localcloud.cloud.lock import OTHERS
from localcloud.common.ports import free_port

# A busy machine takes its time; whoever takes longer than this hangs.
READY_TIMEOUT_SECONDS = 600.0
STOP_TIMEOUT_SECONDS = 10.0
LOG_TAIL_LINES = 15


class ServiceFailedError(Exception):
    """A service did not come up; the text names the service, the end of its log, and where the rest is."""


@dataclass(frozen=True)
class ServiceProcess:
    """A running service: its name, its address and its process."""

    name: str
    url: str
    process: subprocess.Popen[str]


def start_service(
    name: str,
    state_folder: Path,
    *,
    port: int | None = None,
    arguments: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    ready_timeout_seconds: float = READY_TIMEOUT_SECONDS,
) -> ServiceProcess:
    """Start ``python -m localcloud.<name>`` and wait for its ready line.

    Args:
        name: the service's module below ``localcloud``.
        state_folder: becomes the service's state folder; its log is ``<name>.log`` in there.
        port: the loopback port; a free one if None.
        arguments: further command line arguments. Never a secret.
        environment: added to this process's environment. The place for secrets.
        ready_timeout_seconds: how long the ready line may take.

    Raises:
        ServiceFailedError: if the process ends, or says nothing in time.
    """
    state_folder.mkdir(parents=True, exist_ok=True)
    log_path = state_folder / f"{name}.log"
    command = [sys.executable, "-m", f"localcloud.{name}", "--stop-with-parent"]
    command += ["--port", str(port or free_port()), "--state-folder", str(state_folder), *arguments]
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, **(environment or {})},
            # Ctrl-C reaches the starter alone, which ends services in order. A session of its own would do the same,
            # but Linux shares cores among sessions: on a busy machine the many of the rest starve a new one.
            process_group=0,
            umask=OTHERS,
        )
    line = _first_line(process, ready_timeout_seconds)
    if line is None:
        stop_service(ServiceProcess(name, "", process))
        raise ServiceFailedError(
            f"The local {name} service did not start. The end of its log:\n{_tail(log_path)}\nThe whole log: {log_path}"
        )
    return ServiceProcess(name, json.loads(line)["url"], process)


def stop_service(service: ServiceProcess) -> None:
    """End a service that `start_service` started: ask first, kill after ten seconds."""
    service.process.terminate()
    try:
        service.process.wait(STOP_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        service.process.kill()
        service.process.wait()
    for pipe in (service.process.stdin, service.process.stdout):
        if pipe is not None:
            pipe.close()


def _first_line(process: subprocess.Popen[str], timeout_seconds: float) -> str | None:
    """Return the first line of a process's output, or None if it ends or stays silent."""
    lines: queue.Queue[str] = queue.Queue()
    output = process.stdout
    assert output is not None  # noqa: S101 - the caller asked for a pipe
    threading.Thread(target=lambda: lines.put(output.readline()), daemon=True).start()
    try:
        return lines.get(timeout=timeout_seconds) or None
    except queue.Empty:
        return None


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])
