"""Measure one table on the local cloud, from POST to report: seconds of each stage, and request units used.

Run it as ``python -m benchmarks.whole_table [--items 100000 300000] [--ru-per-second 8000] [--partitions 3] [--json]``.
With ``--partitions`` the container is there before, with so many physical partitions: for the app to make them, it
would take more RU/s than a small machine can use. Everything is real; what is measured of the request units is the
local cloud's own writer and its pacing, not the connector. The part of the RU/s that a load used is known of loads that
have a whole minute between their first and their last tenth.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from azure.cosmos import CosmosClient, PartitionKey

from benchmarks.one_item_tables import wait_for_end
from d2c.load_run.throughput.sizing import CREATED_RU_PER_PARTITION
from d2c.mapping.indexing import policy_with
from localcloud.cloud.identity import SERVICES
from localcloud.cloud.services import Cloud, aws_client, running_cloud
from localcloud.common import names
from localcloud.common.ports import free_port
from localcloud.demo.loading import create_table
from localcloud.demo.tables import DemoTable

NAME, TABLE = "whole", "Whole"
TEXT_CHARACTERS = 900
COLUMNS = (
    "items",
    "GB",
    "RU/s",
    "partitions",
    "cores",
    "minutes",
    "assess",
    "load",
    "verify",
    "RU estimated",
    "RU counted",
    "RU/s used",
    "throughput",
)
# As the report calls it.
MONEY = "Cosmos DB: throughput of the load"


def main() -> None:
    """Print a Markdown table, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, nargs="+", default=[100_000, 300_000])
    parser.add_argument("--ru-per-second", type=int, default=8_000, help="those of the load")
    parser.add_argument("--partitions", type=int, help="physical ones; those that the app makes if not given")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    results = []
    for items in options.items:
        print(f"{items} items ...", file=sys.stderr, flush=True)
        with (
            tempfile.TemporaryDirectory() as folder,
            running_cloud(Path(folder), SERVICES, functions_port=free_port()) as cloud,
        ):
            results.append(measure(cloud, items, options.ru_per_second, options.partitions))
    if options.json:
        print(json.dumps({"options": vars(options), "results": results}, indent=1))
        return
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    for result in results:
        print(f"| {' | '.join(str(result[name]) for name in COLUMNS)} |")


def measure(cloud: Cloud, items: int, ru_per_second: int, partitions: int | None = None) -> dict[str, Any]:
    """Migrate a table of so many items of about 1 KB; return its row."""
    if partitions:
        _create_container(cloud, partitions, ru_per_second)
    table = DemoTable(TABLE, NAME, ("key", "S"), None, lambda: _items(items))
    create_table(aws_client(cloud.identity, "dynamodb"), table)
    plan = {
        "name": NAME,
        "database": NAME,
        "region": names.AWS_REGION,
        "throughput": {"load_ru_per_second": ru_per_second},
        "tables": [{"table": TABLE}],
    }
    url = f"{cloud.identity.url('functions_host')}/api/migrations"
    began = time.monotonic()
    httpx.post(url, json=plan, timeout=60).raise_for_status()
    status = wait_for_end(f"{url}/{NAME}")
    minutes = (time.monotonic() - began) / 60
    assert status["counts"]["succeeded"] == 1, status  # noqa: S101 - a benchmark of a failure would mean nothing
    (found,) = httpx.get(f"{url}/{NAME}/report", timeout=60).json()["tables"]
    seconds = {stage["stage"]: stage["seconds"] for stage in found["stages"]}
    units, used = found["request_units"], found["request_units"]["used_part"]
    (money,) = (row for row in found["estimate"] if row["what"] == MONEY)
    return {
        "items": items,
        "GB": round(found["census"]["document_bytes"]["total"] / 2**30, 3),
        "RU/s": ru_per_second,
        "partitions": _partitions(cloud),
        "cores": os.cpu_count(),
        "minutes": f"{minutes:.1f}",
        **{stage: f"{seconds[stage]:.0f} s" for stage in ("assess", "load", "verify")},
        "RU estimated": units["estimated"],
        "RU counted": units["counted_ru"],
        "RU/s used": None if used is None else f"{used:.1%}",
        "throughput": f"${money['actual']:.2f}",
    }


def _create_container(cloud: Cloud, partitions: int, ru_per_second: int) -> None:
    """Create the container as the app would, but with so many physical partitions for so many RU/s."""
    with _cosmos(cloud) as client:
        container = client.create_database(NAME).create_container(
            TABLE,
            PartitionKey("/key"),
            indexing_policy=policy_with(["key"]),
            offer_throughput=partitions * CREATED_RU_PER_PARTITION,
        )
        container.replace_throughput(ru_per_second)


def _partitions(cloud: Cloud) -> int:
    """Return how many physical partitions the container has, by its offer."""
    with _cosmos(cloud) as client:
        offer = client.get_database_client(NAME).get_container_client(TABLE).get_throughput()
    return int(offer.properties["content"]["collectionThroughputInfo"]["numPhysicalPartitions"])


def _cosmos(cloud: Cloud) -> CosmosClient:
    return CosmosClient(cloud.identity.url("cosmos"), cloud.identity.cosmos_key)


def _items(count: int) -> Iterator[dict[str, Any]]:
    text = "x" * TEXT_CHARACTERS
    return ({"key": f"k{number:08}", "number": number, "text": text} for number in range(count))


if __name__ == "__main__":
    main()
