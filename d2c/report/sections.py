"""The census of a table as a part of the report's page."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from d2c.load_run.throughput import RU_PER_WRITTEN_KB
from d2c.report.html import UNKNOWN, code, duration, facts, number, size, table, text

# More attributes than this are folded away at first.
SHOWN_ATTRIBUTES = 30
SHOWN_PARTITIONS = 10
LONGEST_KEY = 120


def render_census(census: Mapping[str, Any] | None) -> str:
    """Return what assess counted in a table.

    Args:
        census: as `d2c.load_run.census.counts.summarise` returns it, with the ``load_estimate``; None where assess
            did not come so far.
    """
    if census is None:
        return ""
    return "".join(
        (
            "<h3>Census</h3>",
            _sizes(census),
            _attributes(census["attributes"], census["values_of_other_attributes"]),
            _partitions(census["logical_partitions"]),
            _estimate(census),
        )
    )


def _sizes(census: Mapping[str, Any]) -> str:
    sizes = census["document_bytes"]
    near = census["documents_near_2_mb"]
    found = facts(
        [
            ("All documents", size(sizes["total"])),
            ("Median document", size(sizes["p50"])),
            ("99th percentile", size(sizes["p99"])),
            ("Largest document", size(sizes["max"])),
            ("Close to 2 MB", number(near, is_bad=bool(near))),
            ("Longest id", size(census["longest_document_id_bytes"])),
        ]
    )
    error = sizes["percentile_error"]
    return (
        f"{found}<p>Median and percentile are less than {error * 100:.1f} % too large; all else is exact.</p>"
    )


def _attributes(attributes: Sequence[Mapping[str, Any]], others: int) -> str:
    rows = [
        [
            code(entry["name"]),
            _types(entry["types"]),
            number(sum(entry["types"].values())),
            number(entry["inexact_numbers"]) if entry["inexact_numbers"] else "",
        ]
        for entry in attributes
    ]
    shown = table(("Attribute", "Types", "items", "inexact numbers"), rows, texts=2)
    more = f"<p>{number(others)} values of other attributes are not listed.</p>" if others else ""
    note = "<p>Inexact numbers have digits that a binary64 number does not keep; nothing is ever rounded.</p>"
    note = note if any(entry["inexact_numbers"] for entry in attributes) else ""
    is_open = " open" if len(attributes) <= SHOWN_ATTRIBUTES else ""
    summary = f"<summary>{number(len(attributes))} attributes</summary>"
    return f"<details{is_open}>{summary}{shown}{more}{note}</details>"


def _types(types: Mapping[str, int]) -> str:
    """Return the types of an attribute, each with its count where there are several."""
    if len(types) == 1:
        return text(*types)
    ordered = sorted(types.items(), key=lambda entry: -entry[1])
    return ", ".join(f"{text(tag)} {number(count)}" for tag, count in ordered)


def _partitions(partitions: Mapping[str, Any]) -> str:
    largest = partitions["largest"][:SHOWN_PARTITIONS]
    if not largest:
        return ""
    rows = [
        [
            code(_key_text(entry["partition_key"])),
            _between(entry["at_least_bytes"], entry["at_most_bytes"]),
            _meter(entry["part_of_limit"]),
        ]
        for entry in largest
    ]
    shown = table(("Partition key", "size", f"of {size(partitions['limit_bytes'])}"), rows)
    after = partitions["largest"][SHOWN_PARTITIONS:]
    others = after[0]["at_most_bytes"] if after else partitions["others_at_most_bytes"]
    rest = f"No other has more than {size(others)}. " if others else "There are no others. "
    return (
        f"<h4>Largest logical partitions</h4>{shown}<p>{rest}Sizes are those of the documents with about 200 bytes "
        "each of Cosmos DB's own properties.</p>"
    )


def _key_text(partition_key: Sequence[Any]) -> str:
    found = ", ".join(orjson.dumps(value).decode() for value in partition_key)
    return found if len(found) <= LONGEST_KEY else f"{found[:LONGEST_KEY]}…"


def _between(least: int, most: int) -> str:
    if size(least) == size(most):
        return size(least)
    return f"{size(least)} to {size(most)}" if least else f"up to {size(most)}"


def _meter(part: float) -> str:
    percent = part * 100
    if percent < 0.1:
        return "below 0.1 %"
    kind = ' class="bad"' if part > 1 else ""
    bar = f'<span class="meter"><i style="width:{min(percent, 100):.1f}%"></i></span>'
    return f"<span{kind}>{percent:.1f} %</span>{bar}"


def _estimate(census: Mapping[str, Any]) -> str:
    rows = [
        [
            f"{number(choice['ru_per_second'])} RU/s{' (this load)' if choice['planned'] else ''}",
            duration(choice["seconds"]),
        ]
        for choice in census["load_estimate"]
    ]
    return (
        f"<h4>Expected load</h4><p>About {number(census['write_ru'])} RU, at {RU_PER_WRITTEN_KB} RU for each begun KB "
        f"of a document with Cosmos DB's default indexing. With enough workers that takes:</p>"
        f"{table(('With', 'about'), rows)}"
    )


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
        rows: as `d2c.report.contents.estimate.compare_with_estimate` returns them.
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
