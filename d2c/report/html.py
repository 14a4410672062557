"""Small parts of the report's page: numbers, sizes, durations and tables as HTML, with everything escaped."""

from collections.abc import Sequence
from html import escape

UNKNOWN = "–"  # noqa: RUF001 - an en dash for what is not known
_NUMBER = ' class="number"'
_SIZES = ("bytes", "KB", "MB", "GB", "TB", "PB")


def text(value: object) -> str:
    """Return a value as text."""
    return UNKNOWN if value is None else escape(str(value))


def code(value: str) -> str:
    """Return text as it stands in data."""
    return f"<code>{escape(value)}</code>"


def number(value: float | None, *, is_bad: bool = False) -> str:
    """Return a number with its thousands apart."""
    shown = UNKNOWN if value is None else f"{value:,}"
    return f'<span class="bad">{shown}</span>' if is_bad else shown


def size(size_bytes: int | None) -> str:
    """Return a size in the largest unit of which it has one; a KB has 1,024 bytes."""
    if size_bytes is None:
        return UNKNOWN
    value, unit = float(size_bytes), _SIZES[0]
    for unit in _SIZES:
        if value < 1024 or unit == _SIZES[-1]:
            break
        value /= 1024
    return f"{size_bytes:,} bytes" if unit == "bytes" else f"{value:,.1f} {unit}"


def duration(seconds: float | None) -> str:
    """Return a duration in two units at most."""
    if seconds is None:
        return UNKNOWN
    if seconds < 60:
        return f"{seconds} s" if isinstance(seconds, int) else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60:,} h {minutes % 60} min"


def moment(iso: str | None) -> str:
    """Return a time without its fractions, in UTC as all times of a report are."""
    return UNKNOWN if iso is None else f"<time>{escape(iso[:19].replace('T', ' '))}</time>"


def state(value: str) -> str:
    """Return a state of a migration, table or stage in its colour."""
    return f'<span class="state {escape(value)}">{escape(value)}</span>'


def table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    texts: int = 1,
    footer: Sequence[str] | None = None,
) -> str:
    """Return a table that scrolls sideways where it is too wide.

    Args:
        headings: one for each column.
        rows: the cells, as HTML.
        texts: how many columns hold texts; those after them hold numbers.
        footer: the cells of the sums, as HTML.
    """
    head = _row("th", [escape(heading) for heading in headings], texts)
    body = "".join(_row("td", cells, texts) for cells in rows)
    foot = f"<tfoot>{_row('td', footer, texts)}</tfoot>" if footer else ""
    return f'<div class="scroll"><table><thead>{head}</thead><tbody>{body}</tbody>{foot}</table></div>'


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """Return names with their values, as HTML, side by side where there is room."""
    entries = "".join(f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>" for name, value in pairs)
    return f'<dl class="facts">{entries}</dl>'


def _row(tag: str, cells: Sequence[str], texts: int) -> str:
    parts = [f"<{tag}{'' if place < texts else _NUMBER}>{cell}</{tag}>" for place, cell in enumerate(cells)]
    return f"<tr>{''.join(parts)}</tr>"
