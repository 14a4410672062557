"""The views of migrations: the list of all, and the status of one with its tables."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from d2c.cli.outcome import ENDED
from d2c.cli.views.rendering import (
    UNKNOWN,
    WIDE_COLUMNS,
    error_lines,
    number_text,
    state_text,
    table_error_lines,
    table_of,
    time_text,
)
from d2c.cli.views.status_lines import (
    COUNTS,
    counts_of,
    minute_text,
    operation_name,
    operations_to_show,
    pace_text,
    sums_text,
)

# If not all tables fit, those that need attention come first.
ORDER_OF_STATES = ("failed", "running", "cancelled", "pending", "succeeded")
BAR_WIDTH = 8
BAR_OF_ALL_WIDTH = 20


class Room(NamedTuple):
    """The available space.

    Args:
        columns: the width of the terminal.
        rows: how many tables; all if None.
        errors: how many errors, stalls and paces; all if None.
    """

    columns: int = WIDE_COLUMNS
    rows: int | None = None
    errors: int | None = None


def migrations_view(migrations: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return the list of migrations."""
    if not migrations:
        return Text("There are no migrations yet. Start one: d2c start PLAN")
    table = table_of("Migration", "State", "Started (UTC)", "Ended (UTC)")
    for migration in migrations:
        times = (time_text(migration["started_at"]), time_text(migration["finished_at"]))
        table.add_row(migration["id"], state_text(migration["state"]), *times)
    return table


def status_view(status: Mapping[str, Any], room: Room | None = None) -> RenderableType:
    """Return a migration's heading, its tables with progress bars, errors, stalls and operations.

    Args:
        status: as the API returns it.
        room: the available space; unlimited if None.
    """
    room = room or Room()
    tables, omitted = _in_room(status["tables"], room.rows)
    rest = [Text(f"... and {_counted(omitted)}", "dim")] if omitted else []
    return Group(
        *_heading(status),
        _tables_view(tables, room.columns),
        *rest,
        *_paces(tables, room.errors),
        *_errors(status, tables, room.errors),
        *_stalls(tables, room.errors),
        *_findings(tables, room.errors),
        *(line for operation in operations_to_show(status) for line in _operation_lines(operation)),
    )


def _in_room(
    tables: Sequence[Mapping[str, Any]], rows: int | None
) -> tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]:
    """Return the tables that fit, those that need attention first, and the others."""
    if rows is None or len(tables) <= rows:
        return tables, ()
    ordered = sorted(tables, key=lambda table: ORDER_OF_STATES.index(table["state"]))
    return ordered[:rows], ordered[rows:]


def _counted(tables: Sequence[Mapping[str, Any]]) -> str:
    return f"{len(tables)} more tables ({_by_state(Counter(table['state'] for table in tables))})"


def _by_state(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[state]} {state}" for state in ORDER_OF_STATES if counts.get(state))


def _heading(status: Mapping[str, Any]) -> Iterator[RenderableType]:
    counts = counts_of(status)
    ended, total = sum(counts.get(state, 0) for state in ENDED), sum(counts.values())
    yield Text.assemble(
        f"Migration {status['id']}: ",
        state_text(status["state"]),
        f", {ended} of {total} tables have ended ({_by_state(counts)})",
    )
    sums = sums_text(status)
    if sums:
        is_running = status["state"] not in ENDED
        yield _with_bar(status["percent"], sums) if is_running else Text(sums)
    if status.get("error"):
        yield from error_lines(status["id"], status["error"])


def _with_bar(percent: int, text: str) -> RenderableType:
    line = Table.grid(padding=(0, 1, 0, 0))
    line.add_row(_bar(percent, BAR_OF_ALL_WIDTH), Text(text))
    return line


def _bar(percent: int, width: int) -> RenderableType:
    return ProgressBar(100, percent, width, complete_style="cyan", finished_style="green")


def _tables_view(tables: Sequence[Mapping[str, Any]], columns: int) -> RenderableType:
    is_wide = columns >= WIDE_COLUMNS
    columns_of_state = ("State", "Stage", "Progress") if is_wide else ("State", "Progress")
    times = ("ETA (UTC)",) if is_wide and any(table.get("eta") for table in tables) else ()
    names = ("%", *times, *(name.replace("mismatches", "mis-\nmatches") for name in COUNTS.values()))
    view = table_of("Table", *columns_of_state, numbers=names, is_wide=is_wide)
    for table in tables:
        bar = _bar(table["percent"], BAR_WIDTH)
        counts = (number_text(table[name]) for name in COUNTS)
        eta = [minute_text(table["eta"])] if times else []
        view.add_row(
            table["table"], *_where(table, is_wide), bar, number_text(table["percent"]), *eta, *counts
        )
    return view


def _where(table: Mapping[str, Any], is_wide: bool) -> tuple[Text, ...]:
    """Return a table's state and stage; on a narrow terminal the stage replaces the state ``running``."""
    state, stage = table["state"], Text(table["stage"] or UNKNOWN)
    if state == "running" and table.get("stalled"):
        state = "stalled"
    elif state == "running" and table.get("waiting"):
        state = "waiting"
    if is_wide:
        return state_text(state), stage
    return (stage if state == "running" else state_text(state),)


def _paces(tables: Sequence[Mapping[str, Any]], at_most: int | None) -> Iterator[Text]:
    """Yield how far the stages are in items and bytes, where that is known."""
    paces = [(table, pace) for table in tables if (pace := pace_text(table))]
    shown = paces[:at_most]
    for table, pace in shown:
        yield Text(f"{table['table']}, {table['stage']}: {pace}", "dim")
    if len(paces) > len(shown):
        yield Text(f"... and {len(paces) - len(shown)} more tables", "dim")


def _errors(
    status: Mapping[str, Any], tables: Sequence[Mapping[str, Any]], at_most: int | None
) -> Iterator[Text]:
    failed = [table for table in tables if table["error"]]
    for table in failed[:at_most]:
        yield from table_error_lines(table)
    if at_most is not None and len(failed) > at_most:
        yield Text(f"... d2c status {status['id']} --state failed shows every error", "dim")


def _stalls(tables: Sequence[Mapping[str, Any]], at_most: int | None) -> Iterator[Text]:
    stalled = [(table["table"], table["stalled"]) for table in tables if table.get("stalled")]
    for name, stall in stalled[:at_most]:
        heading = f"{name}, {stall['stage']}: no progress since {time_text(stall['since'])} UTC"
        yield Text.assemble((heading, "bold yellow"), f": {stall['detail']}")


def _findings(tables: Sequence[Mapping[str, Any]], at_most: int | None) -> Iterator[Text]:
    found = [(table["table"], table["stage"], table["finding"]) for table in tables if table.get("finding")]
    for name, stage, finding in found[:at_most]:
        yield Text.assemble((f"{name}, {stage}", "bold yellow"), f": {finding}")


def _operation_lines(operation: Mapping[str, Any]) -> Iterator[Text]:
    name, ended_at, error = operation_name(operation), operation["finished_at"], operation["error"]
    when = (
        f" at {time_text(ended_at)} UTC" if ended_at else f" since {time_text(operation['started_at'])} UTC"
    )
    yield Text.assemble(f"Operation {name}: ", state_text(operation["state"]), when)
    if error:
        yield from error_lines(name, error)
