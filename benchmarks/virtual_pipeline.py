"""A simulated migration: the product's orchestrators, and its activities that take, pass on, load and end tables.

Only what waits for the outside is replaced: exports, copies and load runs are times, and containers are ready at once.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from unittest import mock

from activities import lanes, load, start, tables, unit
from activities.outcome import answer_of
from activities.unit import open_tables
from benchmarks.replaying import activity_functions, orchestrator_functions
from benchmarks.virtual_host import VirtualHost
from benchmarks.virtual_services import MemoryLake, Runs, Times, VirtualDatabricks
from d2c.app import clock
from d2c.app.settings import REQUIRED, read_settings
from d2c.clients.clients import Clients
from d2c.shapes import Caps, Idle, LaneInput, OperationInput, QueuedTable, QueueFile, Waits
from d2c.state import paths
from d2c.state.ids import run_key
from d2c.state.queue import Queue
from d2c.state.table_files import keep, read_table
from orchestrators import lane, run_operation, run_to_its_end

MIGRATION = "m"
SMALL, LARGE = 2**20, 2**40
# The settings' defaults.
WAITS: Waits = {"first_seconds": 10, "factor": 1.5, "longest_seconds": 60}
# What a call of an activity takes, with the host's queues.
ACTIVITY_SECONDS = 0.2
CAPS: Caps = {
    "export": 50,
    "copy": 20,
    "load": 4,
    "tables": None,
    "tables_per_load_run": 20,
    "share_load_run_below_bytes": 100 * 2**20,
    "cluster_seconds": 300,
}
SETTINGS = {
    **dict.fromkeys(REQUIRED, "x"),
    "D2C_LAKE__blobServiceUri": "https://lakeaccount.blob.core.windows.net",
    "D2C_CLUSTER": '{"existing_cluster_id": "0601-1"}',
    "D2C_COSMOS_KEY": "a2V5",
    "D2C_MANAGEMENT_ENDPOINT": "https://127.0.0.1:9",
    "D2C_COSMOS_ENDPOINT": "http://127.0.0.1:9/",
    "DATABRICKS_TOKEN": "x",
}


@dataclass
class Case:
    """What is simulated.

    Args:
        names: the tables', in their order.
        times: of the outside systems.
        large: the tables that are not small.
        caps: the limits.
        export_refused_until: until when, in seconds, AWS refuses the export of a table.
        is_lost_cluster: whether the cluster of a load run, counted from 0, is lost half-way.
        pause: from when to when, in seconds, it is paused.
        is_lost_call: whether the worker of an activity dies as it has done its work.
    """

    names: Sequence[str]
    times: Times
    large: frozenset[str] = frozenset()
    caps: Caps = field(default_factory=lambda: CAPS)
    export_refused_until: Mapping[str, float] = field(default_factory=dict)
    is_lost_cluster: Callable[[int], bool] = lambda number: False
    pause: tuple[float, float] | None = None
    is_lost_call: Callable[[str, Any], bool] = lambda name, payload: False


class Simulation:
    """A migration under simulation, and what it came to."""

    def __init__(self, case: Case, *, replays: bool = False) -> None:
        self.case = case
        self.lake = MemoryLake()
        self.idle_looks = 0
        self.ended: dict[str, float] = {}  # by table, after how many seconds
        self.host = VirtualHost(
            orchestrator_functions(run_operation, lane, run_to_its_end),
            self._activities(),
            seconds=ACTIVITY_SECONDS,
            replays=replays,
            is_lost=case.is_lost_call,
        )
        self.exports = Runs(case.times.export, self._now, self._is_export_refused)
        self.copies = Runs(case.times.copy, self._now)
        self.databricks = VirtualDatabricks(self.lake, case.times, self.host.after, case.is_lost_cluster)
        self.clients = _VirtualClients(self.lake, self.databricks)
        self._queue_so_far: Queue | None = None
        self._folded = 0

    def run(self) -> Any:
        """Run the migration to its end, and return its result."""
        self._write_queue()
        operation: OperationInput = {
            "migration": MIGRATION,
            "operation": 0,
            "kind": "start",
            "waits": WAITS,
        }
        if self.case.pause:
            begin, end = self.case.pause
            self.host.after(begin, lambda: self.lake.write(paths.MigrationFiles(MIGRATION).pause, b"{}"))
            self.host.after(end, self._resume)
        whole = self.host.start("run_operation", operation, MIGRATION)
        with self._in_place():
            self.host.run()
        return whole.output

    def call(self, name: str, payload: Any) -> Any:
        """Call an activity; the result is its answer."""
        return self.host._activities[name](payload)

    @property
    def log(self) -> list[Any]:
        """The entries of the queue's log."""
        return self.lake.logs.get(paths.MigrationFiles(MIGRATION).work(0).queue_log, [])

    def _now(self) -> datetime:
        return self.host.now

    def _is_export_refused(self, table: str) -> bool:
        return self.host.elapsed < self.case.export_refused_until.get(table, 0)

    @contextmanager
    def _in_place(self) -> Any:
        """Put the virtual clock in the place of the app's, and save time.

        Of the queue only new entries are folded, and the times of a history, which are in ISO 8601, are read by
        the standard library: the SDK's parser takes any form and two thirds of a turn.
        """
        with ExitStack() as stack:
            parser = "azure.durable_functions.models.history.HistoryEvent.dt_parse"
            stack.enter_context(mock.patch(parser, datetime.fromisoformat))
            stack.enter_context(mock.patch.object(clock, "now", self._now))
            for module in (lanes, unit):
                stack.enter_context(mock.patch.object(module, "Queue", self._queue))
            yield

    def _queue(self, file: QueueFile, entries: list[Any]) -> Queue:
        """Return the queue, with the entries folded that have come since the last call."""
        if self._queue_so_far is None:
            self._queue_so_far = Queue(file, ())
        if len(entries) > self._folded:
            self._queue_so_far.add(entries[self._folded :])
            self._folded = len(entries)
        return self._queue_so_far

    def _resume(self) -> None:
        self.lake.delete(paths.MigrationFiles(MIGRATION).pause)
        for instance, orchestration in self.host.orchestrations.items():
            if orchestration.name == "run_lane":
                self.host.wake(instance)

    def _write_queue(self) -> None:
        queued: list[QueuedTable] = []
        for name in self.case.names:
            size = LARGE if name in self.case.large else SMALL
            table = _settings_of(name, size)
            self.lake.write_json(paths.MigrationFiles(MIGRATION).work(0).table(name), table)
            queued.append(
                {
                    "table": name,
                    "location": table["region"],
                    "container": f"{table['database']}/{name}",
                    "size_bytes": size,
                    "items": None,
                    "enters": "export",
                }
            )
        file: QueueFile = {"caps": self.case.caps, "times": {}, "tables": queued}
        self.lake.write_json(paths.MigrationFiles(MIGRATION).work(0).queue, file)

    def _activities(self) -> dict[str, Callable[[Any], Any]]:
        functions = {
            **activity_functions(start, tables, lanes, load),
            "describe_source": _describe_source,
            "start_export": self._start_export,
            "look_at_export": self._look_at_export,
            "start_copy": self._start_copy,
            "look_at_copy": self._look_at_copy,
            "look_at_prepare": self._look_at_prepare,
            "look_at_request_units": lambda clients, payload: {"state": "succeeded", "result": 0},
            "write_report": self._write_report,
        }
        answering = {name: self._answering(name, function) for name, function in functions.items()}
        take, look = answering["take_tables"], answering["look_at_load"]

        def take_tables(payload: Any) -> Any:
            answer = take(payload)
            self.idle_looks += cast("Idle", answer.get("value", {})).get("state") == "idle"
            return answer

        def look_at_load(payload: Any) -> Any:
            answer = look(payload)
            self._note_ends()
            return answer

        return {**answering, "take_tables": take_tables, "look_at_load": look_at_load}

    def _note_ends(self) -> None:
        for entry in reversed(self.log):
            if entry["did"] == "ended":
                if entry["table"] in self.ended:
                    break
                self.ended[entry["table"]] = self.host.elapsed

    def _answering(self, name: str, function: Callable[..., Any]) -> Callable[[Any], Any]:
        named = function if getattr(function, "__name__", "") == name else _named(function, name)

        def answer(payload: Any) -> Any:
            return answer_of(named, lambda: cast("Clients", self.clients), payload)

        return answer

    def _start_export(self, clients: Clients, payload: Mapping[str, Any]) -> str:
        return self.exports.start(_key(payload, "export"), payload["table"])

    def _look_at_export(self, clients: Clients, payload: Mapping[str, Any]) -> Any:
        if self.exports.is_running(payload["run"]):
            return {"state": "running", "progress": {"status": "IN_PROGRESS"}}
        export = {
            "arn": payload["run"],
            "time": payload["source"]["export_time"],
            "id": "01780000000123-a1b2c3d4",
            "folder": f"d2c/{MIGRATION}/{payload['table']}/AWSDynamoDB/01780000000123-a1b2c3d4",
            "items": 1,
            "billed_bytes": 100,
            "bytes": 100,
            "files": 1,
        }
        return {"state": "succeeded", "result": export}

    def _start_copy(self, clients: Clients, payload: Mapping[str, Any]) -> str:
        return self.copies.start(_key(payload, "copy"), payload["table"])

    def _look_at_copy(self, clients: Clients, payload: Mapping[str, Any]) -> Any:
        if self.copies.is_running(payload["run"]):
            return {"state": "running", "progress": {"files": 0, "done": 0, "total": 100}}
        folder = paths.export_folder(MIGRATION, payload["table"], payload["export"]["id"])
        return {"state": "succeeded", "result": {"folder": folder, "files": 3, "bytes": 100}}

    def _look_at_prepare(self, clients: Clients, payload: LaneInput) -> Any:
        names = open_tables(clients.lake, payload)
        for name in names:
            keep(clients.lake, read_table(clients.lake, MIGRATION, 0, name), is_prepared=True)
        return {"state": "succeeded", "result": len(names)}

    def _write_report(self, clients: Clients, payload: Mapping[str, Any]) -> Any:
        ends = [entry["state"] for entry in self.log if entry["did"] == "ended"]
        states = {state: ends.count(state) for state in sorted(set(ends))}
        error = payload["error"]
        return {"state": "failed" if error else "succeeded", "tables": states, "error": error}


class _VirtualClients:
    """What activities get in the place of the app's clients."""

    def __init__(self, lake: MemoryLake, databricks: VirtualDatabricks) -> None:
        self.settings = read_settings(SETTINGS)
        self.lake, self.databricks = lake, databricks


def _named(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return a function under the name of the activity that it replaces."""

    def named(clients: Clients, payload: Any) -> Any:
        return function(clients, payload)

    named.__name__ = name
    return named


def _key(payload: Mapping[str, Any], stage: str) -> str:
    return run_key(payload, payload["table"], stage, payload["attempt"])


def _settings_of(name: str, size_bytes: int) -> dict[str, Any]:
    return {
        "migration": MIGRATION,
        "operation": 0,
        "table": name,
        "database": "many",
        "container": name,
        "region": "eu-west-1",
        "rules": {},
        "throughput": {"load_ru_per_second": "auto"},
        "limits": {"max_rejected_items": 0, "max_logical_partition_bytes": 20 * 2**30},
        "verify": "full",
        "allow_existing_documents": False,
        "size_bytes": size_bytes,
        "item_count": 1,
        "stages": [],
    }


def _describe_source(clients: Clients, payload: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "arn": f"arn:aws:dynamodb:eu-west-1:111122223333:table/{payload['table']}",
        "hash_key": "key",
        "range_key": None,
        "item_count": 1,
        "size_bytes": payload["size_bytes"],
        "ttl_attribute": None,
        "table_class": None,
        "export_time": "2026-06-01T00:00:00+00:00",
    }
