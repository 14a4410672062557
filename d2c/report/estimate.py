"""The estimate of a migration: items, bytes, request units, seconds of each stage, and costs."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from d2c.app.cluster_size import RU_PER_CORE, cores_of
from d2c.app.prices import Prices
from d2c.load_run.throughput.request_units import LoadSize, read_ru, size_of_items
from d2c.load_run.throughput.sizing import least_ru_per_second, scaling_of_new, throughput_of_new_database
from d2c.mapping.indexing import AFTER_LOAD, ALL, ALL_FACTOR, KEYS, write_factor
from d2c.plan import sharing
from d2c.plan.caps import is_small
from d2c.plan.tables import location_of
from d2c.report.costs import (
    Cluster,
    cluster_seconds,
    cost_lines,
    money_of_starts,
    money_sums,
    workers_of,
)
from d2c.report.duration import NarrowCap, Way, duration_of, narrow_cap
from d2c.report.months import months_of, sharers_of, sum_of_months
from d2c.report.terms import Terms
from d2c.shapes import Caps, DatabaseThroughput

# Of a query that counts documents by the index.
COUNT_SECONDS = 30
# Verify reads what was committed last from two of a partition's replicas, each of which takes request units.
REPLICAS_READ = 2

# Before a table's keys are known; it has two, and often a time to live.
FACTOR_BY_WORD = {KEYS: 1.15, ALL: ALL_FACTOR}

Json = dict[str, Any]


def copied_bytes(size: int, prices: Prices) -> int:
    """Return the approximate size of a table's export in bytes.

    Args:
        size: the table's, in bytes.
        prices: prices and assumptions.
    """
    return round(size * prices.assumed("compression"))


def estimated_quantities(table: Mapping[str, Any], terms: Terms) -> Json | None:
    """Return the quantities of a table that its costs follow from; None if its size is unknown.

    Args:
        table: its settings from the plan with ``item_count``, ``size_bytes``, and ``tables_per_run``, 1 if left out;
            with ``scaling``, ``index_factor``, ``added_factor`` and ``verify_ru_per_second`` if its container has been
            looked at.
        terms: what the estimate is made by.
    """
    items, size = table.get("item_count"), table.get("size_bytes")
    if items is None or size is None:
        return None
    cluster, prices = terms.cluster, terms.prices
    copied = copied_bytes(size, prices)
    quantities: Json = {
        "items": items,
        "bytes": size,
        "billed_bytes": size,
        "copied_bytes": copied,
        "files": max(math.ceil(copied / prices.assumed("bytes_per_file")), 1),
        **_throughput(table, size_of_items(items, size, write_factor_of(table)), terms),
    }
    shares = table.get("tables_per_run", 1)
    together = 1 if "sharers" in quantities else shares
    workers = workers_of(cluster, quantities["load_ru_per_second"] * together, prices)
    seconds = _seconds(quantities, table, workers or 1, terms)
    seconds["cluster"] /= shares
    added = added_factor_of(table)
    if added:
        ru = size_of_items(items, size, added).ru
        seconds["index"] = ru / quantities["load_ru_per_second"]
    return {
        **quantities,
        "nodes": None if workers is None else workers + 1,
        "seconds": {stage: math.ceil(each) for stage, each in seconds.items()},
    }


def write_factor_of(table: Mapping[str, Any]) -> float:
    """Return by how much indexes multiply the request units of a table's writes, as far as it is known.

    Args:
        table: its settings, or its record.
    """
    policy = (table.get("described") or {}).get("indexing_policy")
    if policy is not None:
        return write_factor(policy)
    known = table.get("index_factor")
    if known:
        return float(known)
    return 1.0 if table.get("apply_indexing") == AFTER_LOAD else _factor_of_plan(table)


def added_factor_of(table: Mapping[str, Any]) -> float:
    """Return what indexes that are applied after the load add to the factor of a write, as far as it is known.

    Args:
        table: its settings, or its record.
    """
    described = table.get("described")
    if described is not None:
        policy = described.get("final_policy")
        return write_factor(policy) - 1 if policy else 0.0
    known = table.get("added_factor")
    if known is not None:
        return float(known)
    return _factor_of_plan(table) - 1 if table.get("apply_indexing") == AFTER_LOAD else 0.0


def _factor_of_plan(table: Mapping[str, Any]) -> float:
    indexing = table.get("indexing", KEYS)
    known = FACTOR_BY_WORD.get(indexing if isinstance(indexing, str) else "")
    return float(known or write_factor(indexing))


def _throughput(table: Mapping[str, Any], load: LoadSize, terms: Terms) -> Json:
    """Return the request units and RU/s of a table's load.

    A container without throughput of its own is estimated as a new one, unless the plan has it share its database's.
    """
    scaling = table.get("scaling") or {}
    shared = scaling.get("shared") or (None if scaling else _shared(table))
    if scaling.get("peak_ru_per_second") is None:
        scaling = scaling_of_new(table["throughput"], load, terms.bounds)
    create, peak = scaling.get("create_ru_per_second", 0), scaling["peak_ru_per_second"]
    least = least_ru_per_second(max(create, peak), load.size_bytes, autoscale=scaling["autoscale"])
    own = {
        "ru": load.ru,
        "create_ru_per_second": create,
        "load_ru_per_second": peak,
        "after_ru_per_second": max(scaling["after_ru_per_second"], least),
        "highest_ru_per_second": max(create, peak),
        "wanted_after_ru_per_second": scaling["after_ru_per_second"],
        "autoscale": scaling["autoscale"],
        "regions": terms.regions,
        "writes_in_all": terms.writes_in_all,
    }
    return {**own, **_of_database(shared, table)} if shared else own


def _shared(table: Mapping[str, Any]) -> DatabaseThroughput | None:
    """Return what a table's container shares by the plan, or None."""
    return throughput_of_new_database(table["throughput"]) if sharing.shares(table) else None


def _of_database(shared: DatabaseThroughput, table: Mapping[str, Any]) -> Json:
    """Return what of a table's quantities is that of its database."""
    ru_per_second = shared["ru_per_second"]
    return {
        "create_ru_per_second": 0,
        "load_ru_per_second": ru_per_second,
        "after_ru_per_second": ru_per_second,
        "autoscale": shared["autoscale"],
        "sharers": table["throughput"].get("sharers", 1),
    }


def _seconds(quantities: Json, table: Mapping[str, Any], workers: int, terms: Terms) -> dict[str, float]:
    prices, items, ru_per_second = terms.prices, quantities["items"], quantities["load_ru_per_second"]
    cores = workers * cores_of(terms.cluster.node_type, prices.assumed("cores_per_node"))
    mapping = items / (prices.assumed("items_per_core_second") * cores)
    reading_ru = REPLICAS_READ * items * read_ru(quantities["bytes"] / max(items, 1))
    reading = reading_ru / (table.get("verify_ru_per_second") or ru_per_second)
    is_counting = table.get("verify") == "counts"
    export_seconds = quantities["bytes"] / prices.assumed("export_bytes_per_second")
    copy_seconds = quantities["copied_bytes"] / prices.assumed("copy_bytes_per_second")
    return {
        "export": prices.assumed("export_seconds") + export_seconds,
        "copy": prices.assumed("copy_seconds") + copy_seconds,
        "prepare": prices.assumed("prepare_seconds"),
        "cluster": cluster_seconds(terms.cluster, prices),
        "assess": mapping,
        "load": max(quantities["ru"] / min(ru_per_second, cores * RU_PER_CORE), mapping),
        "verify": max(COUNT_SECONDS if is_counting else reading, mapping),
    }


def estimate_of(tables: Sequence[Mapping[str, Any]], terms: Terms, caps: Caps) -> Json:
    """Return the estimate of a plan.

    Args:
        tables: as `estimated_quantities` takes each, with its name as ``table``, its ``database``, ``container``,
            ``account`` and ``region``, in the order in which they go.
        terms: what the estimate is made by.
        caps: the plan's.
    """
    cluster, prices = terms.cluster, terms.prices
    pairs = [(table["table"], estimated_quantities(table, terms)) for table in tables]
    known = {name: found for name, found in pairs if found is not None}
    ways = [_way(table, known[table["table"]], caps) for table in tables if table["table"] in known]
    lines = cost_lines(list(known.values()), cluster, prices)
    sharers = sharers_of(list(known.values()))
    months = {name: months_of(found, prices, sharers) for name, found in known.items()}
    return {
        "basis": terms.to_dict(),
        "tables": [
            {
                "table": name,
                **_own(found),
                **money_sums(cost_lines([found], cluster, prices)),
                "months": months[name],
            }
            for name, found in known.items()
        ],
        "tables_of_unknown_size": [name for name, found in pairs if found is None],
        "total": {
            **_total(list(known.values())),
            **_duration(ways, caps, cluster, prices),
            **money_sums(lines),
            "months": sum_of_months(list(months.values())),
        },
        "lines": lines,
    }


def _own(quantities: Json) -> Json:
    """Return the quantities of a table that the estimate shows; the basis has those of all."""
    hidden = {*Terms._fields, "wanted_after_ru_per_second", "highest_ru_per_second"}
    return {name: value for name, value in quantities.items() if name not in hidden}


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
        location=location_of(table),
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
