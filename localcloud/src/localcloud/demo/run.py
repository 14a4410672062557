"""The demo from its first service to its report; it does what a user would do, with the same commands."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from localcloud.cloud.identity import IDENTITY_FILE
from localcloud.cloud.lock import LOCK_FILE
from localcloud.cloud.processes import ServiceFailedError
from localcloud.cloud.services import Cloud, aws_client, running_cloud
from localcloud.common.names import AWS_REGION
from localcloud.demo.loading import create_table
from localcloud.demo.tables import TABLES

MIGRATION = "demo"
# Enough for the largest table to load within seconds.
LOAD_RU_PER_SECOND = 60_000


def run_demo(
    state_folder: Path, report: Path, people: Console, afterwards: Callable[[Cloud], None] | None = None
) -> int:
    """Migrate the demo's tables on a fresh local cloud.

    Args:
        state_folder: the local cloud's; what an earlier demo left there is removed.
        report: where the report is written as JSON; the page goes into the same folder.
        people: where progress is shown.
        afterwards: what to do with the local cloud before it ends, or None.

    Returns:
        The exit status of ``d2c check`` if it found what would fail, else that of ``d2c start --watch``: 0 only if
        every item arrived and verification found nothing wrong.
    """
    _clear(state_folder)
    people.print(
        "[bold]1. The local cloud[/]: DynamoDB, S3, Data Factory, the lake, Databricks, Cosmos DB, Functions"
    )
    with running_cloud(
        state_folder,
        on_ready=lambda service, seconds: people.print(f"   {service} is ready after {seconds:.1f} s"),
    ) as cloud:
        people.print("[bold]2. The tables[/]: data sets of vega-datasets, written to DynamoDB")
        _make_tables(cloud, people)
        report = _as_typed(report)
        plan = report.parent / "plan.json"
        plan.parent.mkdir(parents=True, exist_ok=True)
        plan.write_text(json.dumps(demo_plan(), indent=2) + "\n")
        people.print("[bold]3. The check[/]: what would make the migration fail, and what it takes")
        status = _d2c(cloud, people, "check", str(plan))
        if status:
            return status
        people.print("[bold]4. The migration[/]: what you would type for tables of your own")
        status = _d2c(cloud, people, "start", str(plan), "--watch")
        people.print("[bold]5. The report[/]")
        page = report.with_suffix(".html")
        _d2c(cloud, people, "report", MIGRATION, "--output", str(report), "--html", str(page))
        people.print(f"The report: {report}\nAs a page:  {page}")
        if afterwards:
            people.print(
                f"The local cloud stays: export D2C_URL={cloud.identity.url('functions_host')}; stop it with Ctrl-C."
            )
            afterwards(cloud)
    return status


def _as_typed(path: Path) -> Path:
    """Return a path as a user would type it: within the current folder without that."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def demo_plan() -> dict[str, Any]:
    """Return the plan that moves the demo's tables."""
    return {
        "name": MIGRATION,
        "database": "demo",
        "region": AWS_REGION,
        "throughput": {"load_ru_per_second": LOAD_RU_PER_SECOND, "after_load_ru_per_second": 1000},
        "verify": "full",
        "tables": [
            {
                "table": table.name,
                "container": table.container,
                **({"rules": table.rules} if table.rules else {}),
            }
            for table in TABLES
        ],
    }


def _clear(state_folder: Path) -> None:
    """Empty a local cloud's state folder but for the lock that this process holds in it.

    Raises:
        ServiceFailedError: if the folder holds something that no local cloud left there.
    """
    paths = [path for path in state_folder.iterdir() if path.name != LOCK_FILE]
    if paths and not (state_folder / IDENTITY_FILE).exists():
        raise ServiceFailedError(
            f"{state_folder} holds {paths[0].name} and is no local cloud's state folder; the demo would delete it. "
            "Give an empty --state-folder."
        )
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _make_tables(cloud: Cloud, people: Console) -> None:
    dynamodb = aws_client(cloud.identity, "dynamodb")
    for table in TABLES:
        began = time.monotonic()
        count = create_table(dynamodb, table)
        people.print(f"   {table.name}: {count:,} items in {time.monotonic() - began:.1f} s")


def _d2c(cloud: Cloud, people: Console, *arguments: str) -> int:
    """Run the d2c command as a user would, and return its exit status."""
    people.print(f"   $ d2c {' '.join(arguments)}", markup=False, soft_wrap=True)
    environment = {**os.environ, "D2C_URL": cloud.identity.url("functions_host")}
    command = [sys.executable, "-c", "from d2c.cli import main; main()", *arguments]
    return subprocess.run(command, env=environment, check=False).returncode
