"""`d2c cancel`, `suspend`, `resume` and `retry`: the lifecycle of a migration."""

from typing import Annotated

import typer

from d2c.cli.files import only_table, read_rules
from d2c.cli.outcome import print_answer
from d2c.cli.session import DEFAULT_URL, AsJson, Key, MigrationId, Url, Watch, example, session
from d2c.cli.watching import watch_status

TablesToCancel = Annotated[
    list[str] | None,
    typer.Option(
        "--table", metavar="TABLE", help="Cancel this table only; may be repeated. Without it, all tables."
    ),
]
TablesToRetry = Annotated[
    list[str] | None,
    typer.Option(
        "--table",
        metavar="TABLE",
        help="Retry this table; may be repeated. Without it, all failed and cancelled tables.",
    ),
]
RulesFile = Annotated[
    str | None,
    typer.Option(
        "--rules",
        metavar="FILE",
        help="File with the table's new rules, a JSON object; - is standard input.",
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
    """Cancel a migration or some of its tables: stop external runs and reset throughput."""
    with session(context, url, key, as_json) as api:
        answer = api.change(migration, "cancel", {"tables": tables} if tables else None)
    message = f"Cancelling {_named(tables, '')}migration {migration}."
    print_answer(answer, as_json, f"{message} Follow it: d2c status {migration} --watch")


def suspend(
    context: typer.Context,
    migration: MigrationId,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Pause a migration: running stages finish, no new stage starts."""
    with session(context, url, key, as_json) as api:
        answer = api.change(migration, "suspend")
    message = f"Pausing migration {migration}: running stages finish, no new stage starts."
    print_answer(answer, as_json, message, f"Resume it: d2c resume {migration}")


def resume(
    context: typer.Context,
    migration: MigrationId,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Resume a suspended migration."""
    with session(context, url, key, as_json) as api:
        answer = api.change(migration, "resume")
    print_answer(
        answer, as_json, f"Resuming migration {migration}. Follow it: d2c status {migration} --watch"
    )


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
    """Retry failed and cancelled tables, each from the stage at which it stopped.

    Exit status with --watch: that of `d2c status`.
    """
    new_rules = read_rules(rules) if rules else None
    with session(context, url, key, as_json) as api:
        if new_rules is not None:
            names = tables or [table["table"] for table in api.status(migration)["tables"]]
            entries = [{"table": only_table(names), "rules": new_rules}]
        else:
            entries = [{"table": table} for table in tables or ()]
        answer = api.change(migration, "retry", {"tables": entries} if entries else None)
        if watch:
            watch_status(context, api, migration, as_json)
        else:
            message = (
                f"Retrying {_named(tables, 'the failed and cancelled tables of ')}migration {migration}."
            )
            print_answer(answer, as_json, message, f"Follow it: d2c status {migration} --watch")


def _named(tables: list[str] | None, default: str) -> str:
    """Return the tables as the object of a sentence that continues with the migration."""
    return f"{'table' if len(tables) == 1 else 'tables'} {', '.join(tables)} of " if tables else default


def add_lifecycle_commands(app: typer.Typer) -> None:
    """Add the commands of this module to the command line."""
    app.command(epilog=example("d2c cancel music-2026", "d2c cancel music-2026 --table Music"))(cancel)
    app.command(epilog=example("d2c suspend music-2026"))(suspend)
    app.command(epilog=example("d2c resume music-2026"))(resume)
    app.command(
        epilog=example(
            "d2c retry music-2026 --watch", "d2c retry music-2026 --table Music --rules rules.json --watch"
        )
    )(retry)
