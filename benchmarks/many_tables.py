"""Measure the cost of many tables: time, memory of the host, histories, and response time of the status.

Run it as ``python -m benchmarks.many_tables [--tables 50 100 200 500] [--json]``. Each number of tables is migrated on
a local cloud of its own, by the real app: real exports of 100 items each, real copies, real containers. Only the load
runs are simulated (`benchmarks.many_tables_jobs`), since Spark would use the cores on which the app is measured.
"""

import argparse
import functools
import json
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.many_tables_jobs import simulated_databricks
from localcloud.cloud.services import Cloud, aws_client, running_cloud
from localcloud.common import names
from localcloud.common.ports import free_port
from localcloud.demo.loading import create_table
from localcloud.demo.tables import DemoTable

ITEMS = 100
SERVICES = ("aws", "lake", "cosmos", "management")
ENDED = ("succeeded", "failed", "cancelled")
STATUS_SECONDS = 2.0
HISTORY_SECONDS = 5.0
STATUSES_AFTER = 40
PAGE = 100
MIB = 2**20

Json = dict[str, Any]


def main() -> None:
    """Print a table with a column for each number of tables, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, nargs="+", default=[50, 100, 200, 500])
    parser.add_argument("--at-once", type=int, default=20, help="max_parallel_tables of the plan")
    parser.add_argument("--alone", action="store_true", help="each table has a load run of its own")
    parser.add_argument("--start-seconds", type=float, default=0.0, help="of a simulated load run")
    parser.add_argument("--load-seconds", type=float, default=0.0, help="of each table in a load run")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    results = []
    for count in options.tables:
        print(f"{count} tables ...", file=sys.stderr, flush=True)
        results.append(measure(count, options))
    if options.json:
        print(json.dumps({"options": vars(options), "results": results}, indent=1))
        return
    for name, first in results[0].items():
        values = [result[name] for result in results]
        shown = [value if isinstance(value, str) else f"{value:,.2f}" for value in values]
        ratio = "" if isinstance(first, str) or not first else f"x {values[-1] / first:.2f}"
        print(f"{name:42}", *(f"{value:>14}" for value in shown), f"  {ratio}")


def measure(count: int, options: argparse.Namespace) -> Json:
    """Migrate so many tables on a local cloud of their own and return the figures."""
    with tempfile.TemporaryDirectory() as text, _cloud(Path(text), options) as cloud:
        _create_tables(cloud, count)
        cloud.start("functions_host")
        before = _processor_seconds(cloud)
        with _watching_histories(cloud.state_folder / "functions_host" / "functions.sqlite") as largest:
            seconds, while_running = _migrate(cloud, count, options)
        used = {name: after - before[name] for name, after in _processor_seconds(cloud).items()}
        after = _ask(cloud, count, STATUSES_AFTER)
        host = cloud.processes["functions_host"].process.pid
        return {
            "tables": count,
            "seconds": seconds,
            "seconds per table": seconds / count,
            "own seconds per table": _own_seconds(seconds, count, options),
            "host's processor seconds per table": used["functions_host"] / count,
            "all services' processor seconds per table": sum(used.values()) / count,
            "host's peak memory, MiB": _peak_memory(host) / MIB,
            **_histories(cloud.state_folder / "functions_host" / "functions.sqlite", largest),
            **_quantiles("status while running, ms", while_running),
            **_quantiles("status afterwards, ms", after),
        }


@contextmanager
def _cloud(folder: Path, options: argparse.Namespace) -> Iterator[Cloud]:
    arguments = {"aws": ["--export-seconds", "0"]}
    with (
        running_cloud(folder, SERVICES, functions_port=free_port(), arguments=arguments) as cloud,
        simulated_databricks(
            cloud.identity,
            folder,
            start_seconds=options.start_seconds,
            seconds_per_table=options.load_seconds,
        ),
    ):
        yield cloud


def _create_tables(cloud: Cloud, count: int) -> None:
    dynamodb = aws_client(cloud.identity, "dynamodb")
    for number in range(count):
        items = [{"key": f"k{place}", "n": place, "table": number} for place in range(ITEMS)]
        table = DemoTable(f"Table{number:04d}", "many", ("key", "S"), None, functools.partial(iter, items))
        create_table(dynamodb, table)


def _migrate(cloud: Cloud, count: int, options: argparse.Namespace) -> tuple[float, list[float]]:
    """Migrate all tables; return the seconds, and how long each status took in milliseconds."""
    plan: Json = {
        "name": f"many-{count}",
        "database": "many",
        "region": names.AWS_REGION,
        "tables": [{"table": "*"}],
        "max_parallel_tables": options.at_once,
    }
    if options.alone:
        plan |= {"share_load_run_below_bytes": 0, "max_parallel_loads": options.at_once}
    url = f"{cloud.identity.url('functions_host')}/api/migrations"
    times: list[float] = []
    began = time.monotonic()
    httpx.post(url, json=plan, timeout=60).raise_for_status()
    while True:
        status = _status(cloud, count, times)
        if status["state"] in ENDED:
            break
        time.sleep(STATUS_SECONDS)
    seconds = time.monotonic() - began
    succeeded = status["counts"]["succeeded"]
    assert succeeded == count, status  # noqa: S101 - a benchmark of a failure would mean nothing
    return seconds, times


def _ask(cloud: Cloud, count: int, often: int) -> list[float]:
    times: list[float] = []
    for _ in range(often):
        _status(cloud, count, times)
    return times


def _status(cloud: Cloud, count: int, times: list[float]) -> Json:
    url = f"{cloud.identity.url('functions_host')}/api/migrations/many-{count}"
    began = time.monotonic()
    answer = httpx.get(url, params={"top": PAGE}, timeout=60).raise_for_status()
    times.append((time.monotonic() - began) * 1000)
    status: Json = answer.json()
    return status


def _own_seconds(seconds: float, count: int, options: argparse.Namespace) -> float:
    """Return the seconds per table in excess of the simulated run."""
    per_run = 1 if options.alone else min(20, count)
    simulated = options.load_seconds * per_run + options.start_seconds
    return float(seconds * min(options.at_once, count) / count - simulated)


@contextmanager
def _watching_histories(path: Path) -> Iterator[list[int]]:
    """Sample the largest history periodically, since continue-as-new leaves a small one at the end."""
    ended, largest = threading.Event(), [0]

    def watch() -> None:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        while not ended.wait(HISTORY_SECONDS):
            ((size,),) = connection.execute(
                "select max(size) from (select sum(length(event)) as size from history group by id)"
            )
            largest[0] = max(largest[0], size or 0)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield largest
    finally:
        ended.set()
        thread.join()


def _histories(path: Path, largest: list[int]) -> Json:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    rows = connection.execute(
        "select count(*), sum(length(event)), name from history join instances using(id) group by id"
    ).fetchall()
    events, sizes, orchestrators = zip(*rows, strict=True)
    return {
        "orchestrations": len(rows),
        "largest history, events": max(events),
        "largest history, of": orchestrators[sizes.index(max(sizes))],
        "largest history, KiB": max(*sizes, *largest) / 1024,
        "average history, KiB": statistics.fmean(sizes) / 1024,
        "all histories, MiB": sum(sizes) / MIB,
    }


def _quantiles(name: str, times: list[float]) -> Json:
    ordered = sorted(times)
    return {
        f"{name}, p{part}": ordered[min(len(ordered) * part // 100, len(ordered) - 1)] for part in (50, 95)
    }


def _processor_seconds(cloud: Cloud) -> dict[str, float]:
    """Return the processor seconds of each service and its children."""
    return {name: _seconds_of(service.process.pid) for name, service in cloud.processes.items()}


def _seconds_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return (int(fields[11]) + int(fields[12])) / 100 + sum(_seconds_of(int(child)) for child in children)


def _peak_memory(pid: int) -> int:
    line = next(
        line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")
    )
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main()
