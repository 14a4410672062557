"""The report as one self-contained HTML page: it opens from the disk, without a network."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; --line: #8884; --bad: #c62828; --good: #2e7d32; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .35rem .7rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.succeeded { color: var(--good); } .failed, .cancelled, .bad { color: var(--bad); font-weight: 600; }
.bars { display: flex; height: 1.1rem; border-radius: .3rem; overflow: hidden; background: var(--line); }
.bars span { min-width: 2px; } code { font-size: .9em; }
"""
STAGE_COLOURS = {
    "export": "#5c6bc0",
    "copy": "#26a69a",
    "prepare": "#8d6e63",
    "assess": "#ffa726",
    "load": "#42a5f5",
    "verify": "#66bb6a",
    "report": "#bdbdbd",
}
ITEM_COLUMNS = ("exported", "written", "rejected", "expired")
MISMATCH_COLUMNS = ("missing", "unexpected", "different")


def render_report(report: Mapping[str, Any]) -> str:
    """Return a report's HTML page.

    Args:
        report: as `d2c.report.assemble_report` returns it.
    """
    tables = report["tables"]
    title = f"Migration {escape(report['id'])}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>'
        f"<h1>{title}</h1><p>{_state(report['state'])}, started {escape(str(report['started_at']))}, "
        f"{len(tables)} tables.</p>{_totals(tables)}{''.join(_table(table) for table in tables)}</body></html>\n"
    )


def _totals(tables: Sequence[Mapping[str, Any]]) -> str:
    header = ("Table", "Container", "State", *ITEM_COLUMNS, *MISMATCH_COLUMNS, "seconds")
    rows = "".join(f"<tr>{_total_cells(table)}</tr>" for table in tables)
    return (
        f'<h2>Tables</h2><div class="scroll"><table><tr>{_headings(header, texts=3)}</tr>{rows}</table></div>'
    )


def _total_cells(table: Mapping[str, Any]) -> str:
    seconds = sum(stage.get("seconds") or 0 for stage in table["stages"])
    mismatches = [table["verification"][name] for name in MISMATCH_COLUMNS]
    return (
        f"<td>{escape(table['table'])}</td><td>{escape(table['database'])}/{escape(table['container'])}</td>"
        f"<td>{_state(table['state'])}</td>"
        + "".join(_number(table["items"][name]) for name in ITEM_COLUMNS)
        + "".join(_number(value, bad=bool(value)) for value in mismatches)
        + _number(round(seconds, 1))
    )


def _table(table: Mapping[str, Any]) -> str:
    parts = [f"<h2>{escape(table['table'])}</h2>", _error(table["error"]), _stages(table["stages"])]
    throughput = table["throughput"]
    parts.append(
        f"<p>Data files: {_text(table['files']['verified'])} of {_text(table['files']['listed'])} verified. "
        f"Throughput: {_text(throughput['peak_ru_per_second'])} RU/s for the load, "
        f"{_text(throughput['after_ru_per_second'])} RU/s afterwards.</p>"
    )
    parts.append(_rejected(table["rejected_by_reason"]))
    parts.append(_mismatches(table["mismatches"]))
    return "".join(parts)


def _error(error: Mapping[str, Any] | None) -> str:
    if not error:
        return ""
    return (
        f'<p><span class="bad">{escape(error["title"])}</span> in stage {escape(error["stage"])}: '
        f"{escape(error['detail'])} <em>{escape(error['next_step'])}</em></p>"
    )


def _stages(stages: Sequence[Mapping[str, Any]]) -> str:
    """Draw the stages as a bar whose parts are as long as they took, and list them."""
    parts = [(stage, stage.get("seconds") or 0) for stage in stages]
    bars = "".join(
        f'<span title="{escape(stage["stage"])}: {seconds:.1f} s" '
        f'style="flex:{max(seconds, 0.001):.3f};background:{STAGE_COLOURS[stage["stage"]]}"></span>'
        for stage, seconds in parts
    )
    texts = ", ".join(
        f"{escape(stage['stage'])} {seconds:.1f} s ({_state(stage['state'])})" for stage, seconds in parts
    )
    return f'<div class="bars" aria-hidden="true">{bars}</div><p>{texts}</p>'


def _rejected(by_reason: Mapping[str, int]) -> str:
    if not by_reason:
        return ""
    rows = "".join(
        f"<tr><td>{escape(reason)}</td>{_number(count)}</tr>" for reason, count in by_reason.items()
    )
    return f"<h3>Rejected items</h3><table><tr>{_headings(('Reason', 'items'), texts=1)}</tr>{rows}</table>"


def _mismatches(mismatches: Sequence[Mapping[str, Any]]) -> str:
    if not mismatches:
        return ""
    rows = "".join(
        f"<tr><td>{escape(item['kind'])}</td><td><code>{escape(item['document'])}</code></td>"
        f"<td>{escape(', '.join(item['properties']))}</td></tr>"
        for item in mismatches
    )
    headings = _headings(("Kind", "Document", "Properties"), texts=3)
    return f'<h3>Mismatches</h3><div class="scroll"><table><tr>{headings}</tr>{rows}</table></div>'


def _headings(names: Sequence[str], texts: int) -> str:
    """Return heading cells; those after the first ``texts`` stand over numbers."""
    classes = ["" if place < texts else ' class="number"' for place in range(len(names))]
    return "".join(f"<th{kind}>{escape(name)}</th>" for kind, name in zip(classes, names, strict=True))


def _number(value: float | None, *, bad: bool = False) -> str:
    kind = "number bad" if bad else "number"
    return f'<td class="{kind}">{_text(value)}</td>'


def _state(state: str) -> str:
    return f'<span class="{escape(state)}">{escape(state)}</span>'


def _text(value: float | None) -> str:
    return "–" if value is None else f"{value:,}"  # noqa: RUF001 - an en dash for what is not known
