"""Measure a status: its calls to the lake, its processor time, and its seconds while both cores are busy.

Run it as ``python -m benchmarks.status [--tables 500] [--busy 2] [--json]``. A migration half-way, by files in the
local cloud's lake: a fifth of its tables has ended, all lanes are busy by the default caps, the rest waits. The app's
code runs in this process, with a substitute for Durable's client only; the processor time of the lake's service is not
counted.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from azure.core.pipeline.transport import RequestsTransport
from azure.durable_functions.models.DurableOrchestrationStatus import DurableOrchestrationStatus

from d2c.app.settings import Settings, read_settings
from d2c.clients.azure.async_lake import AsyncLake
from d2c.clients.azure.lake import Lake, connect_lake
from d2c.control import operations, queries
from d2c.control.app import App
from d2c.load_run.progress import PROGRESS_FILE
from d2c.plan.caps import caps_of
from d2c.plan.model import Plan
from d2c.state import paths
from d2c.state.ids import stage_instance_id, unit_instance_id
from localcloud.cloud.app_settings import app_settings, lake_connection
from localcloud.cloud.services import running_cloud

MIGRATION = "many"
AT = "2026-01-31T12:00:05.000+00:00"
CLUSTER_SECONDS = 300
PAGE = 100
BEFORE = {"export": (), "copy": ("export",), "load": ("export", "copy")}
SPIN = "while True: pass"

Json = dict[str, Any]


def main() -> None:
    """Print the figures, one a line, or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=500)
    parser.add_argument("--busy", type=int, default=2, help="processes that do nothing but keep cores busy")
    parser.add_argument("--statuses", type=int, default=60)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_cloud(Path(folder), ["lake"]) as cloud:
        settings = read_settings(
            {**app_settings(cloud.identity), "D2C_LAKE": lake_connection(cloud.identity)}
        )
        found = asyncio.run(_measured(settings, options))
    if options.json:
        print(json.dumps({"options": vars(options), **found}))
        return
    for name, value in found.items():
        print(f"{name:42} {value:10,.1f}")


async def _measured(settings: Settings, options: argparse.Namespace) -> Json:
    lake = connect_lake(settings)
    client = _Durable(_write_migration(lake, options.tables))
    app = App(client, AsyncLake(lake), settings)
    with _counted_calls() as calls:
        first = await _status(app)
        counts = {"lake calls of the first": calls[0], "Durable calls of the first": client.calls}
        calls[0] = client.calls = 0
        await _status(app)
        counts |= {"lake calls of the next": calls[0], "Durable calls of the next": client.calls}
    quiet = [await _status(app) for _ in range(options.statuses)]
    with _busy(options.busy):
        busy = [await _status(app) for _ in range(options.statuses)]
    return {
        "tables": options.tables,
        **counts,
        "processor ms of the first": first[1],
        "processor ms, median": statistics.median(one[1] for one in quiet),
        "ms, median": statistics.median(one[0] for one in quiet),
        "ms while cores are busy, median": statistics.median(one[0] for one in busy),
        "ms while cores are busy, p95": sorted(one[0] for one in busy)[len(busy) * 95 // 100],
    }


async def _status(app: App) -> tuple[float, float]:
    """Answer as ``GET /api/migrations/{id}`` does; return the milliseconds, and those of the processor."""
    began, used = time.perf_counter(), time.process_time()
    status, _ = await asyncio.gather(
        queries.status_of(app, MIGRATION, queries.TableFilter(None, PAGE, 0)),
        operations.status_list(app, MIGRATION),
    )
    json.dumps(status)
    return (time.perf_counter() - began) * 1000, (time.process_time() - used) * 1000


@contextmanager
def _counted_calls() -> Iterator[list[int]]:
    """Count the HTTP calls of Azure's SDKs."""
    send, calls = RequestsTransport.send, [0]

    def counted(self: RequestsTransport, *arguments: Any, **named: Any) -> Any:
        calls[0] += 1
        return send(self, *arguments, **named)

    RequestsTransport.send = counted
    try:
        yield calls
    finally:
        RequestsTransport.send = send


@contextmanager
def _busy(processes: int) -> Iterator[None]:
    spinning = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(processes)]  # noqa: S603 - our own
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def _write_migration(lake: Lake, count: int) -> list[str]:
    """Write the files of a migration half-way; return the ids of the orchestrations that are under way."""
    names = [f"Table{number:04d}" for number in range(count)]
    tables = [_listed(name) for name in names]
    lake.write_json(paths.MigrationFiles(MIGRATION).plan, {"plan": _plan(), "accepted_at": AT, "digest": ""})
    lake.write_json(paths.MigrationFiles(MIGRATION).tables, {"operation": 0, "tables": tables})
    queued = [_queued(name) for name in names]
    lake.write_json(
        paths.MigrationFiles(MIGRATION).work(0).queue,
        {"caps": caps_of(Plan.model_validate(_plan()), CLUSTER_SECONDS), "times": {}, "tables": queued},
    )
    ended, rest = names[: count // 5], names[count // 5 :]
    units = [rest[start : start + 20] for start in range(0, 80, 20)]
    copied, exported = rest[80:100], rest[100:150]
    log = [line for name in (*ended, *rest[:80]) for line in _passed(name, "load")]
    log += [line for name in ended for line in (_claim("load", [name], _lane_of(name)), _ended(name))]
    log += [_claim("load", unit, lane) for lane, unit in enumerate(units) if unit]
    log += [
        line for name in copied for line in (*_passed(name, "copy"), _claim("copy", [name], _lane_of(name)))
    ]
    log += [_claim("export", [name], _lane_of(name)) for name in exported]
    _write_log(lake, paths.MigrationFiles(MIGRATION).work(0).queue_log, log)
    _write_log(lake, paths.MigrationFiles(MIGRATION).ended_tables, [_end_line(name) for name in ended])
    for name in (name for unit in units for name in unit[:2]):
        _write_progress(lake, name)
    return [
        MIGRATION,
        *(unit_instance_id(MIGRATION, 0, f"{lane}-0", "load") for lane in range(4)),
        *(stage_instance_id(MIGRATION, 0, name, "copy") for name in copied),
        *(stage_instance_id(MIGRATION, 0, name, "export") for name in exported),
    ]


def _plan() -> Json:
    return {"name": MIGRATION, "database": "many", "region": "eu-west-1", "tables": [{"table": "*"}]}


def _listed(name: str) -> Json:
    return {
        "table": name,
        "container": name.lower(),
        "database": "many",
        "account": None,
        "region": "eu-west-1",
        "size_bytes": 10_000,
        "item_count": 100,
    }


def _queued(name: str) -> Json:
    return {
        "table": name,
        "location": "eu-west-1",
        "container": f"many/{name.lower()}",
        "size_bytes": 10_000,
        "items": None,
        "enters": "export",
    }


def _claim(stage: str, names: Sequence[str], lane: int) -> Json:
    return {
        "did": "claimed",
        "stage": stage,
        "lane": lane,
        "turn": 0,
        "tables": list(names),
        "cancelled": False,
        "at": AT,
    }


def _passed(name: str, to: str) -> list[Json]:
    """Return the lines by which a table came as far as a stage."""
    return [
        line
        for stage in BEFORE[to]
        for line in (
            _claim(stage, [name], _lane_of(name)),
            {"did": "passed", "table": name, "stage": stage, "items": 100, "at": AT},
        )
    ]


def _lane_of(name: str) -> int:
    """Return the number of a lane that has taken no other table."""
    return 1000 + int(name.removeprefix("Table"))


def _ended(name: str) -> Json:
    return {"did": "ended", "table": name, "state": "succeeded", "error": None, "at": AT}


def _end_line(name: str) -> Json:
    return {
        "table": name,
        "operation": 0,
        "state": "succeeded",
        "stage": "report",
        "error": None,
        "items_exported": 100,
        "items_written": 100,
        "items_rejected": 0,
        "items_expired": 0,
        "mismatches": 0,
        "started_at": AT,
        "finished_at": AT,
    }


def _write_log(lake: Lake, path: str, entries: Sequence[Json]) -> None:
    lake.write(path, b"".join(json.dumps(entry, separators=(",", ":")).encode() + b"\n" for entry in entries))


def _write_progress(lake: Lake, name: str) -> None:
    stages = [
        {"stage": "assess", "state": "succeeded", "started_at": AT, "seconds": 9.0},
        {"stage": "load", "state": "running", "started_at": AT},
    ]
    progress = {"stages": stages, "done": 3, "total": 8}
    lake.write_json(
        f"{paths.MigrationFiles(MIGRATION).table(name).load_folder('start-0', 1)}/{PROGRESS_FILE}", progress
    )


class _Durable:
    """Durable's client, of orchestrations that are all running.

    Args:
        running: their ids.
    """

    def __init__(self, running: Sequence[str]) -> None:
        self._told = {instance: _running(instance) for instance in running}
        self.calls = 0

    async def get_status(self, instance_id: str, *, show_input: bool = False) -> Any:
        """Return an instance's status."""
        self.calls += 1
        return DurableOrchestrationStatus.from_json(self._told.get(instance_id, {}))

    async def get_status_by(self, *, runtime_status: list[Any], instance_id_prefix: str) -> Sequence[Any]:
        """Return the statuses of all instances of the migration."""
        self.calls += 1
        of_it = (told for instance, told in self._told.items() if instance.startswith(instance_id_prefix))
        return [DurableOrchestrationStatus.from_json(told) for told in of_it]

    def __getattr__(self, name: str) -> Any:
        raise NotImplementedError(name)


def _running(instance: str) -> Mapping[str, Any]:
    return {
        "name": "any",
        "instanceId": instance,
        "createdTime": "2026-01-31T12:00:05Z",
        "lastUpdatedTime": "2026-01-31T12:30:00Z",
        "runtimeStatus": "Running",
        "input": None,
        "output": None,
        "customStatus": {"done": 3, "total": 8, "attempt": 1},
    }


if __name__ == "__main__":
    main()
