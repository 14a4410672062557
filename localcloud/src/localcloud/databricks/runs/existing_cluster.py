"""The cluster that runs may name by its id: started when it is needed, and again after it was lost."""

import asyncio
import socket
from pathlib import Path
from typing import Any

from localcloud.common.names import LOOPBACK
from localcloud.databricks.errors import RunFault
from localcloud.databricks.notebook.protocol import LIBRARIES
from localcloud.databricks.notebook.volumes import keep_place
from localcloud.databricks.runs.child_process import ChildProcess

MODULE = "localcloud.databricks.notebook.cluster_driver"
Json = dict[str, Any]


class ExistingCluster:
    """The existing cluster.

    Args:
        folder: takes a folder of its own for each start.
        driver_memory: the heap of its JVM.
        secrets: what must not appear in its log.
        volumes: the address of its volumes.
    """

    def __init__(self, folder: Path, driver_memory: str, secrets: list[str], volumes: str) -> None:
        self._folder = folder
        self._driver_memory = driver_memory
        self._secrets = secrets
        self._volumes = volumes
        self._process: ChildProcess | None = None
        self._gateway: Json | None = None
        self._starting = asyncio.Lock()

    @property
    def libraries(self) -> Path:
        """The folder of what its runs have installed."""
        assert self._process is not None  # noqa: S101 - a run asks for its gateway first
        return self._process.folder / LIBRARIES

    async def gateway(self) -> Json:
        """Return where the driver's gateway is, once it has one.

        Raises:
            RunFault: if the driver does not come up.
        """
        async with self._starting:
            if not self.is_running():
                self.kill()
                self._process = self._start()
                self._gateway = await asyncio.to_thread(self._process.announcement)
            if self._gateway is None:
                raise RunFault(
                    "DRIVER_ERROR", "The driver of the existing cluster did not start. Its log says why."
                )
            return self._gateway

    def cancel(self, group: str) -> None:
        """Cancel the jobs of a run."""
        if self._process is not None:
            self._process.tell({"cancel": group})

    def kill(self) -> None:
        """Let it disappear with all that runs on it."""
        self._gateway = None
        if self._process is not None:
            self._process.kill()

    def is_running(self) -> bool:
        """Return whether the JVM lives; its driver notices its death a moment later."""
        if self._gateway is None:
            return False
        with socket.socket() as probe:
            return probe.connect_ex((LOOPBACK, self._gateway["port"])) == 0

    def _start(self) -> ChildProcess:
        number = sum(1 for _ in self._folder.glob("existing-*")) + 1
        process = ChildProcess(MODULE, self._folder / f"existing-{number}", self._secrets)
        keep_place(process.folder, self._volumes)
        process.tell({"folder": str(process.folder), "driver_memory": self._driver_memory})
        return process
