"""The life of runs: from waiting for a cluster to their end, with cancelling, timeouts and lost clusters.

A run that was under way when the service died has lost its cluster: its process ends with the service, and the next
start of the service ends the run as a failure of the cloud. Nothing is adopted, just as Databricks adopts nothing.
"""

import asyncio
import json
import logging
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.databricks.errors import RunFault
from localcloud.databricks.faults import Faults
from localcloud.databricks.files.lake_files import LakeMounts
from localcloud.databricks.files.volumes import VolumeMount
from localcloud.databricks.files.workspace import Workspace
from localcloud.databricks.notebook.protocol import LIBRARIES, OUTCOME_FILE
from localcloud.databricks.notebook.volumes import keep_place
from localcloud.databricks.runs.child_process import ChildProcess
from localcloud.databricks.runs.clusters import Launch, prepare_launch
from localcloud.databricks.runs.existing_cluster import ExistingCluster
from localcloud.databricks.runs.redaction import redacted
from localcloud.databricks.runs.store import RunStore, now_ms
from localcloud.databricks.runs.submission import Submission

log = logging.getLogger(__name__)
MODULE = "localcloud.databricks.notebook.runner"
Json = dict[str, Any]
LOST = ("CLOUD_FAILURE", "The cluster was lost: its machine was taken away by the cloud provider.")
STOPPED = "The local Databricks was stopped while the run was under way, and with it the run's cluster."
WORKLOAD_FAILED = "Workload failed, see run output for details"
CANCELLED = ("USER_CANCELED", "Run cancelled.")
TIMED_OUT = ("CANCELED", "The run took longer than timeout_seconds.")
DRIVER_LOST = ("DRIVER_ERROR", "The spark driver has stopped unexpectedly. Its log says more.")


@dataclass(frozen=True)
class RunnerOptions:
    """How notebooks run; ``keep_cluster`` starts the existing cluster before a run asks for it."""

    clusters_folder: Path
    driver_memory: str
    most_clusters: int
    keep_cluster: bool
    secrets: Mapping[str, Mapping[str, str]]
    lake: LakeMounts
    volumes: VolumeMount

    def all_secrets(self) -> list[str]:
        """Return what must not appear in any output."""
        own = (self.lake.secret, self.volumes.secret)
        return [*own, *(text for scope in self.secrets.values() for text in scope.values())]


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
        self._processes: dict[int, ChildProcess] = {}
        self._endings: dict[int, tuple[str, str]] = {}
        self._existing = ExistingCluster(
            options.clusters_folder, options.driver_memory, options.all_secrets(), options.volumes.url()
        )
        self._on_existing: set[int] = set()
        self._stopping = False

    def existing_state(self) -> str:
        """Return the state of the existing cluster, which starts when a run needs it."""
        return "RUNNING" if self._existing.is_running() else "TERMINATED"

    def begin(self) -> None:
        """End what was under way when the service ended, and start the existing cluster if it is to be kept."""
        for scratch in self._options.clusters_folder.glob("*/scratch"):
            shutil.rmtree(scratch, ignore_errors=True)
        for run in self._store.under_way():
            ending = CANCELLED if run.get("cancelled") else (LOST[0], STOPPED)
            self._end(run["run_id"], *ending)
        if self._options.keep_cluster:
            self._warming = asyncio.create_task(self._existing.gateway())

    def stop(self) -> None:
        """Kill every process; the runs are ended at the next start."""
        self._stopping = True
        for run_id, task in self._tasks.items():
            if run_id not in self._processes:
                task.cancel()
        for process in self._processes.values():
            process.kill()
        self._existing.kill()

    def start(self, run_id: int, submission: Submission) -> None:
        """Begin to carry out a run that has been stored."""
        self._tasks[run_id] = asyncio.create_task(self._carry_out(run_id, submission))

    def cancel(self, run_id: int) -> None:
        """Ask a run to stop; it stops soon after."""
        self._store.change(run_id, state="TERMINATING", message="Run is being cancelled", cancelled=True)
        self._stop_run(run_id, CANCELLED)

    def lose_cluster(self, run_id: int) -> None:
        """Let a run's cluster disappear, with all other runs on it."""
        if run_id in self._on_existing:
            self._existing.kill()
        self._stop_run(run_id, LOST)

    def _stop_run(self, run_id: int, ending: tuple[str, str]) -> None:
        self._endings.setdefault(run_id, ending)
        if run_id in self._processes:
            self._processes[run_id].kill()
            if run_id in self._on_existing:
                self._existing.cancel(_job_group(run_id))
        elif run_id in self._tasks:
            self._tasks[run_id].cancel()

    async def _carry_out(self, run_id: int, submission: Submission) -> None:
        try:
            async with self._slots:
                await self._run(run_id, submission)
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
            self._on_existing.discard(run_id)

    async def _run(self, run_id: int, submission: Submission) -> None:
        launch = prepare_launch(submission, self._workspace)
        process = ChildProcess(MODULE, self._new_folder(), self._options.all_secrets())
        self._processes[run_id] = process
        try:
            if launch.has_volumes:
                keep_place(process.folder, self._options.volumes.url())
            message = await self._message(run_id, submission, launch, process.folder)
            if self._faults.take("cluster"):
                self.lose_cluster(run_id)
            self._store.change(
                run_id,
                state="RUNNING",
                message="In run",
                started_at_ms=now_ms(),
                cluster_id=process.folder.name,
            )
            process.tell(message)
            outcome = await self._outcome(run_id, process, submission.timeout_seconds or None)
        finally:
            process.kill()
        if run_id in self._endings:
            raise RunFault(*self._endings.pop(run_id))
        if not self._stopping:
            self._keep(run_id, outcome)

    async def _message(self, run_id: int, submission: Submission, launch: Launch, folder: Path) -> Json:
        """Return the order for a notebook process; a run on the existing cluster waits for that."""
        gateway = None
        if submission.cluster is None:
            self._on_existing.add(run_id)
            gateway = await self._existing.gateway()
        return {
            "folder": str(folder),
            "libraries": str(self._existing.libraries if gateway else folder / LIBRARIES),
            "gateway": gateway,
            "group": _job_group(run_id),
            "driver_memory": self._options.driver_memory,
            "spark_conf": dict(launch.spark_conf),
            "file": str(launch.notebook),
            "notebook_path": submission.notebook_path,
            "parameters": submission.parameters,
            "wheels": [str(wheel) for wheel in launch.wheels],
            "connector": launch.connector,
            "secrets": self._options.secrets,
            "mounts": self._options.lake.mounts(),
        }

    async def _outcome(self, run_id: int, process: ChildProcess, timeout: float | None) -> Json | None:
        waiting = asyncio.create_task(asyncio.to_thread(process.wait))
        done, _ = await asyncio.wait([waiting], timeout=timeout)
        if not done:
            self._stop_run(run_id, TIMED_OUT)
        await waiting
        shutil.rmtree(process.folder / "scratch", ignore_errors=True)
        outcome = process.folder / OUTCOME_FILE
        if not outcome.exists():
            return None
        found: Json = json.loads(outcome.read_text())
        return found

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

    def _new_folder(self) -> Path:
        return self._options.clusters_folder / f"local-{uuid.uuid4().hex[:12]}"


def _job_group(run_id: int) -> str:
    """Return the name by which Spark knows the jobs of a run."""
    return f"run-{run_id}"
