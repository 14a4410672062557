"""`d2c start`, `status` and `report`: migrations through the app's HTTP API."""

import json
from pathlib import Path
from typing import Annotated

import typer

from d2c.cli.api import Api
from d2c.cli.files import read_file, write_whole
from d2c.cli.outcome import exit_status_of_report, print_answer, print_json
from d2c.cli.session import (
    DEFAULT_URL,
    AsJson,
    Key,
    MigrationId,
    OptionalMigrationId,
    Url,
    Watch,
    example,
    session,
)
from d2c.cli.views.rendering import stdout_console
from d2c.cli.views.report import report_view
from d2c.cli.views.status import migrations_view
from d2c.cli.watching import show_status, watch_status
from d2c.state.table_states import STATES

PlanFile = Annotated[str, typer.Argument(metavar="PLAN", help="File with the plan; - is standard input.")]
PageFile = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write the report as a web page.")
]
ReportFile = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="Write the report as JSON.")
]


def _check_state(text: str | None) -> str | None:
    if text is not None and text not in STATES:
        raise typer.BadParameter(f"{text!r} is not a state; the states are {', '.join(STATES)}")
    return text


State = Annotated[
    str | None,
    typer.Option(
        "--state",
        metavar="STATE",
        help="Show only the tables in this state, such as failed.",
        callback=_check_state,
    ),
]


def start(
    context: typer.Context,
    plan: PlanFile,
    watch: Watch = False,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Start the migration that a plan describes.

    The same plan again returns the running migration. All faults of an invalid plan are reported at once.
    """
    body = read_file(plan, "plan")
    with session(context, url, key, as_json) as api:
        started = api.start(body)
        if watch:
            watch_status(context, api, started["id"], as_json)
        else:
            message = f"Migration {started['id']} is {started['state']}."
            print_answer(started, as_json, message, f"Follow it: d2c status {started['id']} --watch")


def status(
    context: typer.Context,
    migration: OptionalMigrationId = None,
    state: State = None,
    watch: Watch = False,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Show the status of a migration and each of its tables, or list all migrations, newest first.

    Exit status: 0 running or succeeded, 1 failed or cancelled (the migration or the last operation on it),
    3 succeeded with rejected items or mismatches.
    """
    if migration is None and (watch or state):
        raise typer.BadParameter("--watch and --state need the ID of a migration")
    with session(context, url, key, as_json) as api:
        if migration is None:
            _list(api, as_json)
        elif watch:
            watch_status(context, api, migration, as_json, first=api.status(migration), state=state)
        else:
            show_status(api.status(migration), as_json, state)


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
        contents = api.report(migration)
        if output:
            write_whole(output, json.dumps(contents, indent=1, ensure_ascii=False).encode() + b"\n")
        if html:
            write_whole(html, api.report_page(migration))
    if as_json:
        print_json(contents)
    else:
        console = stdout_console()
        console.print(report_view(contents, console.width))
    raise typer.Exit(exit_status_of_report(contents))


def add_migration_commands(app: typer.Typer) -> None:
    """Add the commands of this module to the command line."""
    app.command(epilog=example("d2c start plan.json --watch", "d2c start - --json < plan.json"))(start)
    app.command(
        epilog=example(
            "d2c status", "d2c status music-2026 --watch", "d2c status music-2026 --state failed --json"
        )
    )(status)
    app.command(epilog=example("d2c report music-2026", "d2c report music-2026 --html report.html"))(report)


def _list(api: Api, as_json: bool) -> None:
    migrations = api.migrations()
    if as_json:
        print_json({"migrations": migrations})
    else:
        stdout_console().print(migrations_view(migrations))
