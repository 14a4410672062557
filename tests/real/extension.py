"""Microsoft's own Durable extension on Azurite, with this process as its worker; Azurite outlives it."""

import base64
import json
import os
import socket
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from localcloud.common.checkout import NODE_MODULES
from localcloud.common.ports import free_port
from localcloud.functions_host.extension.engine import STORAGE
from localcloud.functions_host.extension.program import ExtensionProgram
from tests.contract.polling import HANG_SECONDS, wait_until
from tests.real.tools import find

PROGRAM = ("extension-host", "D2C_EXTENSION_HOST")
AZURITE = NODE_MODULES / "azurite" / "dist" / "src" / "azurite.js"
ACCOUNT = "devstoreaccount1"
KEY = base64.b64encode(b"a key for tests only, 32 bytes..").decode()
# The least that the extension takes: what a host had taken when it died comes back after this.
VISIBILITY_TIMEOUT = "00:01:00"

Activities = Mapping[str, Callable[[Any], Any]]
Orchestrators = Mapping[str, Callable[[str], str]]


def program() -> str | None:
    """Return the path of the program, by `D2C_EXTENSION_HOST` or from the PATH; None if it is not there."""
    return find(*PROGRAM)


class Azurite:
    """A storage account with blobs, queues and tables.

    Args:
        folder: keeps its state.
    """

    def __init__(self, folder: Path) -> None:
        ports = {kind: free_port() for kind in ("blob", "queue", "table")}
        command = ["node", str(AZURITE), "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
        command += ["--location", str(folder)]
        for kind, port in ports.items():
            command += [f"--{kind}Port", str(port), f"--{kind}Host", "127.0.0.1"]
        self._process = subprocess.Popen(
            command,
            env={**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        endpoints = "".join(
            f"{kind.capitalize()}Endpoint=http://127.0.0.1:{port}/{ACCOUNT};" for kind, port in ports.items()
        )
        self.connection = f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};{endpoints}"
        wait_until(lambda: all(_answers(port) for port in ports.values()))

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


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
            str(program()), folder, _quick(settings), functions, {STORAGE: azurite.connection}, self._answer
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


def _quick(settings: Mapping[str, Any]) -> dict[str, Any]:
    host: dict[str, Any] = json.loads(json.dumps(settings))
    host["extensions"]["durableTask"]["storageProvider"] |= {
        "maxQueuePollingInterval": "00:00:00.200",
        "controlQueueVisibilityTimeout": VISIBILITY_TIMEOUT,
        "workItemQueueVisibilityTimeout": VISIBILITY_TIMEOUT,
    }
    return host
