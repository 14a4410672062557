"""The estimate of a migration: items, bytes, request units, seconds of each stage, and costs."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from d2c.app.prices import Prices, prices_from
from d2c.load_run.throughput import AFTER_LOAD_RU, wanted_ru_per_second, write_ru
from d2c.plan.caps import is_small
from d2c.plan.tables import location_of
from d2c.report.costs import ONCE, Cluster, cluster_seconds, cost_lines, money_of_starts, money_sums
from d2c.report.duration import NarrowCap, Way, duration_of, narrow_cap
from d2c.shapes import Caps

# Of a query that counts documents by the index.
COUNT_SECONDS = 30
# Verify reads what was committed last from two of a partition's replicas, each of which takes request units.
REPLICAS_READ = 2

Json = dict[str, Any]


FIGURES = (("items", "items"), ("bytes", "bytes"), ("ru", "RU"))
STAGES = ("export", "copy", "prepare", "assess", "load", "verify")
Row = dict[str, Any]


def copied_bytes(size: int, prices: Prices) -> int:
    """Return the approximate size of a table's export in bytes.

    Args:
        size: the table's, in bytes.
        prices: prices and assumptions.
    """
    return round(size * prices.assumed("compression"))


def estimated_quantities(table: Mapping[str, Any], cluster: Cluster, prices: Prices) -> Json | None:
    """Return the quantities of a table that its costs follow from; None if its size is unknown.

    Args:
        table: its settings from the plan with ``item_count``, ``size_bytes``, and ``tables_per_run``, 1 if left out.
        cluster: of the load run.
        prices: prices and assumptions.
    """
    items, size = table.get("item_count"), table.get("size_bytes")
    if items is None or size is None:
        return None
    kilobytes = max(items, math.ceil(size / 1024))
    copied = copied_bytes(size, prices)
    quantities: Json = {
        "items": items,
        "bytes": size,
        "billed_bytes": size,
        "copied_bytes": copied,
        "files": max(math.ceil(copied / prices.assumed("bytes_per_file")), 1),
        "ru": write_ru(kilobytes),
        "load_ru_per_second": wanted_ru_per_second(table["throughput"], items, size),
        "after_ru_per_second": table["throughput"].get("after_load_ru_per_second", AFTER_LOAD_RU),
    }
    seconds = _seconds(quantities, kilobytes, table.get("verify", "full"), cluster, prices)
    seconds["cluster"] /= table.get("tables_per_run", 1)
    return {**quantities, "seconds": {stage: math.ceil(each) for stage, each in seconds.items()}}


def _seconds(
    quantities: Json, kilobytes: int, verify: str, cluster: Cluster, prices: Prices
) -> dict[str, float]:
    cores = max((cluster.nodes or 2) - 1, 1) * prices.assumed("cores_per_node")
    mapping = quantities["items"] / (prices.assumed("items_per_core_second") * cores)
    ru_per_second = quantities["load_ru_per_second"]
    reading = REPLICAS_READ * kilobytes * prices.assumed("read_ru_per_kb") / ru_per_second
    starting = cluster_seconds(cluster, prices)
    export_seconds = quantities["bytes"] / prices.assumed("export_bytes_per_second")
    copy_seconds = quantities["copied_bytes"] / prices.assumed("copy_bytes_per_second")
    return {
        "export": prices.assumed("export_seconds") + export_seconds,
        "copy": prices.assumed("copy_seconds") + copy_seconds,
        "prepare": prices.assumed("prepare_seconds"),
        "cluster": starting,
        "assess": mapping,
        "load": max(quantities["ru"] / ru_per_second, mapping),
        "verify": max(COUNT_SECONDS if verify == "counts" else reading, mapping),
    }


def estimate_of(tables: Sequence[Mapping[str, Any]], cluster: Cluster, prices: Prices, caps: Caps) -> Json:
    """Return the estimate of a plan.

    Args:
        tables: as `estimated_quantities` takes each, with its name as ``table``, its ``database``, ``container``,
            ``account`` and ``region``, in the order in which they go.
        cluster: of the load runs.
        prices: prices and assumptions.
        caps: the plan's.
    """
    pairs = [(table["table"], estimated_quantities(table, cluster, prices)) for table in tables]
    known = {name: found for name, found in pairs if found is not None}
    ways = [_way(table, known[table["table"]], caps) for table in tables if table["table"] in known]
    lines = cost_lines(list(known.values()), cluster, prices)
    return {
        "basis": {**prices.to_dict(), "cluster": cluster._asdict()},
        "tables": [
            {"table": name, **found, **money_sums(cost_lines([found], cluster, prices))}
            for name, found in known.items()
        ],
        "tables_of_unknown_size": [name for name, found in pairs if found is None],
        "total": {
            **_total(list(known.values())),
            **_duration(ways, caps, cluster, prices),
            **money_sums(lines),
        },
        "lines": lines,
    }


def _total(tables: Sequence[Json]) -> Json:
    seconds: defaultdict[str, int] = defaultdict(int)
    for table in tables:
        for stage, each in table["seconds"].items():
            seconds[stage] += each
    sums = {name: sum(table[name] for table in tables) for name in ("items", "bytes", "ru")}
    return {**sums, "seconds": dict(seconds)}


def _way(table: Mapping[str, Any], quantities: Json, caps: Caps) -> Way:
    """Return a table's way through the pipeline; its cluster's start is a matter of its load run."""
    seconds = quantities["seconds"]
    return Way(
        place=location_of(table),
        container=f"{table['database']}/{table['container']}",
        size_bytes=quantities["bytes"],
        is_small=is_small(quantities["bytes"], caps),
        export=seconds["export"],
        copy=seconds["copy"],
        prepare=seconds["prepare"],
        load=seconds["assess"] + seconds["load"] + seconds["verify"],
    )


def _duration(ways: Sequence[Way], caps: Caps, cluster: Cluster, prices: Prices) -> Json:
    """Return how long all tables take together, and what holds them back the most."""
    duration, narrow = duration_of(ways, caps), narrow_cap(ways, caps)
    return {
        "seconds_in_all": math.ceil(duration.seconds),
        "load_runs": duration.load_runs,
        "narrow_cap": narrow and _narrow_cap(narrow, caps, cluster, prices),
    }


def _narrow_cap(narrow: NarrowCap, caps: Caps, cluster: Cluster, prices: Prices) -> Json:
    """Return what a wider cap brings: clusters side by side cost the same hours, apart from their starts."""
    seconds = narrow.load_runs_added * caps["cluster_seconds"]
    return {
        **narrow._asdict(),
        "seconds_saved": math.floor(narrow.seconds_saved),
        "money_added": money_of_starts(seconds, cluster, prices),
    }


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
    if basis is None or record.get("arrived"):
        return None
    prices, cluster = prices_from(basis), Cluster(**basis["cluster"])
    estimated = estimated_quantities(record, cluster, prices)
    if estimated is None:
        return None
    actual = _actual_quantities(record, census, estimated["seconds"]["cluster"])
    rows = [_row(name, unit, estimated[name], actual[name]) for name, unit in FIGURES]
    rows += [
        _row(stage, "seconds", estimated["seconds"][stage], actual["seconds"].get(stage)) for stage in STAGES
    ]
    return rows + _rows_of_money(estimated, actual, cluster, prices)


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
    record: Mapping[str, Any], census: Mapping[str, Any] | None, cluster_seconds: float
) -> Json:
    """Return the measured quantities, None for stages not reached; request units are those of the census.

    Nobody measures a cluster's start; where it has started, it counts as estimated.
    """
    export, copy = record.get("export") or {}, record.get("copy") or {}
    seconds: dict[str, float] = {}
    for stage in record["stages"]:
        seconds[stage["stage"]] = seconds.get(stage["stage"], 0) + (stage.get("seconds") or 0)
    if "assess" in seconds:
        seconds["cluster"] = cluster_seconds
    return {
        "items": export.get("items"),
        # DynamoDB bills the table's size, or nothing for a small table.
        "bytes": export.get("billed_bytes") or None,
        "billed_bytes": export.get("billed_bytes"),
        "copied_bytes": copy.get("bytes"),
        "files": export.get("files"),
        "ru": (census or {}).get("write_ru"),
        "load_ru_per_second": (record.get("described") or {}).get("peak_ru_per_second"),
        "after_ru_per_second": (record.get("restored") or {}).get("after_ru_per_second"),
        "seconds": seconds,
    }


def _row(what: str, unit: str, estimated: float | None, actual: float | None) -> Row:
    return {"what": what, "unit": unit, "estimated": estimated, "actual": actual}
