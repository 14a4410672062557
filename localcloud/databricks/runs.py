"""The life of runs: from waiting for a cluster to their end, with cancelling, timeouts and lost clusters.

A run that was under way when the service died has lost its cluster: its process ends with the service, and the next
start of the service ends the run as a failure of the cloud. Nothing is adopted, just as Databricks adopts nothing.
"""

import asyncio
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.databricks.clusters import Launch, prepare_launch
from localcloud.databricks.errors import RunFault
from localcloud.databricks.faults import Faults
from localcloud.databricks.lake_mounts import LakeMounts
from localcloud.databricks.notebook_process import NotebookProcess
from localcloud.databricks.redaction import redacted
from localcloud.databricks.store import RunStore, now_ms
from localcloud.databricks.submission import Submission
from localcloud.databricks.views import WORKLOAD_FAILED
from localcloud.databricks.workspace import Workspace

log = logging.getLogger(__name__)
Json = dict[str, Any]
LOST = ("CLOUD_FAILURE", "The cluster was lost: its machine was taken away by the cloud provider.")
STOPPED = "The local Databricks was stopped while the run was under way, and with it the run's cluster."
CANCELLED = ("USER_CANCELED", "Run cancelled.")
TIMED_OUT = ("CANCELED", "The run took longer than timeout_seconds.")
DRIVER_LOST = ("DRIVER_ERROR", "The spark driver has stopped unexpectedly. Its log says more.")


@dataclass(frozen=True)
class RunnerOptions:
    """How notebooks run; ``warm`` is how many processes are kept ready, as a pool keeps machines."""

    clusters_folder: Path
    driver_memory: str
    most_clusters: int
    warm: int
    secrets: Mapping[str, Mapping[str, str]]
    lake: LakeMounts

    def all_secrets(self) -> list[str]:
        """Return what must not stand in any output."""
        return [self.lake.secret, *(text for scope in self.secrets.values() for text in scope.values())]


class Runner:
    """Runs notebooks, a few at a time.

    Args:
        store: keeps the runs.
        workspace: has the notebooks and libraries.
        faults: what is to fail.
        options: how notebooks run.
    """

    def __init__(self, store: RunStore, workspace: Workspace, faults: Faults, options: RunnerOptions) -> None:
        self._store = store
        self._workspace = workspace
        self._faults = faults
        self._options = options
        self._slots = asyncio.Semaphore(options.most_clusters)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._processes: dict[int, NotebookProcess] = {}
        self._endings: dict[int, tuple[str, str]] = {}
        self._pool: list[NotebookProcess] = []
        self._stopping = False

    def begin(self) -> None:
        """End what was under way when the service ended, and make processes ready."""
        for run in self._store.under_way():
            ending = CANCELLED if run.get("cancelled") else (LOST[0], STOPPED)
            self._end(run["run_id"], *ending)
        self._fill_pool()

    def stop(self) -> None:
        """Kill every process; the runs are ended at the next start."""
        self._stopping = True
        for process in (*self._processes.values(), *self._pool):
            process.kill()

    def start(self, run_id: int) -> None:
        """Begin to carry out a stored run."""
        self._tasks[run_id] = asyncio.create_task(self._carry_out(run_id))

    def cancel(self, run_id: int) -> None:
        """Ask a run to stop; it stops soon after."""
        self._store.change(run_id, state="TERMINATING", message="Run is being cancelled", cancelled=True)
        self._stop_run(run_id, CANCELLED)

    def lose_cluster(self, run_id: int) -> None:
        """Let a run's cluster disappear."""
        self._stop_run(run_id, LOST)

    def _stop_run(self, run_id: int, ending: tuple[str, str]) -> None:
        self._endings.setdefault(run_id, ending)
        if run_id in self._processes:
            self._processes[run_id].kill()
        elif run_id in self._tasks:
            self._tasks[run_id].cancel()

    async def _carry_out(self, run_id: int) -> None:
        try:
            async with self._slots:
                await self._run(run_id)
        except asyncio.CancelledError:
            if run_id not in self._endings:
                raise
            self._end(run_id, *self._endings.pop(run_id))
        except RunFault as fault:
            self._end(run_id, fault.code, fault.message)
        except Exception as error:
            log.exception("Run %s failed", run_id)
            self._end(run_id, "DRIVER_ERROR", f"The local Databricks failed: {type(error).__name__}: {error}")
        finally:
            del self._tasks[run_id]
            self._processes.pop(run_id, None)
            self._fill_pool()

    async def _run(self, run_id: int) -> None:
        run = self._store.run(run_id) or {}
        submission = Submission(**run["submission"])
        launch = prepare_launch(submission, self._workspace)
        message = await self._message(submission, launch)
        process = self._take_process(launch)
        self._processes[run_id] = process
        if self._faults.take("cluster"):
            self.lose_cluster(run_id)
        else:
            self._store.change(
                run_id,
                state="RUNNING",
                message="In run",
                started_at_ms=now_ms(),
                cluster_id=process.cluster_id,
            )
            process.tell(message)
        outcome = await self._outcome(run_id, process, submission.timeout_seconds or None)
        if run_id in self._endings:
            raise RunFault(*self._endings.pop(run_id))
        if not self._stopping:
            self._keep(run_id, outcome)

    async def _message(self, submission: Submission, launch: Launch) -> Json:
        return {
            "file": str(launch.notebook),
            "notebook_path": submission.notebook_path,
            "parameters": submission.parameters,
            "wheels": [str(wheel) for wheel in launch.wheels],
            "connector": launch.connector,
            "secrets": self._options.secrets,
            "mounts": await self._options.lake.mounts(),
        }

    async def _outcome(self, run_id: int, process: NotebookProcess, timeout: float | None) -> Json | None:
        waiting = asyncio.create_task(asyncio.to_thread(process.wait))
        done, _ = await asyncio.wait([waiting], timeout=timeout)
        if not done:
            self._stop_run(run_id, TIMED_OUT)
        return await waiting

    def _keep(self, run_id: int, outcome: Json | None) -> None:
        """Store what a notebook left."""
        if outcome is None or outcome.pop("driver_lost", False):
            raise RunFault(*DRIVER_LOST)
        secrets = self._options.all_secrets()
        left = {name: redacted(text, secrets) for name, text in outcome.items()}
        code, message = ("RUN_EXECUTION_ERROR", WORKLOAD_FAILED) if "error" in left else ("SUCCESS", "")
        self._end(run_id, code, message, **left)

    def _end(self, run_id: int, code: str, message: str, **left: str) -> None:
        self._store.change(
            run_id, state="TERMINATED", code=code, message=message, ended_at_ms=now_ms(), **left
        )

    def _take_process(self, launch: Launch) -> NotebookProcess:
        """Return a process that is ready, or a new one; settings of a cluster's own need one that starts with them."""
        while self._pool and not launch.spark_conf:
            process = self._pool.pop(0)
            if process.alive:
                return process
        return self._new_process(launch.spark_conf)

    def _fill_pool(self) -> None:
        """Make processes ready, but not while runs need the machine."""
        while len(self._pool) < self._options.warm and not self._tasks and not self._stopping:
            self._pool.append(self._new_process(None))

    def _new_process(self, spark_conf: Mapping[str, str] | None) -> NotebookProcess:
        folder = self._options.clusters_folder / f"local-{uuid.uuid4().hex[:12]}"
        return NotebookProcess(folder, self._options.driver_memory, spark_conf, self._options.all_secrets())
