"""`d2c start`, `status`, `report` and `cancel`: migrations through the app's HTTP API."""

import json
from pathlib import Path
from typing import Annotated

import typer

from d2c.cli.api import Api
from d2c.cli.examples import example
from d2c.cli.files import read_file, write_whole
from d2c.cli.following import show_status, watch_status
from d2c.cli.outcome import exit_status_of_report, print_json
from d2c.cli.rendering import migrations_view, report_view, stdout_console
from d2c.cli.session import (
    DEFAULT_URL,
    AsJson,
    Key,
    MigrationId,
    OptionalMigrationId,
    Url,
    Watch,
    session,
)

PlanFile = Annotated[str, typer.Argument(metavar="PLAN", help="File with the plan; - is standard input.")]
PageFile = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write the report as a web page.")
]
ReportFile = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="Write the report as JSON.")
]


def start(
    context: typer.Context,
    plan: PlanFile,
    watch: Watch = False,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Start the migration that a plan asks for.

    The same plan again finds the migration that runs already. All faults of a plan are told at once.
    """
    body = read_file(plan, "plan")
    with session(context, url, key, as_json) as api:
        started = api.start(body)
        if watch:
            watch_status(context, api, started["id"], as_json)
        elif as_json:
            print_json(started)
        else:
            typer.echo(f"Migration {started['id']} is {started['state']}.")
            typer.echo(f"Follow it: d2c status {started['id']} --watch")


def status(
    context: typer.Context,
    migration: OptionalMigrationId = None,
    watch: Watch = False,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Show how a migration and each of its tables stand, or list all migrations, newest first.

    Exit status: 0 under way or succeeded, 1 failed or cancelled (the migration or the last operation on it),
    3 succeeded with rejected items or mismatches.
    """
    if watch and migration is None:
        raise typer.BadParameter("--watch follows one migration; name its ID")
    with session(context, url, key, as_json) as api:
        if migration is None:
            _list(api, as_json)
        elif watch:
            watch_status(context, api, migration, as_json, first=api.status(migration))
        else:
            show_status(api.status(migration), as_json)


def report(
    context: typer.Context,
    migration: MigrationId,
    as_json: AsJson = False,
    html: PageFile = None,
    output: ReportFile = None,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Show the report of a migration that has ended, and write it to files.

    Exit status: 0 succeeded, 1 failed or cancelled, 3 succeeded with rejected items or mismatches.
    """
    with session(context, url, key, as_json) as api:
        found = api.report(migration)
        if output:
            write_whole(output, json.dumps(found, indent=1, ensure_ascii=False).encode() + b"\n")
        if html:
            write_whole(html, api.report_page(migration))
    if as_json:
        print_json(found)
    else:
        console = stdout_console()
        console.print(report_view(found, console.width))
    raise typer.Exit(exit_status_of_report(found))


def cancel(
    context: typer.Context,
    migration: MigrationId,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Cancel a migration: what runs outside is stopped, and throughput is put back."""
    with session(context, url, key, as_json) as api:
        answer = api.cancel(migration)
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"Migration {migration} is being cancelled. Follow it: d2c status {migration} --watch")


def add_migration_commands(app: typer.Typer) -> None:
    """Add the commands of this module to the command line."""
    app.command(epilog=example("d2c start plan.json --watch", "d2c start - --json < plan.json"))(start)
    app.command(epilog=example("d2c status", "d2c status music-2026 --watch"))(status)
    app.command(epilog=example("d2c report music-2026", "d2c report music-2026 --html report.html"))(report)
    app.command(epilog=example("d2c cancel music-2026"))(cancel)


def _list(api: Api, as_json: bool) -> None:
    found = api.migrations()
    if as_json:
        print_json({"migrations": found})
    else:
        stdout_console().print(migrations_view(found))
