"""In-memory substitutes for the clients, with the methods that activities call, and the world that activities get."""

import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.outcome import answer_of
from d2c.app.settings import Settings
from d2c.clients.aws.dynamodb import ExportState, TableDescription
from d2c.clients.aws.sign_in import TemporaryCredentials
from d2c.clients.azure.cosmos.management import Account, Container, Database, Throughput
from d2c.clients.azure.data_factory import CopyProgress, PipelineRun
from d2c.clients.azure.lake import MOST_BYTES
from d2c.clients.databricks.jobs import NotebookRun
from d2c.shapes import DatabaseThroughput
from d2c.state.paths import MigrationFiles
from tests.builders import TABLE_ARN
from tests.unit.clients.settings import local_settings


class CrashError(Exception):
    """The worker dies here: the activity's answer is lost, and it is called again."""


class FakeLake:
    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.writable = True
        self._written: set[str] = set()
        self._lock = threading.Lock()

    def read(self, path: str, most_bytes: int = MOST_BYTES) -> bytes | None:
        return self.files.get(path)

    def read_json(self, path: str, most_bytes: int = MOST_BYTES) -> Any:
        return json.loads(self.files[path]) if path in self.files else None

    def write(self, path: str, content: bytes) -> None:
        self._written.add(path)
        self.files[path] = content

    def write_json(self, path: str, value: Any) -> None:
        self.write(path, json.dumps(value).encode())

    def create(self, path: str, content: bytes) -> bool:
        return self.create_version(path, content) is not None

    def create_version(self, path: str, content: bytes) -> str | None:
        with self._lock:
            if path in self.files:
                return None
            self._written.add(path)
            self.files[path] = content
        return content.decode()

    def read_version(self, path: str) -> tuple[Any, str] | None:
        content = self.files.get(path)
        return None if content is None else (json.loads(content), content.decode())

    def replace(self, path: str, content: bytes, version: str) -> str | None:
        with self._lock:
            if self.files.get(path) != version.encode():
                return None
            self.files[path] = content
        return content.decode()

    def delete(self, path: str, version: str | None = None) -> None:
        with self._lock:
            if version is None or self.files.get(path) == version.encode():
                self.files.pop(path, None)
                self._written.discard(path)

    def create_log(self, path: str) -> None:
        with self._lock:
            self.files.setdefault(path, b"")

    def append(self, path: str, entry: Any) -> None:
        # As Azure refuses it: a file that was written whole is a block blob.
        assert path not in self._written, f"{path} is no log"
        with self._lock:
            self.files[path] = self.files.get(path, b"") + json.dumps(entry).encode() + b"\n"

    def read_log(self, path: str) -> list[Any]:
        return [json.loads(line) for line in self.files.get(path, b"").splitlines()]

    def exists(self, path: str) -> bool:
        return path in self.files

    def sizes(self, folder: str) -> dict[str, int]:
        prefix = f"{folder.rstrip('/')}/"
        return {
            path.removeprefix(prefix): len(content)
            for path, content in self.files.items()
            if path.startswith(prefix)
        }

    def paths_after(self, prefix: str, after: str | None, most: int) -> list[str]:
        names = sorted(path for path in self.files if path.startswith(prefix) and path > (after or ""))
        return names[:most]


class FakeBucket:
    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.name = "exports"

    def read(self, key: str, most_bytes: int) -> bytes | None:
        return self.objects.get(key)

    def write(self, key: str, content: bytes) -> None:
        self.objects[key] = content

    def sizes(self, prefix: str) -> dict[str, int]:
        return {key: len(content) for key, content in self.objects.items() if key.startswith(prefix)}


@dataclass
class FakeDynamoDB:
    table: TableDescription | Exception
    latest: datetime | Exception
    exports: dict[str, ExportState] = field(default_factory=dict)
    started: list[dict[str, Any]] = field(default_factory=list)

    def describe_table(self, name: str) -> TableDescription:
        return _value(self.table)

    def latest_restorable_time(self, name: str) -> datetime:
        return _value(self.latest)

    def find_export(self, table_arn: str, client_token: str) -> str | None:
        return next((arn for arn, it in self.exports.items() if it.client_token == client_token), None)

    def start_export(self, table_arn: str, **arguments: Any) -> str:
        self.started.append(arguments)
        arn = f"{table_arn}/export/0178000000{len(self.started):04d}-a1b2c3d4"
        self.exports[arn] = ExportState(arn, "IN_PROGRESS", "", arguments["client_token"], "", None)
        return arn

    def describe_export(self, export_arn: str) -> ExportState:
        return self.exports[export_arn]


@dataclass
class FakeDataFactory:
    runs: dict[str, PipelineRun] = field(default_factory=dict)
    progress: CopyProgress = field(default_factory=lambda: CopyProgress(0, 0, ""))
    started: list[dict[str, str]] = field(default_factory=list)
    pipelines: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)

    looked_through: int = 0

    def find_run(self, pipelines: list[str], run_key: str, *, since: datetime) -> str | None:
        self.looked_through += 1
        keys = [parameters["runKey"] for parameters in self.started]
        return f"run-{keys.index(run_key)}" if run_key in keys else None

    def start_run(self, pipeline: str, parameters: dict[str, str]) -> str:
        self.started.append(parameters)
        self.pipelines.append(pipeline)
        return f"run-{len(self.started) - 1}"

    def get_run(self, run_id: str) -> PipelineRun:
        return self.runs[run_id]

    def active_runs(self, pipelines: list[str], *, since: datetime) -> dict[str, str]:
        runs = {f"run-{number}": asked["runKey"] for number, asked in enumerate(self.started)}
        return {run: key for run, key in runs.items() if run not in self.cancelled}

    def get_copy_progress(self, run_id: str, *, since: datetime) -> CopyProgress:
        return self.progress

    def cancel_run(self, run_id: str) -> None:
        self.cancelled.append(run_id)


@dataclass
class FakeCosmos:
    """An account with at most one container.

    ``crashes`` names methods after which the worker dies, once each.
    """

    container: Container | None = None
    throughput: Throughput | None = None
    documents: bool = False
    marks: Any = None
    databases: set[str] = field(default_factory=set)
    shared: Throughput | None = None
    changes: list[tuple[int, bool]] = field(default_factory=list)
    created: list[dict[str, Any]] = field(default_factory=list)
    policies: list[dict[str, Any]] = field(default_factory=list)
    percent: int = 100  # of an index transformation
    crashes: set[str] = field(default_factory=set)

    def describe_account(self) -> Account:
        return Account("GlobalDocumentDB", False, False, None, ("West Europe",), True)

    def create_database(self, database: str, shared: DatabaseThroughput | None = None) -> None:
        if shared and database not in self.databases:
            self.shared = Throughput(shared["ru_per_second"], shared["autoscale"], 400, False)
        self.databases.add(database)
        self._done("create_database")

    def find_database(self, database: str) -> Database | None:
        return Database(self.shared) if database in self.databases else None

    def find_container(self, database: str, container: str) -> Container | None:
        return self.container

    def create_container(self, database: str, container: str, **arguments: Any) -> None:
        assert database in self.databases
        self.created.append(arguments)
        self.container = Container(
            tuple(arguments["partition_key_paths"]),
            arguments["default_ttl"],
            indexing_policy=arguments["indexing_policy"],
        )
        own = arguments["ru_per_second"]
        assert own or self.shared
        self.throughput = Throughput(own, False, 400, False) if own else None
        self._done("create_container")

    def change_indexing(self, database: str, container: str, policy: Mapping[str, Any]) -> None:
        assert self.container is not None
        self.policies.append(dict(policy))
        self.container = replace(self.container, indexing_policy=dict(policy))
        self._done("change_indexing")

    def read(self, *, populate_quota_info: bool, response_hook: Any) -> None:
        assert populate_quota_info
        response_hook({"x-ms-documentdb-collection-index-transformation-progress": str(self.percent)}, {})

    def find_throughput(self, database: str, container: str) -> Throughput | None:
        return self.throughput

    def change_throughput(
        self, database: str, container: str, ru_per_second: int, *, autoscale: bool
    ) -> None:
        assert self.throughput is not None
        assert autoscale == self.throughput.autoscale
        assert ru_per_second % (1000 if autoscale else 100) == 0
        assert ru_per_second >= self.throughput.minimum_ru_per_second
        self.changes.append((ru_per_second, autoscale))
        self.throughput = replace(self.throughput, ru_per_second=ru_per_second)
        self._done("change_throughput")

    def get_database_client(self, database: str) -> "FakeCosmos":
        return self

    def get_container_client(self, container: str) -> "FakeCosmos":
        return self

    def query_items(
        self, query: str, *, parameters: Sequence[Mapping[str, Any]], enable_cross_partition_query: bool
    ) -> Iterator[int]:
        values = {parameter["name"]: parameter["value"] for parameter in parameters}
        names = re.findall(r'c\["(\w+)"\] = (@p\d+)', query)
        self.marks = {name: values[parameter] for name, parameter in names}
        return iter([1] if self.documents else [])

    def _done(self, method: str) -> None:
        if method in self.crashes:
            self.crashes.remove(method)
            raise CrashError


class FakeMetrics:
    """What Azure Monitor counts: request units of each minute from the first one, by container."""

    def __init__(self) -> None:
        self.counts: dict[str, Any] = {}
        self.asked: list[tuple[datetime, datetime]] = []

    def written_ru(
        self, database: str, container: str, start: datetime, end: datetime
    ) -> dict[datetime, float]:
        self.asked.append((start, end))
        counts = _value(self.counts.get(f"{database}/{container}", ()))
        return {start + number * timedelta(minutes=1): ru for number, ru in enumerate(counts)}

    def highest_use(self, database: str, container: str, start: datetime, end: datetime) -> float | None:
        return 99.0 if f"{database}/{container}" in self.counts else None


@dataclass
class FakeDatabricks:
    runs: dict[int, NotebookRun] = field(default_factory=dict)
    submitted: dict[str, dict[str, Any]] = field(default_factory=dict)
    cancelled: list[int] = field(default_factory=list)

    def start_run(self, *, run_key: str, **arguments: Any) -> int:
        self.submitted.setdefault(run_key, arguments)
        return list(self.submitted).index(run_key)

    def active_runs(self) -> dict[int, dict[str, str]]:
        runs = {number: asked["parameters"] for number, asked in enumerate(self.submitted.values())}
        return {run: asked for run, asked in runs.items() if run not in self.cancelled}

    def get_run(self, run_id: int) -> NotebookRun:
        return self.runs[run_id]

    def cancel_run(self, run_id: int) -> None:
        self.cancelled.append(run_id)


class FakeIdentity:
    """The app's identity as AWS takes it, which remembers the roles that were assumed."""

    def __init__(self) -> None:
        self.assumed: list[tuple[str, dict[str, Any]]] = []

    def take_on(self, role_arn: str, **arguments: Any) -> TemporaryCredentials:
        self.assumed.append((role_arn, arguments))
        number = len(self.assumed)
        return TemporaryCredentials(f"ASIA{number}", f"secret {number}", f"token {number}", datetime.now(UTC))


class World:
    """The outside systems as activities meet them."""

    def __init__(self, lake: Any = None) -> None:
        self.settings: Settings = local_settings(
            D2C_EXPORT_BUCKET="exports", D2C_LAKE_FILE_SYSTEM="lake", D2C_NOTEBOOK_PATH="/Shared/load"
        )
        self.lake = FakeLake() if lake is None else lake
        self.bucket = FakeBucket()
        self.dynamodb: Any = FakeDynamoDB(
            TableDescription(TABLE_ARN, "Artist", "Song", 7, 700, None),
            datetime.fromisoformat("2026-06-01T12:00:00+00:00"),
        )
        self.identity = FakeIdentity()
        self.identity_regions: list[str] = []
        self.factory = FakeDataFactory()
        self.cosmos: Any = FakeCosmos()
        self.databricks = FakeDatabricks()
        self.metrics = FakeMetrics()

    def cancel(self, *tables: str, migration: str = "m", operation: int = 0) -> None:
        """Cancel an operation, or these tables of it."""
        self.lake.write_json(MigrationFiles(migration).cancel(operation), {"tables": list(tables) or None})

    def answer(self, activity: Any, payload: Mapping[str, Any]) -> Any:
        """Return what an activity answers in this world; JSON must hold it."""
        function = activity._function.get_user_function().__wrapped__
        answer = answer_of(function, lambda: SubstituteClients(self), payload)
        json.dumps(answer)
        return answer


class SubstituteClients:
    """What activities are given in the place of `d2c.clients.clients.Clients`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.settings = world.settings
        self.lake = world.lake
        self.data_factory = world.factory
        self.cosmos = self.cosmos_management = world.cosmos
        self.databricks = world.databricks
        self.metrics = world.metrics

    def dynamodb(self, account: str | None, region: str) -> Any:
        return self._world.dynamodb

    def bucket(self, account: str | None, region: str) -> FakeBucket:
        return self._world.bucket

    def web_identity(self, region: str) -> FakeIdentity:
        self._world.identity_regions.append(region)
        return self._world.identity

    def aws_caller(self, account: str | None, region: str) -> str:
        return "arn:aws:iam::111122223333:role/d2c"


def _value(planned: Any) -> Any:
    if isinstance(planned, Exception):
        raise planned
    return planned
