"""The report as one self-contained HTML page: it opens from the disk, without a network."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from d2c.report.html import code, duration, facts, moment, number, size, state, table, text
from d2c.report.sections import render_census, render_estimate
from d2c.report.style import STAGE_COLOURS, STYLE

ITEM_COLUMNS = ("exported", "written", "rejected", "expired")
MISMATCH_COLUMNS = ("missing", "unexpected", "different")


def render_report(report: Mapping[str, Any]) -> str:
    """Return a report's HTML page.

    Args:
        report: as `d2c.report.contents.assemble_report` returns it.
    """
    tables = report["tables"]
    title = f"Migration {escape(report['id'])}"
    links = "".join(
        f'<a href="#table-{place}">{text(part["table"])}</a>' for place, part in enumerate(tables)
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>'
        f"<h1>{title}</h1><p>{state(report['state'])}, started {moment(report['started_at'])} UTC</p>"
        f"{_totals(tables)}<h2>Tables</h2>{_tables(tables)}<nav>{links}</nav>"
        f"{render_estimate(report.get('estimate'), 'h2')}"
        f"{''.join(_table(place, part) for place, part in enumerate(tables))}</body></html>\n"
    )


def _totals(tables: Sequence[Mapping[str, Any]]) -> str:
    succeeded = sum(part["state"] == "succeeded" for part in tables)
    rejected, mismatches = _sum_of(tables, ["rejected"]), _mismatches_of_all(tables)
    return facts(
        [
            ("Tables succeeded", f"{succeeded} of {len(tables)}"),
            ("Items exported", number(_sum_of(tables, ["exported"]))),
            ("Documents written", number(_sum_of(tables, ["written"]))),
            ("Items rejected", number(rejected, is_bad=bool(rejected))),
            ("Items expired", number(_sum_of(tables, ["expired"]))),
            ("Mismatches", number(mismatches, is_bad=bool(mismatches))),
        ]
    )


def _sum_of(tables: Iterable[Mapping[str, Any]], names: Sequence[str], part: str = "items") -> int | None:
    """Return the sum of counts over the tables that have them, or None if none has."""
    known = [table[part][name] for table in tables for name in names if table[part][name] is not None]
    return sum(known) if known else None


def _mismatches_of_all(tables: Iterable[Mapping[str, Any]]) -> int | None:
    return _sum_of(tables, MISMATCH_COLUMNS, "verification")


def _tables(tables: Sequence[Mapping[str, Any]]) -> str:
    headings = ("Table", "State", *ITEM_COLUMNS, *MISMATCH_COLUMNS, "took")
    sums = [number(_sum_of(tables, [name])) for name in ITEM_COLUMNS]
    sums += [number(_sum_of(tables, [name], "verification")) for name in MISMATCH_COLUMNS]
    footer = ["Together", "", *sums, ""] if len(tables) > 1 else None
    return table(headings, [_table_row(part) for part in tables], texts=2, footer=footer)


def _table_row(part: Mapping[str, Any]) -> list[str]:
    items, mismatches = part["items"], [part["verification"][name] for name in MISMATCH_COLUMNS]
    return [
        f"{text(part['table'])}<small>{text(part['database'])}/{text(part['container'])}</small>",
        state(part["state"]),
        *[number(items[name], is_bad=name == "rejected" and bool(items[name])) for name in ITEM_COLUMNS],
        *[number(count, is_bad=bool(count)) for count in mismatches],
        duration(sum(stage.get("seconds") or 0 for stage in part["stages"])),
    ]


def _table(place: int, part: Mapping[str, Any]) -> str:
    heading = f'<h2 id="table-{place}">{text(part["table"])}</h2>'
    pieces = (
        _error(part["error"]),
        _outline(part),
        _stages(part["stages"]),
        render_estimate(part.get("estimate"), "h3"),
        _rejected(part["rejected_by_reason"]),
        _mismatches(part["verification"], part["mismatches"]),
        _revisits(part["revisits"]),
        render_census(part["census"]),
    )
    return f"<section>{heading}{''.join(pieces)}</section>"


def _error(error: Mapping[str, Any] | None) -> str:
    if not error:
        return ""
    return (
        f'<div class="error"><p><span class="bad">{text(error["title"])}</span> in stage {text(error["stage"])}</p>'
        f"<p>{text(error['detail'])}</p><p><em>{text(error['next_step'])}</em></p></div>"
    )


def _outline(part: Mapping[str, Any]) -> str:
    files, export, throughput = part["files"], part["export"], part["throughput"]
    pairs = [
        ("Exported as of", moment(export["time"])),
        # DynamoDB may bill nothing for a small table.
        ("Size in DynamoDB", size(export["billed_bytes"] or None)),
        ("Data files of the export", size(export["bytes"])),
        ("Data files verified", f"{number(files['verified'])} of {number(files['listed'])}"),
    ]
    for name, when in (("before", "before"), ("peak", "during load"), ("after", "after")):
        pairs.append((f"RU/s {when}", number(throughput[f"{name}_ru_per_second"])))
    return facts(pairs)


def _stages(stages: Sequence[Mapping[str, Any]]) -> str:
    """Draw the stages as a bar whose parts are as long as they took, and list them."""
    if not stages:
        return ""
    bars, rows = [], []
    for stage in stages:
        name, seconds = stage["stage"], stage.get("seconds")
        colour = f"background:{STAGE_COLOURS[name]}"
        bars.append(f'<span style="flex:{max(seconds or 0, 0.001):.3f};{colour}"></span>')
        swatch = f'<span class="swatch" style="{colour}"></span>'
        rows.append(
            [
                f"{swatch}{text(name)}",
                state(stage["state"]),
                duration(seconds),
                moment(stage.get("started_at")),
            ]
        )
    listed = table(("Stage", "State", "took", "started (UTC)"), rows, texts=2)
    return f'<h3>Stages</h3><div class="bars" aria-hidden="true">{"".join(bars)}</div>{listed}'


def _rejected(by_reason: Mapping[str, int]) -> str:
    if not by_reason:
        return ""
    rows = [[text(reason), number(count)] for reason, count in by_reason.items()]
    return f"<h3>Rejected items</h3>{table(('Reason', 'items'), rows)}"


def _mismatches(verification: Mapping[str, Any], mismatches: Sequence[Mapping[str, Any]]) -> str:
    if verification["expected"] is None:
        return "<h3>Verification</h3><p>The table was not verified.</p>"
    counts = [
        (
            name.capitalize(),
            number(verification[name], is_bad=name in MISMATCH_COLUMNS and bool(verification[name])),
        )
        for name in ("expected", "actual", *MISMATCH_COLUMNS)
    ]
    rows = [
        [
            text(one["kind"]),
            code(one["document"]),
            ", ".join(map(code, one["properties"])) or "the whole document",
        ]
        for one in mismatches
    ]
    listed = table(("Mismatch", "Document", "Properties"), rows, texts=3) if rows else ""
    return f"<h3>Verification ({text(verification['method'])})</h3>{facts(counts)}{listed}"


def _revisits(revisits: Sequence[Mapping[str, Any]]) -> str:
    if not revisits:
        return ""
    rows = [_revisit_row(revisit) for revisit in revisits]
    headings = ("Revisit", "Finished (UTC)", "replayed", "written", "rejected", *MISMATCH_COLUMNS)
    return f"<h3>Revisits</h3>{table(headings, rows, texts=2)}"


def _revisit_row(revisit: Mapping[str, Any]) -> list[str]:
    items, found = revisit["items"] or {}, revisit["verification"] or {}
    return [
        text(f"{revisit['operation']} {revisit['number']}"),
        moment(revisit["finished_at"]),
        *[number(items.get(name)) for name in ("replayed", "written", "rejected")],
        *[number(found.get(name), is_bad=bool(found.get(name))) for name in MISMATCH_COLUMNS],
    ]
