"""A process with Spark in it, in a process group of its own: a notebook's, or the driver of the existing cluster."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from localcloud.common.checkout import SOURCES
from localcloud.databricks.notebook.protocol import ANNOUNCEMENT
from localcloud.databricks.runs.redaction import redacted

# Python runs the `sitecustomize` in there at its start.
WORKER_START = Path(__file__).with_name("worker_start")
LOG_FILE = "driver.log"
Json = dict[str, Any]


class ChildProcess:
    """A process that has been started; see `localcloud.databricks.notebook.protocol` for how it is talked to.

    Args:
        module: what it runs.
        folder: takes its files: log, Spark's files, outcome.
        secrets: what must not appear in its log.
    """

    def __init__(self, module: str, folder: Path, secrets: Sequence[str]) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self._process = subprocess.Popen(
            # Without -P, a folder "d2c" where the service was started would be imported from.
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env=_environment(),
            process_group=0,
        )
        self._announcements: queue.Queue[Json | None] = queue.Queue()
        self._log = threading.Thread(target=self._write_log, args=(secrets,), daemon=True)
        self._log.start()

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def tell(self, message: Json) -> None:
        """Send a message; a process that has died does not hear it, which `wait` shows."""
        assert self._process.stdin  # noqa: S101 - it was started with a pipe
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()

    def announcement(self) -> Json | None:
        """Wait for what it announces next, and return that, or None if it has ended."""
        return self._announcements.get()

    def wait(self) -> None:
        """Wait for its end."""
        self._process.wait()
        self.kill()
        self._log.join()

    def kill(self) -> None:
        """Kill the process and all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _write_log(self, secrets: Sequence[str]) -> None:
        assert self._process.stdout  # noqa: S101 - it was started with a pipe
        with (self.folder / LOG_FILE).open("w", buffering=1) as log:
            for line in self._process.stdout:
                if line.startswith(ANNOUNCEMENT):
                    self._announcements.put(json.loads(line.removeprefix(ANNOUNCEMENT)))
                else:
                    log.write(redacted(line, secrets))
        self._announcements.put(None)


def _environment() -> dict[str, str]:
    """Return this process's environment without the local cloud's secrets."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOCALCLOUD_")}
    path = os.pathsep.join([str(SOURCES), str(WORKER_START)])
    return {**kept, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
