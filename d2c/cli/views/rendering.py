"""What all that people see is made of: tables, numbers, times, states and errors."""

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
# Below this width columns move together, so that no number is cut.
WIDE_COLUMNS = 110
COLUMNS_OF_NAMES = ("Table", "Container", "Seconds", "Throughput")
# Without a terminal there is no edge to fit in.
WIDTH_WITHOUT_TERMINAL = 200


def stdout_console() -> Console:
    """Return a console on standard output that takes texts as they are."""
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = WIDTH_WITHOUT_TERMINAL
    return console


def table_of(*texts: str, numbers: Sequence[str] = (), is_wide: bool = True) -> Table:
    """Return a table with columns of text, then of numbers; where it is too wide, names are cut and never numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, int(is_wide), 0, 0))
    for name in texts:
        # Names hold no spaces, so that they are cut where they may wrap; what may not wrap keeps its width.
        table.add_column(name, no_wrap=name not in COLUMNS_OF_NAMES, overflow="ellipsis", min_width=7)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def state_text(state: str) -> Text:
    """Return a state in its colour."""
    return Text(state, STATE_STYLES.get(state, ""))


def number_text(value: float | None) -> str:
    """Return a number with its thousands apart."""
    return UNKNOWN if value is None else f"{value:,}"


def time_text(text: str | None) -> str:
    """Return an ISO time in UTC without its zone, which the heading names."""
    return UNKNOWN if text is None else text[:19].replace("T", " ")


def error_lines(where: str, error: Mapping[str, Any]) -> Iterator[Text]:
    """Yield the lines of an error with its next step.

    Args:
        where: what it befell.
        error: as the API tells it.
    """
    yield Text.assemble((f"{where}: {error['title']}", "bold red"), f": {error['detail']}")
    yield Text(f"  Next: {error['next_step']}")


def table_error_lines(table: Mapping[str, Any]) -> Iterator[Text]:
    """Yield the lines of a table's error, if it has one."""
    error = table["error"]
    if error:
        yield from error_lines(f"{table['table']}, {error['stage']}", error)
