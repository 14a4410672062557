"""A Databricks with simulated load runs: each takes a given time, reports the manifest's counts and loads nothing.

The Jobs API is the local cloud's own; only the runner is different. With Spark on the same cores, a benchmark
of many small tables would measure Spark.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from d2c.app.settings import read_settings
from d2c.clients.azure.lake import Lake, connect_lake
from d2c.export_format import read_export_manifest
from d2c.load_run.progress import RunProgress
from d2c.load_run.request import LoadRequest, read_requests
from d2c.load_run.unit.log import ended_tables
from localcloud.cloud.app_settings import app_settings, lake_connection
from localcloud.cloud.identity import Identity
from localcloud.common.names import LOOPBACK
from localcloud.databricks.api.reads import Reads
from localcloud.databricks.api.server import Api
from localcloud.databricks.faults import Faults
from localcloud.databricks.files.workspace import Workspace
from localcloud.databricks.runs.runner import Runner
from localcloud.databricks.runs.store import RunStore, now_ms
from localcloud.databricks.runs.submission import Submission


class SimulatedRunner(Runner):
    """Simulates runs: waits for the time of a load and writes the notebook's results.

    Args:
        store: keeps the runs.
        lake: the lake.
        start_seconds: the time of a run before its first table.
        seconds_per_table: how long each table takes.
    """

    def __init__(self, store: RunStore, lake: Lake, start_seconds: float, seconds_per_table: float) -> None:
        self._store = store
        self._lake = lake
        self._start_seconds = start_seconds
        self._seconds_per_table = seconds_per_table
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def start(self, run_id: int, submission: Submission) -> None:
        """Carry a run out."""
        self._tasks[run_id] = asyncio.create_task(self._simulate(run_id, submission.parameters["request"]))

    def cancel(self, run_id: int) -> None:
        """End a run before its next table."""
        self._tasks[run_id].cancel()
        self._end(run_id, "USER_CANCELED", "Run cancelled.")

    def lose_cluster(self, run_id: int) -> None:
        """End a run as one whose cluster was lost."""
        self._tasks[run_id].cancel()
        self._end(run_id, "CLOUD_FAILURE", "The cluster was lost.")

    async def _simulate(self, run_id: int, path: str) -> None:
        self._store.change(run_id, state="RUNNING", message="In run", started_at_ms=now_ms())
        try:
            await asyncio.sleep(self._start_seconds)
            requests, log = await asyncio.to_thread(read_requests, path, self._read)
            for request in requests:
                if log is None or request.table not in await asyncio.to_thread(self._ended, log):
                    await asyncio.to_thread(self._load, request)
        except Exception as error:
            self._end(run_id, "RUN_EXECUTION_ERROR", str(error))
            raise
        self._end(run_id, "SUCCESS", "")

    def _load(self, request: LoadRequest) -> None:
        """Write the progress and result of a table that was assessed, loaded and verified successfully."""
        folder = _in_lake(request.result_folder)
        progress = RunProgress(lambda name, text: self._lake.write(f"{folder}/{name}", text.encode()))
        manifest = read_export_manifest(
            lambda name: self._read(f"{request.export_folder}/{name}").encode(),
            export_arn=request.export_arn,
            table_arn=request.table_arn,
        )
        items, files = manifest.summary.item_count, len(manifest.files)
        sums = {"lines": items, "documents": items, "expired": 0, "rejected": 0, "rejected_by_reason": {}}
        counts = {"expected": items, "actual": items, "missing": 0, "unexpected": 0, "different": 0}
        findings: dict[str, dict[str, Any]] = {
            "assess": {"assessed": sums, "files": {"listed": files, "verified": files}},
            "load": {"loaded": sums, "load_started_at": int(time.time())},
            "verify": {"verification": {**counts, "method": request.verify}, "mismatches": []},
        }
        for stage in request.stages:
            with progress.stage(stage):
                time.sleep(self._seconds_per_table / len(request.stages))
                progress.note(**findings[stage])
        progress.close()

    def _ended(self, log: str) -> set[str]:
        return ended_tables((self._lake.read(_in_lake(log)) or b"").decode())

    def _read(self, path: str) -> str:
        content = self._lake.read(_in_lake(path))
        if content is None:
            raise FileNotFoundError(path)
        return content.decode()


@contextmanager
def simulated_databricks(
    identity: Identity, state_folder: Path, *, start_seconds: float, seconds_per_table: float
) -> Iterator[None]:
    """Serve the Jobs API in place of the local cloud's own within the context.

    Args:
        identity: the local cloud's, with its port, token and lake.
        state_folder: keeps the runs.
        start_seconds: the time of a run before its first table.
        seconds_per_table: the time of each table in a run.
    """
    # With the key: this process has no identity of the local cloud.
    settings = {**app_settings(identity), "D2C_LAKE": lake_connection(identity)}
    lake = connect_lake(read_settings(settings))
    loop = asyncio.new_event_loop()

    async def begin() -> web.AppRunner:
        store = RunStore(state_folder / "simulated-databricks.sqlite")
        runner = SimulatedRunner(store, lake, start_seconds, seconds_per_table)
        application = web.Application()
        workspace = Workspace(state_folder)
        reads = Reads(workspace, runner, {})
        Api(identity.databricks_token, store, runner, workspace, Faults(), reads).add_routes(
            application.router
        )
        served = web.AppRunner(application, access_log=None)
        await served.setup()
        await web.TCPSite(served, LOOPBACK, identity.ports["databricks"], backlog=1024).start()
        return served

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    served = asyncio.run_coroutine_threadsafe(begin(), loop).result()
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(served.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def _in_lake(path: str) -> str:
    """Return the path within the lake's file system of an address such as Spark takes."""
    return path.split("/", 3)[3]
