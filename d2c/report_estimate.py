"""The estimate beside the outcome, as a part of the report's page."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from d2c.html_parts import UNKNOWN, duration, number, size, table, text


def _size(value: float | None) -> str:
    return size(None if value is None else round(value))


SHOWN_AS: Mapping[str, Callable[[Any], str]] = {
    "seconds": duration,
    "bytes": _size,
    "items": number,
    "RU": number,
}


def render_estimate(rows: Sequence[Mapping[str, Any]] | None, heading: str) -> str:
    """Return what was expected beside what it came to, or nothing where there was no estimate.

    Args:
        rows: as `d2c.estimate_outcome.compare_with_estimate` returns them.
        heading: the tag of the heading.
    """
    if not rows:
        return ""
    cells = [
        [
            text(row["what"]),
            text(row["unit"]),
            *(_shown(row, side) for side in ("estimated", "actual")),
            _ratio(row),
        ]
        for row in rows
    ]
    listed = table(("What", "in", "estimated", "actual", "actual / estimated"), cells, texts=2)
    return (
        f"<{heading}>Estimate and outcome</{heading}><p>Money is that of the prices that the estimate was made with; "
        f"request units are counted from the documents.</p>{listed}"
    )


def _shown(row: Mapping[str, Any], side: str) -> str:
    value = row[side]
    if row["unit"] in SHOWN_AS:
        return SHOWN_AS[row["unit"]](value)
    return UNKNOWN if value is None else f"{value:,.4f}"


def _ratio(row: Mapping[str, Any]) -> str:
    if not row["estimated"] or row["actual"] is None:
        return UNKNOWN
    return f"{row['actual'] / row['estimated']:,.2f}"
