"""How a command shows a migration's state and ends by it: at once, or once what is under way has ended."""

from collections.abc import Callable, Mapping
from typing import Any

import typer

from d2c.cli.api import Api
from d2c.cli.outcome import EXIT_INTERRUPTED, exit_status_of_migration, print_json
from d2c.cli.rendering import status_view, stdout_console
from d2c.cli.session import outside
from d2c.cli.watching import Status, choose_display, follow, has_ended


def watch_status(
    context: typer.Context,
    api: Api,
    migration: str,
    as_json: bool,
    first: Status | None = None,
    is_done: Callable[[Status], bool] = has_ended,
) -> None:
    """Follow a migration until it is done, and end as it ended; an interrupt ends the watch and not the migration.

    Args:
        context: the command's.
        api: the app.
        migration: its id.
        as_json: whether to print the last status as JSON.
        first: the status of a look that was made already, if there was one.
        is_done: tells whether a status is the last one to wait for.
    """
    display = choose_display(stdout_console(), as_json)
    try:
        ended = follow(lambda: api.status(migration), display, outside(context).pause, first, is_done)
    except KeyboardInterrupt:
        again = f"d2c status {migration} --watch"
        typer.echo(f"No longer watching; the migration goes on. Watch it again: {again}", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    show_status(ended, as_json)


def show_status(found: Mapping[str, Any], as_json: bool) -> None:
    """Show a migration's status, and end the command by it."""
    if as_json:
        print_json(found)
    else:
        console = stdout_console()
        console.print(status_view(found, console.width))
    raise typer.Exit(exit_status_of_migration(found))
