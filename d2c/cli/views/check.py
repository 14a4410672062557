"""The view of a check: problems by system with their next steps, and the number of passed checks."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from d2c.cli.views.rendering import UNKNOWN, number_text, table_of
from d2c.report.formats import duration, size

STYLES = {"ok": "green", "skipped": "dim", "warning": "yellow", "failed": "bold red"}
PROBLEMS = ("failed", "warning")

Finding = Mapping[str, Any]


# `cluster` is not a stage but a table's share of the start of its load run's cluster.
STAGES = ("export", "copy", "prepare", "cluster", "assess", "load", "verify")
MOST_TABLES = 20


def check_view(result: Mapping[str, Any], is_wide: bool, *, show_all: bool) -> RenderableType:
    """Return the findings of a check.

    Args:
        result: the check as the API returns it.
        is_wide: whether wide tables fit.
        show_all: whether to include findings without a problem.
    """
    findings = [one for one in result["checks"] if show_all or one["state"] in PROBLEMS]
    parts: list[RenderableType] = [_heading(result)]
    for system in dict.fromkeys(one["system"] for one in findings):
        parts += _system_lines(system, [one for one in findings if one["system"] == system])
    return Group(*parts, *([] if findings else [_systems(result["checks"], is_wide)]))


def _heading(result: Mapping[str, Any]) -> Text:
    counts = ((state, result["counts"][state]) for state in ("failed", "warning", "skipped", "ok"))
    texts = [(f"{count:,} {state}", STYLES[state]) for state, count in counts if count]
    pieces = [piece for one in texts for piece in (", ", one)][1:]
    return Text.assemble(f"{len(result['checks']):,} checks: ", *pieces)


def _system_lines(system: str, findings: Sequence[Finding]) -> Iterator[Text]:
    yield Text(f"\n{system}", "bold")
    for one in findings:
        yield Text.assemble(
            "  ",
            (f"{one['state']:8}", STYLES[one["state"]]),
            f"{one['thing']}, {one['check']}: {one['finding']}",
        )
        if one["next_step"]:
            yield Text(f"          Next: {one['next_step']}")


def _systems(findings: Sequence[Finding], is_wide: bool) -> RenderableType:
    """Return the number of checks of each system that found no problem."""
    view = table_of("System", numbers=("checks",), is_wide=is_wide)
    for system in dict.fromkeys(one["system"] for one in findings):
        view.add_row(system, f"{sum(one['system'] == system for one in findings):,}")
    return view


def estimate_view(estimate: Mapping[str, Any], is_wide: bool) -> RenderableType:
    """Return an estimate.

    Args:
        estimate: as the API returns it.
        is_wide: whether wide tables fit.
    """
    total, currency = estimate["total"], estimate["basis"]["currency"]
    heading = Text(
        f"\nEstimate: about {duration(total['seconds_in_all'])}, {total['once']:,.2f} {currency} once and "
        f"{total['per_month']:,.2f} {currency} a month afterwards"
    )
    narrow = [_narrow_cap_text(total["narrow_cap"], currency)] if total["narrow_cap"] else []
    notes = [f"Price or quantity unknown: {', '.join(total['unknown'])}."] if total["unknown"] else []
    if estimate["tables_of_unknown_size"]:
        notes.append(f"Size unknown, not included: {', '.join(estimate['tables_of_unknown_size'])}.")
    if any(not line["is_confirmed"] for line in estimate["lines"]):
        notes.append("* unconfirmed price; docs/start/cost.md gives its source and how to set your own.")
    months = [_months_text(total["months"], currency)] if total.get("months") else []
    views = _tables_view(estimate, is_wide), _money_view(estimate, is_wide)
    return Group(heading, *map(Text, [*narrow, *months]), *views, *map(Text, notes))


def _months_text(months: Sequence[Mapping[str, Any]], currency: str) -> str:
    """Return what the throughput of all containers costs a month, by its kind in the plan."""
    known = {month["kind"]: month for month in months if month["busy"] is not None}
    if not known:
        return "Throughput a month afterwards: the price is unknown."
    text = (
        f"Throughput a month afterwards: manual {known['manual']['busy']:,.2f} {currency}; with throughput.kind "
        f"autoscale {known['autoscale']['idle']:,.2f} idle to {known['autoscale']['busy']:,.2f} busy"
    )
    # Older checks lack it.
    shared = known.get("shared", known["manual"])["busy"]
    if shared >= known["manual"]["busy"]:
        return f"{text}."
    return f"{text}; with shared for small tables {shared:,.2f}."


def _narrow_cap_text(narrow: Mapping[str, Any], currency: str) -> str:
    added, money = narrow["load_runs_added"], narrow["money_added"]
    runs = f"{abs(added):,} {'more' if added > 0 else 'fewer'} load run{'' if abs(added) == 1 else 's'}"
    cost = "" if money is None else f", {money:+,.2f} {currency}"
    return (
        f"Narrowest cap: {narrow['name']} ({narrow['value']:,}). With {narrow['wider']:,} it takes "
        f"{duration(narrow['seconds_saved'])} less{f', with {runs}{cost}' if added else ', at the same cost'}."
    )


def _tables_view(estimate: Mapping[str, Any], is_wide: bool) -> Table:
    """Return the largest tables, and the total."""
    view = table_of("Table", numbers=("items", "size", "RU", *STAGES, "once"), is_wide=is_wide)
    tables = sorted(estimate["tables"], key=lambda table: -table["bytes"])
    for table in tables[:MOST_TABLES]:
        view.add_row(table["table"], *_figures(table))
    if len(tables) > MOST_TABLES:
        view.add_row(f"and {len(tables) - MOST_TABLES} others")
    if len(tables) > 1:
        view.add_section()
        view.add_row("all", *_figures(estimate["total"]))
    return view


def _figures(table: Mapping[str, Any]) -> list[str]:
    return [
        number_text(table["items"]),
        size(table["bytes"]),
        number_text(table["ru"]),
        *(duration(table["seconds"].get(stage)) for stage in STAGES),
        f"{table['once']:,.2f}",
    ]


def _money_view(estimate: Mapping[str, Any], is_wide: bool) -> Table:
    view = table_of("Service", "What", "When", numbers=("quantity", "price", "money"), is_wide=is_wide)
    view.add_column("Formula", overflow="fold")
    for line in estimate["lines"]:
        mark = "" if line["is_confirmed"] or line["amount"] is None else "*"
        view.add_row(
            line["service"],
            line["what"],
            line["when"],
            UNKNOWN if line["quantity"] is None else f"{line['quantity']:,.3f} {line['unit']}",
            UNKNOWN if line["amount"] is None else f"{line['amount']:g}{mark}",
            UNKNOWN if line["money"] is None else f"{line['money']:,.2f}",
            line["formula"],
        )
    return view
