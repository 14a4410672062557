"""`d2c cancel`, `suspend`, `resume` and `retry`: stopping migrations, and letting them go on."""

from typing import Annotated

import typer

from d2c.cli.files import only_table, read_rules
from d2c.cli.outcome import tell
from d2c.cli.session import DEFAULT_URL, AsJson, Key, MigrationId, Url, Watch, example, session
from d2c.cli.watching import watch_status

TablesToCancel = Annotated[
    list[str] | None,
    typer.Option(
        "--table", metavar="TABLE", help="Cancel this table only; may be repeated. Without it, all of them."
    ),
]
TablesToRetry = Annotated[
    list[str] | None,
    typer.Option(
        "--table",
        metavar="TABLE",
        help="Retry this table; may be repeated. Without it, all that failed or were cancelled.",
    ),
]
RulesFile = Annotated[
    str | None,
    typer.Option(
        "--rules",
        metavar="FILE",
        help="File with new rules of the table, a JSON object; - is standard input.",
    ),
]


def cancel(
    context: typer.Context,
    migration: MigrationId,
    tables: TablesToCancel = None,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Cancel a migration or tables of it: what runs outside is stopped, and throughput is put back."""
    with session(context, url, key, as_json) as api:
        answer = api.steer(migration, "cancel", {"tables": tables} if tables else None)
    told = f"Migration {migration} is being cancelled."
    if tables:
        told = f"Of migration {migration} are being cancelled: {', '.join(tables)}."
    tell(answer, as_json, f"{told} Follow it: d2c status {migration} --watch")


def suspend(
    context: typer.Context,
    migration: MigrationId,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Let no stage of a migration begin that has not begun; what runs goes on to its end."""
    with session(context, url, key, as_json) as api:
        answer = api.steer(migration, "suspend")
    tell(
        answer,
        as_json,
        f"Migration {migration} begins no new stage.",
        f"Go on with it: d2c resume {migration}",
    )


def resume(
    context: typer.Context,
    migration: MigrationId,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Let a migration go on that was suspended."""
    with session(context, url, key, as_json) as api:
        answer = api.steer(migration, "resume")
    tell(answer, as_json, f"Migration {migration} goes on. Follow it: d2c status {migration} --watch")


def retry(
    context: typer.Context,
    migration: MigrationId,
    tables: TablesToRetry = None,
    rules: RulesFile = None,
    watch: Watch = False,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Go on with tables that failed or were cancelled, from the stage at which they stopped.

    Exit status with --watch: as of `d2c status`.
    """
    given = read_rules(rules) if rules else None
    with session(context, url, key, as_json) as api:
        if given is not None:
            names = tables or [table["table"] for table in api.status(migration)["tables"]]
            entries = [{"table": only_table(names), "rules": given}]
        else:
            entries = [{"table": table} for table in tables or ()]
        answer = api.steer(migration, "retry", {"tables": entries} if entries else None)
        if watch:
            watch_status(context, api, migration, as_json)
        else:
            told = f"Migration {migration} goes on with {_named(tables)}."
            tell(answer, as_json, told, f"Follow it: d2c status {migration} --watch")


def _named(tables: list[str] | None) -> str:
    return ", ".join(tables) if tables else "what failed or was cancelled"


def add_steering_commands(app: typer.Typer) -> None:
    """Add the commands of this module to the command line."""
    app.command(epilog=example("d2c cancel music-2026", "d2c cancel music-2026 --table Music"))(cancel)
    app.command(epilog=example("d2c suspend music-2026"))(suspend)
    app.command(epilog=example("d2c resume music-2026"))(resume)
    app.command(
        epilog=example(
            "d2c retry music-2026 --watch", "d2c retry music-2026 --table Music --rules rules.json --watch"
        )
    )(retry)
