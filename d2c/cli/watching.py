"""Follow a migration to its end: poll its status and show changes."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Protocol, Self

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from d2c.cli.api import Api
from d2c.cli.outcome import (
    ENDED,
    EXIT_INTERRUPTED,
    error_text,
    exit_status_of_migration,
    operations_of,
    print_json,
)
from d2c.cli.session import outside
from d2c.cli.views.rendering import stdout_console
from d2c.cli.views.status import Room, status_view
from d2c.cli.views.status_lines import operation_line, operations_to_show, pace_text, table_line
from d2c.errors import TransientError

LOOK_EVERY_SECONDS = 2.0
# An answer about many tables is large, so it is polled less often.
SECONDS_PER_TABLE = 0.01
# Retries for an outage of about five minutes.
RETRY_PAUSES_SECONDS = (1, 2, 4, 8, 15, 30, 60, 60, 60, 60)
# Heading with sums, the table's heading and lines, the line on omitted tables, paces, errors, an operation, a retry.
LINES_WITHOUT_ROWS = 20
ERRORS_AT_MOST = 2

Status = Mapping[str, Any]
Pause = Callable[[float], None]


class Display(Protocol):
    """Shows the status of a followed migration."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, status: Status) -> None:
        """Show the migration's status."""

    def retrying(self, error: TransientError, seconds: float) -> None:
        """Show that a poll failed and is retried after some seconds."""


def has_ended(status: Status) -> bool:
    """Return whether a migration has ended, and no operation on it is running."""
    return all(one["state"] in ENDED for one in (status, *operations_of(status)))


def follow(
    look: Callable[[], Status],
    display: Display,
    pause: Pause,
    first: Status | None = None,
    is_done: Callable[[Status], bool] = has_ended,
    state: str | None = None,
) -> Status:
    """Poll a migration until it is done, and return its last status.

    Args:
        look: returns the migration's status.
        display: shows each status.
        pause: sleeps for a number of seconds.
        first: an already known status, if any.
        is_done: returns whether to stop polling.
        state: the state of the tables to show; all are shown if None.

    Raises:
        TransientError: if the app does not answer after all retries.
        D2CError: if the app rejects a call.
    """
    with display:
        status = first or _look_with_retries(look, display, pause)
        display.show(tables_in(status, state))
        while not is_done(status):
            pause(max(LOOK_EVERY_SECONDS, SECONDS_PER_TABLE * len(status["tables"])))
            status = _look_with_retries(look, display, pause)
            display.show(tables_in(status, state))
    return status


def tables_in(status: Status, state: str | None) -> Status:
    """Return a status with only the tables in a state, or with all if it is None."""
    if state is None:
        return status
    return {**status, "tables": [table for table in status["tables"] if table["state"] == state]}


def _look_with_retries(look: Callable[[], Status], display: Display, pause: Pause) -> Status:
    for seconds in RETRY_PAUSES_SECONDS:
        try:
            return look()
        except TransientError as error:
            display.retrying(error, seconds)
            pause(seconds)
    return look()


class _PlainDisplay:
    """Shows only retries, as lines on standard error."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, status: Status) -> None:
        """Show nothing: the JSON is printed at the end."""

    def retrying(self, error: TransientError, seconds: float) -> None:
        """Print the error and the time until the retry."""
        typer.echo(_retry_text(error, seconds), err=True)


class LineDisplay(_PlainDisplay):
    """Prints a line for each changed table and operation, and for each retry: for logs and pipes."""

    def __init__(self) -> None:
        self._printed: dict[tuple[str, Any], str] = {}

    def show(self, status: Status) -> None:
        """Print the lines that differ from those printed before."""
        lines = {("table", table["table"]): table_line(table) for table in status["tables"]}
        # A pace differs at each look, and would print a line for each.
        paces = {("table", table["table"]): pace_text(table) for table in status["tables"]}
        for operation in operations_to_show(status):
            lines[operation["operation"], operation["number"]] = operation_line(operation)
        for thing, line in lines.items():
            if self._printed.get(thing) != line:
                typer.echo(" | ".join(filter(None, (line, paces.get(thing)))))
        self._printed = lines


class LiveDisplay(_PlainDisplay):
    """Redraws a table on a terminal, and clears it at the end.

    Args:
        console: the terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._status: Status | None = None

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, status: Status) -> None:
        """Redraw the table."""
        self._status = status
        self._draw(None)

    def retrying(self, error: TransientError, seconds: float) -> None:
        """Redraw the last table with the error below it."""
        self._draw(_retry_text(error, seconds))

    def _draw(self, note: str | None) -> None:
        rows = max(self._console.height - LINES_WITHOUT_ROWS, 1)
        room = Room(self._console.width, rows, ERRORS_AT_MOST)
        parts = [status_view(self._status, room)] if self._status else []
        self._live.update(Group(*parts, *([Text(note, "yellow")] if note else [])), refresh=True)


def choose_display(console: Console, as_json: bool) -> Display:
    """Return the display for the kind of output."""
    if as_json:
        return _PlainDisplay()
    if console.file.isatty() and not console.is_dumb_terminal:
        return LiveDisplay(console)
    return LineDisplay()


def _retry_text(error: TransientError, seconds: float) -> str:
    return f"{error_text(error).splitlines()[0]} Retrying in {seconds:g} seconds."


def watch_status(
    context: typer.Context,
    api: Api,
    migration: str,
    as_json: bool,
    first: Status | None = None,
    is_done: Callable[[Status], bool] = has_ended,
    state: str | None = None,
) -> None:
    """Follow a migration until it is done, and exit by its state; an interrupt does not stop the migration.

    Args:
        context: the command's.
        api: the app.
        migration: its id.
        as_json: whether to print the last status as JSON.
        first: an already known status, if any.
        is_done: returns whether to stop polling.
        state: the state of the tables to show; all are shown if None.
    """
    display = choose_display(stdout_console(), as_json)
    try:
        ended = follow(lambda: api.status(migration), display, outside(context).pause, first, is_done, state)
    except KeyboardInterrupt:
        again = f"d2c status {migration} --watch"
        typer.echo(f"Stopped watching; the migration continues. Watch it again: {again}", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    show_status(ended, as_json, state)


def show_status(status: Mapping[str, Any], as_json: bool, state: str | None = None) -> None:
    """Show a migration's status, and exit by its state.

    Args:
        status: with all tables; the hidden ones determine the exit status too.
        as_json: whether to print it as JSON.
        state: the state of the tables to show; all are shown if None.
    """
    visible = tables_in(status, state)
    if as_json:
        print_json(visible)
    else:
        console = stdout_console()
        console.print(status_view(visible, Room(console.width)))
    raise typer.Exit(exit_status_of_migration(status))
