"""A lake in memory and the outside systems of a simulated migration, which are nothing but times."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from d2c.clients.azure.lake import MOST_BYTES
from d2c.clients.databricks.jobs import NotebookRun
from d2c.errors import BusyError
from d2c.load_run.progress import RESULT_FILE

RUNNING = NotebookRun(ended=False, succeeded=False, cancelled=False, healable=False, message="")
SUCCEEDED = NotebookRun(ended=True, succeeded=True, cancelled=False, healable=False, message="")
VERIFIED: dict[str, Any] = {
    "state": "succeeded",
    "error": None,
    "stages": [
        {
            "stage": "verify",
            "state": "succeeded",
            "started_at": "2026-01-01T00:00:00+00:00",
            "seconds": 1.0,
        }
    ],
    "verification": {
        "method": "full",
        "expected": 1,
        "actual": 1,
        "missing": 0,
        "unexpected": 0,
        "different": 0,
    },
}
LOST = NotebookRun(ended=True, succeeded=False, cancelled=False, healable=True, message="Cluster lost.")


class MemoryLake:
    """The part of `d2c.clients.azure.lake.Lake` that a migration needs; its logs are kept as lists of entries."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.logs: dict[str, list[Any]] = {}
        self._lock = threading.Lock()

    def read(self, path: str, most_bytes: int = MOST_BYTES) -> bytes | None:
        """Return a file's bytes, or None if there is no such file."""
        return self.files.get(path)

    def read_json(self, path: str, most_bytes: int = MOST_BYTES) -> Any:
        """Return a JSON file's value, or None if there is no such file."""
        content = self.files.get(path)
        return None if content is None else json.loads(content)

    def write(self, path: str, content: bytes) -> None:
        """Write a file, replacing an existing one."""
        self.files[path] = content

    def write_json(self, path: str, value: Any) -> None:
        """Write a value as a JSON file."""
        self.write(path, json.dumps(value).encode())

    def create(self, path: str, content: bytes) -> bool:
        """Write a file unless it exists; return whether this call wrote it."""
        with self._lock:
            is_new = not self.exists(path)
            if is_new:
                self.files[path] = content
        return is_new

    def create_log(self, path: str) -> None:
        """Create an empty log, unless there is one."""
        self.logs.setdefault(path, [])

    def append(self, path: str, entry: Any) -> None:
        """Append an entry to a log."""
        with self._lock:
            self.logs.setdefault(path, []).append(json.loads(json.dumps(entry)))

    def read_log(self, path: str) -> list[Any]:
        """Return the entries of a log."""
        return list(self.logs.get(path, ()))

    def exists(self, path: str) -> bool:
        """Return whether a file exists."""
        return path in self.files or path in self.logs

    def delete(self, path: str) -> None:
        """Delete a file, if there is one."""
        self.files.pop(path, None)


@dataclass(frozen=True)
class Times:
    """How long the outside systems take, in seconds, for one table and for one cluster."""

    export: Callable[[str], float]
    copy: Callable[[str], float]
    load: Callable[[str], float]
    cluster: Callable[[int], float]  # of a run, counted from 0


@dataclass
class Runs:
    """Runs outside that take a time: the same key is the same run."""

    seconds: Callable[[str], float]
    now: Callable[[], datetime]
    refused: Callable[[str], bool] = lambda table: False
    begun: dict[str, tuple[str, datetime]] = field(default_factory=dict)

    def start(self, key: str, table: str) -> str:
        """Start a run, or find it."""
        if key not in self.begun:
            if self.refused(table):
                raise BusyError("The service is at its limit.", "Waiting.")
            self.begun[key] = (table, self.now())
        return key

    def is_running(self, key: str) -> bool:
        """Return whether a run has not ended."""
        table, began = self.begun[key]
        return (self.now() - began).total_seconds() < self.seconds(table)

    def most_starts(self) -> int:
        """Return how often a table was started at most."""
        return max(Counter(table for table, _ in self.begun.values()).values(), default=0)


class VirtualDatabricks:
    """Load runs: a cluster starts, then the tables are loaded one after another, and each has its result in the lake.

    Args:
        lake: where requests and results are.
        times: of clusters and loads.
        after: does something after some seconds.
        is_lost: whether the cluster of a run, counted from 0, is lost half-way.
    """

    def __init__(
        self,
        lake: MemoryLake,
        times: Times,
        after: Callable[[float, Callable[[], None]], None],
        is_lost: Callable[[int], bool] = lambda number: False,
    ) -> None:
        self.tables: list[list[str]] = []  # of each run
        self.loaded: Counter[str] = Counter()  # how often each table was loaded
        self._lake, self._times, self._after, self._is_lost = lake, times, after, is_lost
        self._runs: dict[str, int] = {}
        self._ends: dict[int, NotebookRun] = {}

    def start_run(self, *, run_key: str, parameters: Mapping[str, str], **others: Any) -> int:
        """Start a run, or find it."""
        if run_key in self._runs:
            return self._runs[run_key]
        number = self._runs[run_key] = len(self._runs)
        listed = self._lake.read_json(_path(parameters["request"]))
        requests = [self._lake.read_json(_path(path)) for path in listed["requests"]]
        self.tables.append([request["table"] for request in requests])
        lost_from = len(requests) // 2 if self._is_lost(number) else len(requests)
        seconds = self._times.cluster(number)
        for request in requests[:lost_from]:
            seconds += self._times.load(request["table"])
            self._after(seconds, lambda request=request: self._write_result(request))  # type: ignore[misc]
        end = LOST if self._is_lost(number) else SUCCEEDED
        self._after(seconds, lambda: self._ends.update({number: end}))
        return number

    def _write_result(self, request: Mapping[str, Any]) -> None:
        self.loaded[request["table"]] += 1
        self._lake.write_json(f"{_path(request['result_folder'])}/{RESULT_FILE}", VERIFIED)

    def get_run(self, run_id: int) -> NotebookRun:
        """Return a run as it is now."""
        return self._ends.get(run_id, RUNNING)


def _path(address: str) -> str:
    """Return the path of a file of the lake from its address."""
    return address.split("/", 3)[3]
