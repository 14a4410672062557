"""Microsoft's own Durable extension as a process, on Azurite, with this process as its worker.

The program, `extension-host`, speaks lines of JSON over a socket: it asks for a turn of an orchestrator or for an
activity, and is answered as a language worker answers. Azurite outlives it, so that it can be killed.
"""

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from localcloud.cloud.processes import free_port
from localcloud.common.checkout import NODE_MODULES
from tests.contract.polling import HANG_SECONDS, wait_until

AZURITE = NODE_MODULES / "azurite" / "dist" / "src" / "azurite.js"
ACCOUNT = "devstoreaccount1"
KEY = base64.b64encode(b"a key for tests only, 32 bytes..").decode()
# The least that the extension takes: what a host had taken when it died comes back after this.
VISIBILITY_TIMEOUT = "00:01:00"
WORKER_THREADS = 48
STOP_SECONDS = 60

Activities = Mapping[str, Callable[[Any], Any]]
Orchestrators = Mapping[str, Callable[[str], str]]


def program() -> str | None:
    """Return the path of the program, by `D2C_EXTENSION_HOST` or from the PATH; None if it is not there."""
    return os.environ.get("D2C_EXTENSION_HOST") or shutil.which("extension-host")


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
        self._folder, self._azurite = folder, azurite
        self._orchestrators, self._activities = orchestrators, activities
        self._pool = ThreadPoolExecutor(WORKER_THREADS, "worker")
        self.turns: Counter[str] = Counter()
        self.longest_history = 0
        self._write_settings(settings)
        self.start()

    def _write_settings(self, settings: Mapping[str, Any]) -> None:
        host: dict[str, Any] = json.loads(json.dumps(settings))
        host["extensions"]["durableTask"]["storageProvider"] |= {
            "maxQueuePollingInterval": "00:00:00.200",
            "controlQueueVisibilityTimeout": VISIBILITY_TIMEOUT,
            "workItemQueueVisibilityTimeout": VISIBILITY_TIMEOUT,
        }
        (self._folder / "host.json").write_text(json.dumps(host))
        functions = [{"name": name, "kind": "orchestrator"} for name in self._orchestrators]
        functions += [{"name": name, "kind": "activity"} for name in self._activities]
        (self._folder / "functions.json").write_text(json.dumps(functions))

    def start(self) -> None:
        """Start the program, and return once it listens."""
        with socket.create_server(("127.0.0.1", 0)) as server, self._log.open("ab") as log:
            command = [str(program()), str(self._folder / "host.json"), str(self._folder / "functions.json")]
            self._process = subprocess.Popen(
                [*command, str(server.getsockname()[1]), str(free_port())],
                env={
                    **os.environ,
                    "FUNCTIONS_WORKER_RUNTIME": "python",
                    "AzureWebJobsStorage": self._azurite.connection,
                },
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
            connection, _ = server.accept()
        threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
        self._rpc = json.loads(self._binding())["rpcBaseUrl"].rstrip("/")
        threading.Thread(target=self._process.stdout.read, daemon=True).start()  # type: ignore[union-attr]

    @property
    def _log(self) -> Path:
        return self._folder / "extension.log"

    def _binding(self) -> str:
        """Return what the client binding hands a function, which the program prints once it is ready."""
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith(b"ready "):
                return line.decode().partition(" ")[2]
        raise AssertionError(f"the extension host ended: {self._log.read_text()[-3000:]}")

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
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Ask it to end, as a deployment does."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def _serve(self, connection: socket.socket) -> None:
        stream, lock = connection.makefile("rwb"), threading.Lock()
        try:
            for line in stream:
                self._pool.submit(self._answer, json.loads(line), stream, lock)
        except OSError:
            connection.close()

    def _answer(self, call: Mapping[str, Any], stream: Any, lock: Any) -> None:
        answer: dict[str, Any] = {"id": call["id"], "json": None, "error": None}
        try:
            if call["kind"] == "orchestrator":
                self.turns[call["name"]] += 1
                self.longest_history = max(self.longest_history, len(call["body"]))
                answer["json"] = self._orchestrators[call["name"]](call["body"])
            else:
                answer["json"] = json.dumps(self._activities[call["name"]](json.loads(call["body"])))
        except Exception as error:
            answer["error"] = {"message": f"{type(error).__name__}: {error}", "stack": traceback.format_exc()}
        try:
            with lock:
                stream.write(json.dumps(answer).encode() + b"\n")
                stream.flush()
        except (OSError, ValueError):
            # The host was killed meanwhile; what it had asked for it asks for again.
            return
