"""The report as one self-contained HTML page, which opens from disk without a network."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from d2c.report.formats import FILTERS

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
ITEM_COUNTS = ("exported", "written", "rejected", "expired")
MISMATCH_COUNTS = ("missing", "unexpected", "different")


def render_report(report: Mapping[str, Any]) -> str:
    """Return the HTML page of a report.

    Args:
        report: as `d2c.report.contents.assemble_report` returns it.
    """
    return environment().get_template("report.html").render(report=report, totals=_totals(report["tables"]))


@cache
def environment() -> "Environment":
    """Return the environment of the templates; Jinja2 is imported with the first page, not at the app's start."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(FILTERS)
    return environment


def _totals(tables: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the sums over the tables; None for a count that no table has."""
    mismatches = {name: _sum(table["verification"][name] for table in tables) for name in MISMATCH_COUNTS}
    return {
        "succeeded": sum(table["state"] == "succeeded" for table in tables),
        "counts": {name: _sum(table["items"][name] for table in tables) for name in ITEM_COUNTS},
        "mismatch_counts": mismatches,
        "mismatches": _sum(mismatches.values()),
    }


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
