"""Measure one table on the local cloud, from POST to report: minutes of each stage, and request units used.

Run it as ``python -m benchmarks.whole_table [--items 30000 150000] [--ru-per-second 5000] [--json]``. Everything is
real; what is measured of the request units is the local cloud's own writer and its pacing, not the connector.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from benchmarks.one_item_tables import wait_for_end
from localcloud.cloud.identity import SERVICES
from localcloud.cloud.services import Cloud, aws_client, running_cloud
from localcloud.common import names
from localcloud.common.ports import free_port
from localcloud.demo.loading import create_table
from localcloud.demo.tables import DemoTable

NAME = "whole"
TEXT_CHARACTERS = 900
COLUMNS = (
    "items",
    "GB",
    "RU/s",
    "cores",
    "assess",
    "load",
    "verify",
    "RU estimated",
    "RU counted",
    "RU/s used",
)


def main() -> None:
    """Print a Markdown table, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, nargs="+", default=[30_000, 150_000])
    parser.add_argument("--ru-per-second", type=int, default=5_000, help="those of the load")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    results = []
    for items in options.items:
        print(f"{items} items ...", file=sys.stderr, flush=True)
        with (
            tempfile.TemporaryDirectory() as folder,
            running_cloud(Path(folder), SERVICES, functions_port=free_port()) as cloud,
        ):
            results.append(measure(cloud, items, options.ru_per_second))
    if options.json:
        print(json.dumps({"options": vars(options), "results": results}, indent=1))
        return
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    for result in results:
        print(f"| {' | '.join(str(result[name]) for name in COLUMNS)} |")


def measure(cloud: Cloud, items: int, ru_per_second: int) -> dict[str, Any]:
    """Migrate a table of so many items of about 1 KB; return its row."""
    table = DemoTable("Whole", NAME, ("key", "S"), None, lambda: _items(items))
    create_table(aws_client(cloud.identity, "dynamodb"), table)
    plan = {
        "name": NAME,
        "database": NAME,
        "region": names.AWS_REGION,
        "throughput": {"load_ru_per_second": ru_per_second},
        "tables": [{"table": "Whole"}],
    }
    url = f"{cloud.identity.url('functions_host')}/api/migrations"
    httpx.post(url, json=plan, timeout=60).raise_for_status()
    status = wait_for_end(f"{url}/{NAME}")
    assert status["counts"]["succeeded"] == 1, status  # noqa: S101 - a benchmark of a failure would mean nothing
    (found,) = httpx.get(f"{url}/{NAME}/report", timeout=60).json()["tables"]
    seconds = {stage["stage"]: stage["seconds"] for stage in found["stages"]}
    units, used = found["request_units"], found["request_units"]["used_part"]
    return {
        "items": items,
        "GB": round(found["census"]["document_bytes"]["total"] / 2**30, 3),
        "RU/s": ru_per_second,
        "cores": os.cpu_count(),
        **{stage: f"{seconds[stage]:.0f} s" for stage in ("assess", "load", "verify")},
        "RU estimated": units["estimated"],
        "RU counted": units["counted_ru"],
        "RU/s used": None if used is None else f"{used:.1%}",
    }


def _items(count: int) -> Iterator[dict[str, Any]]:
    text = "x" * TEXT_CHARACTERS
    return ({"key": f"k{number:08}", "number": number, "text": text} for number in range(count))


if __name__ == "__main__":
    main()
