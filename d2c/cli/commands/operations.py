"""`d2c rejected`, `replay` and `verify`: rejected items, and operations on a migration that has ended."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from d2c.cli.api import Answer, Api
from d2c.cli.files import only_table, read_rules
from d2c.cli.outcome import operations_of, print_answer, print_json
from d2c.cli.session import DEFAULT_URL, AsJson, Key, MigrationId, Url, example, session
from d2c.cli.views.rejected import rejected_view
from d2c.cli.views.rendering import stdout_console
from d2c.cli.watching import Status, has_ended, watch_status
from d2c.mapping import REASONS

LIMIT_FOR_PEOPLE = 50
# As in a plan, whose module needs packages that the command line does not install.
METHOD = re.compile(r"full|counts|sample:0?\.[0-9]*[1-9][0-9]*")


def _check_reason(text: str | None) -> str | None:
    if text is not None and text not in REASONS:
        raise typer.BadParameter(f"{text!r} is not a reason; the reasons are {', '.join(REASONS)}")
    return text


def _check_method(text: str | None) -> str | None:
    if text is not None and not METHOD.fullmatch(text):
        raise typer.BadParameter(
            f"{text!r} is not a method: use full, counts, or a sample with a fraction below 1, such as sample:0.01"
        )
    return text


TableOfItems = Annotated[
    str | None, typer.Option("--table", metavar="TABLE", help="Show only this table's items.")
]
Reason = Annotated[
    str | None,
    typer.Option(
        "--reason",
        metavar="REASON",
        help=f"Show only items with this reason: {', '.join(REASONS)}.",
        callback=_check_reason,
        autocompletion=lambda: list(REASONS),
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit",
        metavar="N",
        min=1,
        help=f"Maximum number of items; {LIMIT_FOR_PEOPLE} if not given, all with --json.",
    ),
]
TableToReplay = Annotated[
    str | None,
    typer.Option(
        "--table", metavar="TABLE", help="Replay this table only; without it, all with rejected items."
    ),
]
RulesFile = Annotated[
    str | None,
    typer.Option(
        "--rules", metavar="FILE", help="File with a table's new rules, a JSON object; - is standard input."
    ),
]
TablesToVerify = Annotated[
    list[str] | None,
    typer.Option(
        "--table", metavar="TABLE", help="Verify this table; may be repeated. Without it, all tables."
    ),
]
Method = Annotated[
    str | None,
    typer.Option(
        "--method",
        metavar="METHOD",
        help="full, counts, or a sample such as sample:0.01; the plan's if not given.",
        callback=_check_method,
    ),
]
WatchOperation = Annotated[bool, typer.Option("--watch", help="Follow the operation until it ends.")]


def rejected(
    context: typer.Context,
    migration: MigrationId,
    table: TableOfItems = None,
    reason: Reason = None,
    limit: Limit = None,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """List rejected items, each with its reason; --json includes their contents."""
    at_most = limit if limit or as_json else LIMIT_FOR_PEOPLE
    with session(context, url, key, as_json) as api:
        page = api.rejected(migration, table, reason, at_most)
    if as_json:
        print_json(page)
    else:
        stdout_console().print(rejected_view(page))


def replay(
    context: typer.Context,
    migration: MigrationId,
    rules: RulesFile = None,
    table: TableToReplay = None,
    watch: WatchOperation = False,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Map and load the rejected items again, by new rules or the current ones, and verify the tables.

    Exit status with --watch: that of `d2c status`.
    """
    new_rules = read_rules(rules) if rules else None
    with session(context, url, key, as_json) as api:
        before = api.status(migration) if watch or new_rules is not None else None
        if before and new_rules is not None:
            table = table or only_table([one["table"] for one in before["tables"]])
        entry = {"table": table} if new_rules is None else {"table": table, "rules": new_rules}
        body = {"tables": [entry]} if table else None
        _run(context, api, lambda: api.replay(migration, body), before if watch else None, as_json)


def verify(
    context: typer.Context,
    migration: MigrationId,
    tables: TablesToVerify = None,
    method: Method = None,
    watch: WatchOperation = False,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Compare the containers with the export again, in both directions.

    Exit status with --watch: that of `d2c status`.
    """
    body = {**({"tables": tables} if tables else {}), **({"verify": method} if method else {})}
    with session(context, url, key, as_json) as api:
        before = api.status(migration) if watch else None
        _run(context, api, lambda: api.verify(migration, body or None), before, as_json)


def add_operation_commands(app: typer.Typer) -> None:
    """Add the commands of this module to the command line."""
    app.command(
        epilog=example(
            "d2c rejected music-2026 --reason inexact_number",
            "d2c rejected music-2026 --json > rejected.json",
        )
    )(rejected)
    app.command(
        epilog=example(
            "d2c replay music-2026 --watch",
            "d2c replay music-2026 --table Music --rules rules.json --watch",
        )
    )(replay)
    app.command(
        epilog=example(
            "d2c verify music-2026 --watch", "d2c verify music-2026 --table Music --method sample:0.01"
        )
    )(verify)


def _run(
    context: typer.Context, api: Api, start: Callable[[], Answer], before: Status | None, as_json: bool
) -> None:
    """Start an operation, and follow it if the earlier status is given."""
    started = start()
    migration = started["id"]
    if before is not None:
        earlier = _identity_of_newest(before)

        def is_done(status: Status) -> bool:
            # Until this operation appears, the newest one is an earlier one that has ended.
            return has_ended(status) and _identity_of_newest(status) != earlier

        watch_status(context, api, migration, as_json, is_done=is_done)
    else:
        message = f"Operation {started['operation']} of migration {migration} is {started['state']}."
        print_answer(started, as_json, message, f"Follow it: d2c status {migration} --watch")


def _identity_of_newest(status: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Return the identity of a migration's newest operation."""
    operations = operations_of(status)
    return (
        tuple(operations[0][name] for name in ("operation", "number", "started_at")) if operations else None
    )
