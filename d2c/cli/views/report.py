"""The view of a report: items and verification, seconds of each stage, throughput, and errors."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from d2c.cli.outcome import MISMATCHES
from d2c.cli.views.rendering import (
    UNKNOWN,
    WIDE_COLUMNS,
    number_text,
    state_text,
    table_error_lines,
    table_of,
)


def report_view(report: Mapping[str, Any], width: int = WIDE_COLUMNS) -> RenderableType:
    """Return a report's summary: items and verification, seconds of each stage, throughput, and errors.

    Args:
        report: as the API returns it.
        width: the available columns.
    """
    tables, is_wide = report["tables"], width >= WIDE_COLUMNS
    views: Sequence[Table] = [
        view(tables, is_wide) for view in (_items_view, _seconds_view, _throughput_view)
    ]
    if report.get("estimate"):
        views = [*views, _estimate_view(report["estimate"], is_wide)]
    errors = [line for table in tables for line in table_error_lines(table)]
    rejected = [line for table in tables for line in _rejected_lines(table)]
    indexed = [line for table in tables for line in _indexing_lines(table)]
    heading = Text.assemble(f"Migration {report['id']}: ", state_text(report["state"]))
    return Group(heading, *views, *indexed, *rejected, *errors)


def _indexing_lines(table: Mapping[str, Any]) -> Iterator[Text]:
    """Yield how far the indexes of a table are that were applied after its load."""
    found = table.get("indexing")
    if found:
        rest = "" if found["percent"] == 100 else ", the service goes on with what the container's RU/s leave"
        yield Text(
            f"{table['table']}: {found['percent']} % of its indexes were built after the load, within "
            f"{found['seconds']:,.0f} seconds{rest}."
        )


def _estimate_view(rows: Sequence[Mapping[str, Any]], is_wide: bool) -> Table:
    """Compare the estimate for all tables with the actual figures."""
    view = table_of("Estimate", "In", numbers=("estimated", "actual"), is_wide=is_wide)
    for row in rows:
        figures = (row[side] for side in ("estimated", "actual"))
        cells = (
            UNKNOWN if value is None else f"{value:,.4g}" if value < 100 else f"{value:,.0f}"
            for value in figures
        )
        view.add_row(row["what"], row["unit"], *cells)
    return view


def _items_view(tables: Sequence[Mapping[str, Any]], is_wide: bool) -> Table:
    names = ("exported", "written", "rejected", "expired")
    view = table_of("Table", "Container", "State", numbers=names, is_wide=is_wide)
    view.add_column("Verification")
    for table in tables:
        container = f"{table['database']}/{table['container']}"
        items = (number_text(table["items"][name]) for name in names)
        view.add_row(
            table["table"],
            container,
            state_text(table["state"]),
            *items,
            _verification(table["verification"]),
        )
    if len(tables) > 1:
        view.add_section()
        sums = (number_text(sum(table["items"][name] or 0 for table in tables)) for name in names)
        view.add_row("all", "", "", *sums, "")
    return view


def _seconds_view(tables: Sequence[Mapping[str, Any]], is_wide: bool) -> Table:
    stages = list(dict.fromkeys(stage["stage"] for table in tables for stage in table["stages"]))
    view = table_of("Seconds", numbers=(*stages, "total"), is_wide=is_wide)
    for table in tables:
        seconds = _seconds_of_stages(table)
        cells = [*(seconds.get(stage) for stage in stages), sum(seconds.values())]
        view.add_row(table["table"], *(UNKNOWN if cell is None else f"{cell:,.1f}" for cell in cells))
    return view


def _throughput_view(tables: Sequence[Mapping[str, Any]], is_wide: bool) -> Table:
    names = ("items/s loaded", "RU/s for the load", "RU/s afterwards", "RU counted", "RU/s used, %")
    view = table_of("Throughput", numbers=names, is_wide=is_wide)
    for table in tables:
        written, seconds = table["items"]["written"], _seconds_of_stages(table).get("load")
        speed = round(written / seconds) if written is not None and seconds else None
        shared = table["throughput"].get("shared_ru_per_second")
        request_units = (
            shared or table["throughput"][name] for name in ("peak_ru_per_second", "after_ru_per_second")
        )
        counted = table.get("request_units") or {}
        part = counted.get("used_part")
        percent = None if part is None else round(100 * part)
        cells = speed, *request_units, counted.get("counted_ru"), percent
        view.add_row(table["table"], *map(number_text, cells))
    return view


def _seconds_of_stages(table: Mapping[str, Any]) -> dict[str, float]:
    return {stage["stage"]: stage.get("seconds") or 0.0 for stage in table["stages"]}


def _verification(verification: Mapping[str, Any]) -> Text:
    """Return the result of a verification in words, mismatches by kind."""
    if verification["expected"] is None:
        return Text("not reached", "dim")
    mismatches = ", ".join(f"{verification[kind]:,} {kind}" for kind in MISMATCHES if verification[kind])
    if mismatches:
        return Text(mismatches, "bold red")
    method = "" if verification["method"] == "full" else f" ({verification['method']})"
    return Text(f"as expected{method}", "green")


def _rejected_lines(table: Mapping[str, Any]) -> Iterator[Text]:
    reasons = table["rejected_by_reason"]
    if reasons:
        counts = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
        yield Text.assemble((f"{table['table']}: rejected items", "yellow"), f": {counts}")
