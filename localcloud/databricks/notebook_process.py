"""A cluster of this workspace: one notebook process with its JVM and its workers, in a process group of its own."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from localcloud.databricks.notebook_runner import OUTCOME_FILE
from localcloud.databricks.redaction import redacted

CHECKOUT = Path(__file__).parents[2]
LOG_FILE = "driver.log"
Json = dict[str, Any]


class NotebookProcess:
    """A process that has been started; see `localcloud.databricks.notebook_runner` for how it is talked to.

    Args:
        folder: takes its files: log, Spark's files, outcome.
        driver_memory: the JVM's heap.
        spark_conf: the cluster's own Spark settings; None for a process that is to be ready for any run.
        secrets: what must not stand in its log.
    """

    def __init__(
        self, folder: Path, driver_memory: str, spark_conf: Mapping[str, str] | None, secrets: Sequence[str]
    ) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self._process = subprocess.Popen(
            # Without -P, a folder "d2c" where the service was started would be imported from.
            [sys.executable, "-P", "-m", "localcloud.databricks.notebook_runner"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env=_environment(),
            start_new_session=True,
        )
        self._log = threading.Thread(target=self._write_log, args=(secrets,), daemon=True)
        self._log.start()
        self.tell(
            {
                "folder": str(folder),
                "driver_memory": driver_memory,
                "spark_conf": dict(spark_conf or {}),
                "warm_up": spark_conf is None,
            }
        )

    @property
    def cluster_id(self) -> str:
        """The cluster's name, which is that of its folder."""
        return self.folder.name

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def tell(self, message: Json) -> None:
        """Send a message; a process that has died does not hear it, which `wait` will tell."""
        assert self._process.stdin  # noqa: S101 - it was started with a pipe
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()

    def wait(self) -> Json | None:
        """Wait for its end and return the outcome, or None if it left none."""
        self._process.wait()
        self.kill()
        self._log.join()
        shutil.rmtree(self.folder / "scratch", ignore_errors=True)
        outcome = self.folder / OUTCOME_FILE
        return json.loads(outcome.read_text()) if outcome.exists() else None

    def kill(self) -> None:
        """Kill the process and all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _write_log(self, secrets: Sequence[str]) -> None:
        assert self._process.stdout  # noqa: S101 - it was started with a pipe
        with (self.folder / LOG_FILE).open("w", buffering=1) as log:
            for line in self._process.stdout:
                log.write(redacted(line, secrets))


def _environment() -> dict[str, str]:
    """Return this process's environment without the local cloud's secrets."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOCALCLOUD_")}
    return {**kept, "PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"}
