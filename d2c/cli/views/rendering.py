"""Building blocks of all views: tables, numbers, times, states and errors."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

UNKNOWN = "-"
STATE_STYLES = {
    "succeeded": "green",
    "failed": "bold red",
    "cancelled": "yellow",
    "running": "cyan",
    "stalled": "bold yellow",
    "waiting": "dim",
}
# Below this width columns are packed tightly, so that no number is truncated.
WIDE_COLUMNS = 110
COLUMNS_OF_NAMES = ("Table", "Container", "Seconds", "Throughput")
# Without a terminal the width is not limited.
WIDTH_WITHOUT_TERMINAL = 200


def stdout_console() -> Console:
    """Return a console on standard output that prints texts literally."""
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = WIDTH_WITHOUT_TERMINAL
    return console


def table_of(*texts: str, numbers: Sequence[str] = (), is_wide: bool = True) -> Table:
    """Return a table with columns of text, then of numbers; if it is too wide, names are truncated, never numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, int(is_wide), 0, 0))
    for name in texts:
        # A wrapping column may shrink, and names without spaces are then truncated; a no-wrap column keeps its width.
        table.add_column(name, no_wrap=name not in COLUMNS_OF_NAMES, overflow="ellipsis", min_width=7)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def state_text(state: str) -> Text:
    """Return a state in its colour."""
    return Text(state, STATE_STYLES.get(state, ""))


def number_text(value: float | None) -> str:
    """Return a number with thousands separators."""
    return UNKNOWN if value is None else f"{value:,}"


def time_text(text: str | None) -> str:
    """Return an ISO time in UTC without its zone, which is in the heading."""
    return UNKNOWN if text is None else text[:19].replace("T", " ")


def error_lines(subject: str, error: Mapping[str, Any]) -> Iterator[Text]:
    """Yield the lines of an error with its next step.

    Args:
        subject: the migration, table or operation that failed.
        error: as the API returns it.
    """
    yield Text.assemble((f"{subject}: {error['title']}", "bold red"), f": {error['detail']}")
    yield Text(f"  Next: {error['next_step']}")


def table_error_lines(table: Mapping[str, Any]) -> Iterator[Text]:
    """Yield the lines of a table's error, if it has one."""
    error = table["error"]
    if error:
        yield from error_lines(f"{table['table']}, {error['stage']}", error)
