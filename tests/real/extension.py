"""Microsoft's own Durable extension on Azurite, with this process as its worker; Azurite outlives it."""

import base64
import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from localcloud.cloud.processes import start_service, stop_service
from localcloud.common.names import LOOPBACK
from localcloud.common.ports import free_port
from localcloud.functions_host.extension.engine import STORAGE, with_quick_queues
from localcloud.functions_host.extension.program import ExtensionProgram
from localcloud.host_storage.__main__ import KEY_VARIABLE
from localcloud.lake import connection_string
from tests.contract.polling import HANG_SECONDS
from tests.real.tools import find

PROGRAM = ("extension-host", "D2C_EXTENSION_HOST")
KEY = base64.b64encode(b"a key for tests only, 32 bytes..").decode()

Activities = Mapping[str, Callable[[Any], Any]]
Orchestrators = Mapping[str, Callable[[str], str]]


def program() -> str | None:
    """Return the path of the program, by `D2C_EXTENSION_HOST` or from the PATH; None if it is not there."""
    return find(*PROGRAM)


class Azurite:
    """A storage account with blobs, queues and tables: the local cloud's for the Functions host.

    Args:
        folder: keeps its state.
    """

    def __init__(self, folder: Path) -> None:
        ports = {kind: free_port() for kind in ("queue", "table")}
        arguments = [part for kind, port in ports.items() for part in (f"--{kind}-port", str(port))]
        self._service = start_service(
            "host_storage", folder, arguments=arguments, environment={KEY_VARIABLE: KEY}
        )
        others = {kind.capitalize(): f"http://{LOOPBACK}:{port}" for kind, port in ports.items()}
        self.connection = connection_string(self._service.url, KEY, others)

    def stop(self) -> None:
        """End it."""
        stop_service(self._service)


class ExtensionHost:
    """The extension with a worker that answers from this process; it can be killed and started again.

    Args:
        folder: takes its settings and its log.
        azurite: its storage.
        settings: of the app's ``host.json``.
        orchestrators: by name, as the SDK's decorator makes them.
        activities: by name: payload in, answer out.
    """

    def __init__(
        self,
        folder: Path,
        azurite: Azurite,
        settings: Mapping[str, Any],
        orchestrators: Orchestrators,
        activities: Activities,
    ) -> None:
        self._orchestrators, self._activities = orchestrators, activities
        self.turns: Counter[str] = Counter()
        self.longest_history = 0
        functions = [{"name": name, "kind": "orchestrator"} for name in self._orchestrators]
        functions += [{"name": name, "kind": "activity"} for name in self._activities]
        self._program = ExtensionProgram(
            str(program()),
            folder,
            with_quick_queues(settings),
            functions,
            {STORAGE: azurite.connection},
            self._answer,
        )
        self.start()

    def start(self) -> None:
        """Start the program, and return once it listens."""
        self.binding = self._program.start(free_port())
        self._rpc = self.binding["rpcBaseUrl"].rstrip("/")

    def begin(self, orchestration: str, instance: str, value: Any) -> None:
        """Start an orchestration, as the SDK's client does.

        That one keeps its connections for the whole process, also those to a host that was killed.
        """
        url = f"{self._rpc}/orchestrators/{orchestration}/{instance}"
        httpx.post(url, json=value, timeout=HANG_SECONDS).raise_for_status()

    def status(self, instance: str) -> dict[str, Any]:
        """Return an instance's status, as Durable's API has it."""
        answer = httpx.get(f"{self._rpc}/instances/{instance}", timeout=HANG_SECONDS).raise_for_status()
        status: dict[str, Any] = answer.json()
        return status

    def kill(self) -> None:
        """End it as a crash does."""
        self._program.kill()

    def stop(self) -> None:
        """Ask it to end, as a deployment does."""
        self._program.stop()

    def _answer(self, kind: str, name: str, body: str) -> str:
        if kind == "orchestrator":
            self.turns[name] += 1
            self.longest_history = max(self.longest_history, len(body))
            return self._orchestrators[name](body)
        return json.dumps(self._activities[name](json.loads(body)))
