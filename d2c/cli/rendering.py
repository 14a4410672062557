"""What people see: tables of migrations, of a migration's tables, and of a report."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from d2c.cli.outcome import ENDED, MISMATCHES, operations_of

UNKNOWN = "-"
STATE_STYLES = {"succeeded": "green", "failed": "bold red", "cancelled": "yellow", "running": "cyan"}
# What needs eyes comes first where there is no room for all.
ORDER_OF_STATES = ("failed", "running", "cancelled", "pending", "succeeded")
COUNTS = {
    "items_exported": "exported",
    "items_written": "written",
    "items_rejected": "rejected",
    "items_expired": "expired",
    "mismatches": "mismatches",
}
BAR_WIDTH = 8
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


def migrations_view(migrations: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return the list of migrations."""
    if not migrations:
        return Text("There are no migrations yet. Start one: d2c start PLAN")
    table = _table("Migration", "State", "Started (UTC)", "Ended (UTC)")
    for migration in migrations:
        times = (_time(migration["started_at"]), _time(migration["finished_at"]))
        table.add_row(migration["id"], _state(migration["state"]), *times)
    return table


def status_view(
    status: Mapping[str, Any], width: int = WIDE_COLUMNS, rows_at_most: int | None = None
) -> RenderableType:
    """Return a migration's heading, its tables with progress bars, and below them errors and operations.

    Args:
        status: as the API describes a migration.
        width: the columns that there is room for.
        rows_at_most: how many tables there is room for; all are shown if None.
    """
    tables = list(status["tables"])
    if rows_at_most is not None and len(tables) > rows_at_most:
        tables = sorted(tables, key=lambda table: ORDER_OF_STATES.index(table["state"]))[:rows_at_most]
    is_wide = width >= WIDE_COLUMNS
    places = ("State", "Stage") if is_wide else ("State",)
    view = _table(
        "Table", *places, "Progress", numbers=("%", *map(_broken, COUNTS.values())), is_wide=is_wide
    )
    for table in tables:
        counts = (_number(table[name]) for name in ("percent", *COUNTS))
        bar = ProgressBar(100, table["percent"], BAR_WIDTH, complete_style="cyan", finished_style="green")
        view.add_row(table["table"], *_where(table, is_wide), bar, *counts)
    left_out = len(status["tables"]) - len(tables)
    rest = [Text(f"... and {left_out} more tables", "dim")] if left_out else []
    errors = [line for table in tables for line in _error_lines(table["table"], table["error"])]
    operations = [line for operation in operations_to_show(status) for line in _operation_lines(operation)]
    return Group(_heading(status), view, *rest, *errors, *operations)


def operations_to_show(status: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the operations on a migration that are under way, or else the last one that was."""
    operations = operations_of(status)
    return [one for one in operations if one["state"] not in ENDED] or operations[:1]


def operation_line(operation: Mapping[str, Any]) -> str:
    """Return an operation's status as one plain line."""
    parts = [_operation_name(operation), operation["state"], *_reasons(operation["error"])]
    return " | ".join(parts)


def table_line(table: Mapping[str, Any]) -> str:
    """Return a table's status as one plain line."""
    counts = [f"{table[name]:,} {word}" for name, word in COUNTS.items() if table[name] is not None]
    stage = [f"{table['stage']} {table['percent']} %"] if table["stage"] else []
    parts = [table["table"], table["state"], *stage, ", ".join(counts), *_reasons(table["error"])]
    return " | ".join(filter(None, parts))


def _reasons(error: Mapping[str, Any] | None) -> list[str]:
    return [f"{error['title']}: {error['detail']} Next: {error['next_step']}"] if error else []


def _heading(status: Mapping[str, Any]) -> Text:
    states = Counter(table["state"] for table in status["tables"])
    ended = sum(states[state] for state in ENDED)
    details = ", ".join(f"{states[state]} {state}" for state in ORDER_OF_STATES if states[state])
    return Text.assemble(
        f"Migration {status['id']}: ",
        _state(status["state"]),
        f", {ended} of {len(status['tables'])} tables have ended ({details})",
    )


def _where(table: Mapping[str, Any], is_wide: bool) -> tuple[Text, ...]:
    """Return a table's state and stage; on a narrow terminal the stage stands for the state that it is under way."""
    stage = Text(table["stage"] or UNKNOWN)
    if is_wide:
        return _state(table["state"]), stage
    return (stage if table["state"] == "running" else _state(table["state"]),)


def _broken(name: str) -> str:
    """Return a column's name on two lines where it is longer than the numbers below it."""
    return name.replace("mismatches", "mis-\nmatches")


def _operation_name(operation: Mapping[str, Any]) -> str:
    return f"{operation['operation']} {operation['number']}"


def _operation_lines(operation: Mapping[str, Any]) -> Iterator[Text]:
    name, ended_at, error = _operation_name(operation), operation["finished_at"], operation["error"]
    when = f" at {_time(ended_at)} UTC" if ended_at else f" since {_time(operation['started_at'])} UTC"
    yield Text.assemble(f"Operation {name}: ", _state(operation["state"]), when)
    if error:
        yield from _error_with_next_step(f"{name}: {error['title']}", error)


def _error_lines(table: str, error: Mapping[str, Any] | None) -> Iterator[Text]:
    if error:
        yield from _error_with_next_step(f"{table}, {error['stage']}: {error['title']}", error)


def _error_with_next_step(where: str, error: Mapping[str, Any]) -> Iterator[Text]:
    yield Text.assemble((where, "bold red"), f": {error['detail']}")
    yield Text(f"  Next: {error['next_step']}")


def report_view(report: Mapping[str, Any], width: int = WIDE_COLUMNS) -> RenderableType:
    """Return a report's summary: items and verification, seconds of each stage, throughput, and what went wrong.

    Args:
        report: as the API returns it.
        width: the columns that there is room for.
    """
    tables, is_wide = report["tables"], width >= WIDE_COLUMNS
    views = [view(tables, is_wide) for view in (_items_view, _seconds_view, _throughput_view)]
    errors = [line for table in tables for line in _error_lines(table["table"], table["error"])]
    rejected = [line for table in tables for line in _rejected_lines(table)]
    return Group(
        Text.assemble(f"Migration {report['id']}: ", _state(report["state"])), *views, *rejected, *errors
    )


def _items_view(tables: Sequence[Mapping[str, Any]], is_wide: bool) -> Table:
    names = ("exported", "written", "rejected", "expired")
    view = _table("Table", "Container", "State", numbers=names, is_wide=is_wide)
    view.add_column("Verification")
    for table in tables:
        place = f"{table['database']}/{table['container']}"
        items = (_number(table["items"][name]) for name in names)
        view.add_row(
            table["table"], place, _state(table["state"]), *items, _verification(table["verification"])
        )
    if len(tables) > 1:
        view.add_section()
        sums = (_number(sum(table["items"][name] or 0 for table in tables)) for name in names)
        view.add_row("all", "", "", *sums, "")
    return view


def _seconds_view(tables: Sequence[Mapping[str, Any]], is_wide: bool) -> Table:
    stages = list(dict.fromkeys(stage["stage"] for table in tables for stage in table["stages"]))
    view = _table("Seconds", numbers=(*stages, "total"), is_wide=is_wide)
    for table in tables:
        seconds = _seconds_of_stages(table)
        cells = [*(seconds.get(stage) for stage in stages), sum(seconds.values())]
        view.add_row(table["table"], *(UNKNOWN if cell is None else f"{cell:,.1f}" for cell in cells))
    return view


def _throughput_view(tables: Sequence[Mapping[str, Any]], is_wide: bool) -> Table:
    names = ("items/s loaded", "RU/s for the load", "RU/s afterwards")
    view = _table("Throughput", numbers=names, is_wide=is_wide)
    for table in tables:
        written, seconds = table["items"]["written"], _seconds_of_stages(table).get("load")
        speed = round(written / seconds) if written is not None and seconds else None
        request_units = (table["throughput"][name] for name in ("peak_ru_per_second", "after_ru_per_second"))
        view.add_row(table["table"], *map(_number, (speed, *request_units)))
    return view


def _seconds_of_stages(table: Mapping[str, Any]) -> dict[str, float]:
    return {stage["stage"]: stage.get("seconds") or 0.0 for stage in table["stages"]}


def _verification(found: Mapping[str, Any]) -> Text:
    """Say in words what verification found, the mismatches by kind."""
    if found["expected"] is None:
        return Text("not reached", "dim")
    mismatches = ", ".join(f"{found[kind]:,} {kind}" for kind in MISMATCHES if found[kind])
    if mismatches:
        return Text(mismatches, "bold red")
    method = "" if found["method"] == "full" else f" ({found['method']})"
    return Text(f"as expected{method}", "green")


def _rejected_lines(table: Mapping[str, Any]) -> Iterator[Text]:
    reasons = table["rejected_by_reason"]
    if reasons:
        counts = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
        yield Text.assemble((f"{table['table']}: rejected items", "yellow"), f": {counts}")


def _table(*texts: str, numbers: Sequence[str] = (), is_wide: bool = True) -> Table:
    """Return a table with columns of text, then of numbers; where it is too wide, names are cut and never numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, int(is_wide), 0, 0))
    for name in texts:
        # Names hold no spaces, so that they are cut where they may wrap; what may not wrap keeps its width.
        table.add_column(name, no_wrap=name not in COLUMNS_OF_NAMES, overflow="ellipsis", min_width=7)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _state(state: str) -> Text:
    return Text(state, STATE_STYLES.get(state, ""))


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def _time(text: str | None) -> str:
    """Return an ISO time in UTC without its zone, which the heading names."""
    return UNKNOWN if text is None else text[:19].replace("T", " ")
