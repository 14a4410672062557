"""What a migration came to, beside its estimate."""

from collections.abc import Mapping, Sequence
from typing import Any

from d2c.app.prices import Prices
from d2c.load_run.throughput.request_units import with_indexes
from d2c.report.costs import ONCE, Cluster, cost_lines
from d2c.report.estimate import estimated_quantities, write_factor_of
from d2c.report.terms import Terms, terms_from

FIGURES = (("items", "items"), ("bytes", "bytes"), ("ru", "RU"))
STAGES = ("export", "copy", "prepare", "assess", "load", "verify")

Json = dict[str, Any]
Row = dict[str, Any]


def compare_with_estimate(
    record: Mapping[str, Any], census: Mapping[str, Any] | None, basis: Mapping[str, Any] | None
) -> list[Row] | None:
    """Return rows of ``what``, ``unit``, ``estimated`` and ``actual``; None if there was no estimate.

    Monthly costs are not compared: they have not arisen yet. An existing export is not a cost of the migration.

    Args:
        record: the table's entry in the plan with the results of its stages.
        census: the counts of assess.
        basis: the prices and assumptions of the estimate.
    """
    # Older versions wrote other terms.
    if basis is None or "bounds" not in basis or record.get("arrived"):
        return None
    terms = terms_from(basis)
    estimated = estimated_quantities(record, terms)
    if estimated is None:
        return None
    actual = _actual_quantities(record, census, estimated, terms)
    rows = [_row(name, unit, estimated[name], actual[name]) for name, unit in FIGURES]
    rows += [
        _row(stage, "seconds", estimated["seconds"][stage], actual["seconds"].get(stage)) for stage in STAGES
    ]
    return rows + _rows_of_money(estimated, actual, terms.cluster, terms.prices)


def sum_of_rows(tables: Sequence[Sequence[Row] | None]) -> list[Row] | None:
    """Return the sums over all tables, of values known on both sides, so that the sums are comparable.

    Args:
        tables: the rows of each; None if it has none.
    """
    estimated = [rows for rows in tables if rows]
    if not estimated:
        return None
    return [_sum(figure) for figure in zip(*estimated, strict=True)]


def _sum(rows: Sequence[Row]) -> Row:
    pairs = [
        (row["estimated"], row["actual"])
        for row in rows
        if row["estimated"] is not None and row["actual"] is not None
    ]
    sums = [sum(column) for column in zip(*pairs, strict=True)] or [None, None]
    return _row(rows[0]["what"], rows[0]["unit"], *sums)


def _rows_of_money(estimated: Json, actual: Json, cluster: Cluster, prices: Prices) -> list[Row]:
    pairs = zip(cost_lines([estimated], cluster, prices), cost_lines([actual], cluster, prices), strict=True)
    return [
        _row(f"{planned['service']}: {planned['what']}", prices.currency, planned["money"], spent["money"])
        for planned, spent in pairs
        if planned["when"] == ONCE
    ]


def _actual_quantities(
    record: Mapping[str, Any], census: Mapping[str, Any] | None, estimated: Json, terms: Terms
) -> Json:
    """Return the measured quantities, None for stages not reached; request units are those that were counted, or else
    those of the census.

    Nobody measures a cluster's start; where it has started, it counts as estimated.
    """
    export, copy = record.get("export") or {}, record.get("copy") or {}
    described = record.get("described") or {}
    counted = (record.get("consumed") or {}).get("counted_ru")
    seconds: dict[str, float] = {}
    for stage in record["stages"]:
        seconds[stage["stage"]] = seconds.get(stage["stage"], 0) + (stage.get("seconds") or 0)
    if "assess" in seconds:
        seconds["cluster"] = estimated["seconds"]["cluster"]
    return {
        "items": export.get("items"),
        # DynamoDB bills the table's size, or nothing for a small table.
        "bytes": export.get("billed_bytes") or None,
        "billed_bytes": export.get("billed_bytes"),
        "copied_bytes": copy.get("bytes"),
        "files": export.get("files"),
        "ru": counted if counted is not None or not census else census_ru(census, record),
        **_actual_throughput(record, described),
        "nodes": estimated["nodes"],
        "regions": terms.regions,
        "writes_in_all": terms.writes_in_all,
        "seconds": seconds,
    }


def _actual_throughput(record: Mapping[str, Any], described: Mapping[str, Any]) -> Json:
    """Return the RU/s that a container had, or its database's that it shared."""
    shared = described.get("shared")
    if shared:
        return {
            "load_ru_per_second": shared["ru_per_second"],
            "after_ru_per_second": shared["ru_per_second"],
            "autoscale": shared["autoscale"],
            "sharers": record["throughput"].get("sharers", 1),
        }
    return {
        "create_ru_per_second": described.get("create_ru_per_second"),
        "load_ru_per_second": described.get("peak_ru_per_second"),
        "after_ru_per_second": (record.get("restored") or {}).get("after_ru_per_second"),
        "autoscale": described.get("autoscale", False),
    }


def census_ru(census: Mapping[str, Any], record: Mapping[str, Any]) -> int:
    """Return the request units of writing the documents that assess has counted, with the container's indexes."""
    return with_indexes(census["write_ru"], write_factor_of(record))


def _row(what: str, unit: str, estimated: float | None, actual: float | None) -> Row:
    return {"what": what, "unit": unit, "estimated": estimated, "actual": actual}
