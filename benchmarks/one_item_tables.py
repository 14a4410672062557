"""Measure many tables of one item on the local cloud, from POST to the end, each number on a cloud of its own.

Run it as ``python -m benchmarks.one_item_tables [--tables 1 20 130] [--export-seconds 60] [--seconds 120] [--json]``.
Everything is real, the Spark cluster included, and starts cold with each number of tables. How long the status takes
meanwhile, which is asked for every second, is measured too.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from localcloud.cloud.identity import SERVICES
from localcloud.cloud.services import Cloud, aws_client, running_cloud
from localcloud.common import names
from localcloud.common.ports import free_port
from localcloud.demo.loading import create_table
from localcloud.demo.tables import DemoTable

ENDED = ("succeeded", "failed", "cancelled")
# The command and the dashboard look every three seconds.
LOOK_SECONDS = 1.0

Json = dict[str, Any]


def main() -> None:
    """Print a line for each number of tables, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, nargs="+", default=[1, 20, 130])
    parser.add_argument(
        "--export-seconds", type=float, default=0.0, help="the least time that an export takes"
    )
    parser.add_argument("--seconds", type=float, help="the most to wait: then only the status is measured")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    results = []
    for count in options.tables:
        print(f"{count} tables ...", file=sys.stderr, flush=True)
        with (
            tempfile.TemporaryDirectory() as folder,
            running_cloud(
                Path(folder),
                SERVICES,
                functions_port=free_port(),
                arguments={"aws": ["--export-seconds", str(options.export_seconds)]},
            ) as cloud,
        ):
            results.append(measure(cloud, count, options.seconds))
    if options.json:
        print(json.dumps({"options": vars(options), "results": results}, indent=1))
        return
    first = results[0]["seconds"] / results[0]["tables"]
    for result in results:
        each = result["seconds"] / result["tables"]
        print(
            f"{result['tables']:>5} tables {result['seconds']:8.1f} s, {each:6.2f} s each "
            f"({each / first:.2f} of the first's), {result['load_runs']} load runs; status "
            f"{result['status_ms_median']:.0f} ms, p95 {result['status_ms_p95']:.0f} ms"
        )


def measure(cloud: Cloud, count: int, most_seconds: float | None = None) -> Json:
    """Migrate so many tables of one item; return the seconds, the number of load runs, and how fast the status was."""
    dynamodb = aws_client(cloud.identity, "dynamodb")
    for number in range(count):
        table = DemoTable(f"One{number:04d}", "one", ("key", "S"), None, lambda: iter([{"key": "k", "n": 1}]))
        create_table(dynamodb, table)
    plan = {"name": "one", "database": "one", "region": names.AWS_REGION, "tables": [{"table": "*"}]}
    url = f"{cloud.identity.url('functions_host')}/api/migrations"
    began = time.monotonic()
    httpx.post(url, json=plan, timeout=60).raise_for_status()
    status, looks = _watched(f"{url}/one", began + (most_seconds or float("inf")))
    seconds = time.monotonic() - began
    succeeded = status["counts"]["succeeded"]
    # A benchmark of a failure would mean nothing.
    assert succeeded == count or (most_seconds and not status["counts"]["failed"]), status  # noqa: S101
    return {
        "tables": count,
        "succeeded": succeeded,
        "seconds": seconds,
        "load_runs": _load_runs(cloud),
        "status_ms_median": statistics.median(looks),
        "status_ms_p95": sorted(looks)[len(looks) * 95 // 100],
    }


def wait_for_end(url: str) -> Json:
    """Return a migration's status once it has ended."""
    return _watched(url, float("inf"))[0]


def _watched(url: str, until: float) -> tuple[Json, list[float]]:
    """Return a migration's status once it has ended, or at a moment, and how many milliseconds each look took."""
    looks: list[float] = []
    with httpx.Client(timeout=60) as client:
        while True:
            began = time.perf_counter()
            status: Json = client.get(url).json()
            looks.append((time.perf_counter() - began) * 1000)
            if status["state"] in ENDED or time.monotonic() >= until:
                return status, looks
            time.sleep(LOOK_SECONDS)


def _load_runs(cloud: Cloud) -> int:
    answer = httpx.get(
        f"{cloud.identity.url('databricks')}/api/2.2/jobs/runs/list",
        params={"limit": 25},
        headers={"Authorization": f"Bearer {cloud.identity.databricks_token}"},
        timeout=60,
    )
    return len(answer.raise_for_status().json().get("runs", ()))


if __name__ == "__main__":
    main()
