"""Microsoft's Durable and blob extensions as a process, whose worker this one is.

The program, ``extension-host``, hosts the released extensions without the rest of the Functions host. It speaks lines
of JSON over a socket: it asks for a turn of an orchestrator, for an activity or for a function of a blob, and is
answered as a language worker answers. It ends when its worker does.
"""

import json
import os
import socket
import subprocess
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from localcloud.common.names import LOOPBACK

# As many as the app's worker has on Azure (`PYTHON_THREADPOOL_THREAD_COUNT` in infra/).
WORKER_THREADS = 48
STOP_SECONDS = 60
LOOK_SECONDS = 0.5
READY = b"ready "

# Kind, name and body of a call; the answer is JSON text.
Answer = Callable[[str, str, str], str]


class ExtensionError(Exception):
    """The program does not run; the text says where its log is and how it ends."""


class ExtensionProgram:
    """The program, which can be started again after it has ended.

    Args:
        path: of the program.
        folder: takes its settings and its log.
        settings: of the app's ``host.json``.
        functions: each with a ``name`` and a ``kind``, those for blobs with ``path`` and ``connection``.
        connections: connection strings by the names of their settings; ``AzureWebJobsStorage`` is the host's storage.
        answer: called in a thread for each call; what it raises is told as a worker tells it.
    """

    def __init__(
        self,
        path: str,
        folder: Path,
        settings: Mapping[str, Any],
        functions: Sequence[Mapping[str, str]],
        connections: Mapping[str, str],
        answer: Answer,
    ) -> None:
        self._path, self._folder, self._connections = path, folder, connections
        self._answer = answer
        self._pool = ThreadPoolExecutor(WORKER_THREADS, "worker")
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "host.json").write_text(json.dumps(settings))
        (folder / "functions.json").write_text(json.dumps(functions))

    @property
    def log(self) -> Path:
        """Where the program's log is."""
        return self._folder / "extension.log"

    def start(self, events_port: int) -> dict[str, Any]:
        """Start the program; the result is what the client binding gives a function.

        Args:
            events_port: where it shall take Event Grid's deliveries.

        Raises:
            ExtensionError: if it ends before it is ready.
        """
        if self._process is not None:
            # Its port is taken until then.
            self._process.wait()
        files = [str(self._folder / "host.json"), str(self._folder / "functions.json")]
        with socket.create_server((LOOPBACK, 0)) as server, self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._path, *files, str(server.getsockname()[1]), str(events_port)],
                env={**os.environ, "FUNCTIONS_WORKER_RUNTIME": "python", **self._connections},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
            connection = self._accept(server, self._process)
        threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
        return self._binding(self._process)

    def _accept(self, server: socket.socket, process: subprocess.Popen[bytes]) -> socket.socket:
        server.settimeout(LOOK_SECONDS)
        while process.poll() is None:
            try:
                return server.accept()[0]
            except TimeoutError:
                continue
        raise self._ended()

    def _ended(self) -> ExtensionError:
        end = self.log.read_text(errors="replace")[-3000:]
        return ExtensionError(f"{self._path} ended. The end of its log:\n{end}\nThe whole log: {self.log}")

    def _binding(self, process: subprocess.Popen[bytes]) -> dict[str, Any]:
        output = process.stdout
        assert output is not None  # noqa: S101 - asked for above
        for line in output:
            if line.startswith(READY):
                threading.Thread(target=output.read, daemon=True).start()
                binding: dict[str, Any] = json.loads(line.removeprefix(READY))
                return binding
        raise self._ended()

    def stop(self) -> None:
        """Ask it to end, as a deployment does."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it as a crash does, without waiting for its end."""
        if self._process is not None:
            self._process.kill()

    def _serve(self, connection: socket.socket) -> None:
        stream, lock = connection.makefile("rwb"), threading.Lock()
        try:
            for line in stream:
                self._pool.submit(self._respond, json.loads(line), stream, lock)
        except OSError:
            connection.close()

    def _respond(self, call: Mapping[str, Any], stream: Any, lock: Any) -> None:
        answer: dict[str, Any] = {"id": call["id"], "json": None, "error": None}
        try:
            answer["json"] = self._answer(call["kind"], call["name"], call["body"])
        except Exception as error:
            answer["error"] = {"message": f"{type(error).__name__}: {error}", "stack": traceback.format_exc()}
        try:
            with lock:
                stream.write(json.dumps(answer).encode() + b"\n")
                stream.flush()
        except (OSError, ValueError):
            # The program was killed meanwhile; what it had asked for it asks for again.
            return
