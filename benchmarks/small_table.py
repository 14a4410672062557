"""Measure the time of one small table on the local cloud, and the part of it spent waiting for the app's timers.

Run it as ``python -m benchmarks.small_table [--runs 3]``. Each run migrates a table of 100 items. Waiting is
the time between the end of an external run, as its service reports it, and the app's next stage.
"""

import argparse
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from azure.core.credentials import AccessToken
from azure.mgmt.datafactory import DataFactoryManagementClient
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config

from localcloud.cloud.services import Cloud, aws_client, running_cloud
from localcloud.common import names
from localcloud.common.ports import free_port
from localcloud.demo.loading import create_table
from localcloud.demo.tables import DemoTable

ITEMS = 100
LOOK_SECONDS = 0.05
ENDED = ("succeeded", "failed", "cancelled")


def main() -> None:
    """Print a line for each run, and the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_cloud(Path(folder), functions_port=free_port()) as cloud,
    ):
        results = [measure(cloud, number) for number in range(options.runs)]
    for seconds, waiting, stages in results:
        shown = ", ".join(f"{stage} {took:.2f}" for stage, took in stages.items())
        print(
            f"{seconds:6.2f} s from POST to report, {waiting:5.2f} s in timers ({waiting / seconds:.0%}): {shown}"
        )
    seconds, waiting = (statistics.median(column) for column in list(zip(*results, strict=True))[:2])
    print(
        f"{seconds:6.2f} s, {waiting:5.2f} s in timers ({waiting / seconds:.0%}): medians of {options.runs} runs"
    )


def measure(cloud: Cloud, number: int) -> tuple[float, float, dict[str, float]]:
    """Migrate a table; return seconds in all, seconds of waiting for timers, and seconds by stage."""
    name = f"Small{number}"
    table = DemoTable(
        name, "small", ("key", "S"), None, lambda: iter({"key": f"k{n}", "n": n} for n in range(ITEMS))
    )
    create_table(aws_client(cloud.identity, "dynamodb"), table)
    plan = {
        "name": f"small-{number}",
        "database": f"small-{number}",
        "region": names.AWS_REGION,
        "tables": [{"table": name, "container": "small"}],
    }
    url = f"{cloud.identity.url('functions_host')}/api/migrations"
    began = time.monotonic()
    httpx.post(url, json=plan).raise_for_status()
    while httpx.get(f"{url}/small-{number}").json()["state"] not in ENDED:
        time.sleep(LOOK_SECONDS)
    seconds = time.monotonic() - began
    report = httpx.get(f"{url}/small-{number}/report").json()
    assert report["state"] == "succeeded", report  # noqa: S101 - a benchmark of a failure would mean nothing
    stages = {stage["stage"]: stage for stage in report["tables"][0]["stages"]}
    waiting = sum(
        (_time(stages[following]["started_at"]) - ended).total_seconds()
        for following, ended in _ends_outside(cloud, report).items()
    )
    return seconds, waiting, {stage: entry["seconds"] for stage, entry in stages.items()}


def _ends_outside(cloud: Cloud, report: dict[str, Any]) -> dict[str, datetime]:
    """Return when the table's export, copy run and load run ended, by the stage that follows each."""
    dynamodb = aws_client(cloud.identity, "dynamodb")
    export = dynamodb.describe_export(ExportArn=report["tables"][0]["export"]["arn"])["ExportDescription"]
    client = DataFactoryManagementClient(
        _Owner(cloud.identity.management_token),
        names.SUBSCRIPTION_ID,
        base_url=cloud.identity.url("management"),
        connection_verify=str(cloud.certificates.authority),
    )
    window: Any = {"lastUpdatedAfter": "2026-01-01T00:00:00Z", "lastUpdatedBefore": "2999-01-01T00:00:00Z"}
    copies: Any = client.pipeline_runs.query_by_factory(
        names.RESOURCE_GROUP, names.DATA_FACTORY, window
    ).value
    config = Config(
        host=cloud.identity.url("databricks"), token=cloud.identity.databricks_token, auth_type="pat"
    )
    loads = WorkspaceClient(config=config).jobs.list_runs()
    return {
        "copy": export["EndTime"],
        "prepare": max(copy.run_end for copy in copies),
        "report": datetime.fromtimestamp(max(load.end_time or 0 for load in loads) / 1000, UTC),
    }


class _Owner:
    """Signs in as the subscription's owner."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return AccessToken(self._token, 2**31)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


if __name__ == "__main__":
    main()
