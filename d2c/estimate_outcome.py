"""The estimate of a table beside what its migration came to, by the same formulas."""

from collections.abc import Mapping, Sequence
from typing import Any

from d2c.costs import ONCE, Cluster, cost_lines
from d2c.estimate import estimated_quantities
from d2c.prices import Prices, prices_from

FIGURES = (("items", "items"), ("bytes", "bytes"), ("ru", "RU"))
STAGES = ("export", "copy", "prepare", "assess", "load", "verify")

Json = dict[str, Any]
Row = dict[str, Any]


def compare_with_estimate(
    record: Mapping[str, Any], census: Mapping[str, Any] | None, basis: Mapping[str, Any] | None
) -> list[Row] | None:
    """Return rows of ``what``, ``unit``, ``estimated`` and ``actual``; None where there was no estimate.

    Money that the migration causes every month is not compared, for it has yet to come. An export that others made is
    none of the migration's cost.

    Args:
        record: the table's entry in the plan with what its stages found.
        census: what assess counted.
        basis: what the migration's estimate rests on.
    """
    if basis is None or record.get("arrived"):
        return None
    prices, cluster = prices_from(basis), Cluster(**basis["cluster"])
    estimated = estimated_quantities(record, cluster, prices)
    if estimated is None:
        return None
    actual = _actual_quantities(record, census, estimated["cluster_share"])
    rows = [_row(name, unit, estimated[name], actual[name]) for name, unit in FIGURES]
    rows += [
        _row(stage, "seconds", estimated["seconds"][stage], actual["seconds"].get(stage)) for stage in STAGES
    ]
    return rows + _rows_of_money(estimated, actual, cluster, prices)


def sum_of_rows(tables: Sequence[Sequence[Row] | None]) -> list[Row] | None:
    """Return the rows of all tables together: of what is known on both sides, so that the sums compare.

    Args:
        tables: the rows of each; None where it has none.
    """
    having = [rows for rows in tables if rows]
    if not having:
        return None
    return [_sum(same) for same in zip(*having, strict=True)]


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
    record: Mapping[str, Any], census: Mapping[str, Any] | None, cluster_share: float
) -> Json:
    """Return what was measured, with None where a stage was not come to; request units are the census's count."""
    export, copy = record.get("export") or {}, record.get("copy") or {}
    seconds: dict[str, float] = {}
    for stage in record["stages"]:
        seconds[stage["stage"]] = seconds.get(stage["stage"], 0) + (stage.get("seconds") or 0)
    return {
        "items": export.get("items"),
        # What DynamoDB bills is the table's size, or nothing for a small one.
        "bytes": export.get("billed_bytes") or None,
        "billed_bytes": export.get("billed_bytes"),
        "copied_bytes": copy.get("bytes"),
        "files": export.get("files"),
        "ru": (census or {}).get("write_ru"),
        "load_ru_per_second": (record.get("described") or {}).get("peak_ru_per_second"),
        "after_ru_per_second": (record.get("restored") or {}).get("after_ru_per_second"),
        "cluster_share": cluster_share,
        "seconds": seconds,
    }


def _row(what: str, unit: str, estimated: float | None, actual: float | None) -> Row:
    return {"what": what, "unit": unit, "estimated": estimated, "actual": actual}
