"""How a command shows a migration's state and ends by it: at once, or once what is under way has ended."""

from collections.abc import Callable, Mapping
from typing import Any

import typer

from d2c.cli.api import Api
from d2c.cli.outcome import EXIT_INTERRUPTED, exit_status_of_migration, print_json
from d2c.cli.rendering import stdout_console
from d2c.cli.session import outside
from d2c.cli.status_view import Room, status_view
from d2c.cli.watching import Status, choose_display, follow, has_ended, tables_in


def watch_status(
    context: typer.Context,
    api: Api,
    migration: str,
    as_json: bool,
    first: Status | None = None,
    is_done: Callable[[Status], bool] = has_ended,
    state: str | None = None,
) -> None:
    """Follow a migration until it is done, and end as it ended; an interrupt ends the watch and not the migration.

    Args:
        context: the command's.
        api: the app.
        migration: its id.
        as_json: whether to print the last status as JSON.
        first: the status of a look that was made already, if there was one.
        is_done: tells whether a status is the last one to wait for.
        state: the state of the tables to show; all are shown if None.
    """
    display = choose_display(stdout_console(), as_json)
    try:
        ended = follow(lambda: api.status(migration), display, outside(context).pause, first, is_done, state)
    except KeyboardInterrupt:
        again = f"d2c status {migration} --watch"
        typer.echo(f"No longer watching; the migration goes on. Watch it again: {again}", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    show_status(ended, as_json, state)


def show_status(found: Mapping[str, Any], as_json: bool, state: str | None = None) -> None:
    """Show a migration's status, and end the command by it.

    Args:
        found: the status, with all tables: those that are not shown tell how the command ends too.
        as_json: whether to print it as JSON.
        state: the state of the tables to show; all are shown if None.
    """
    shown = tables_in(found, state)
    if as_json:
        print_json(shown)
    else:
        console = stdout_console()
        console.print(status_view(shown, Room(console.width)))
    raise typer.Exit(exit_status_of_migration(found))
