"""What a migration is expected to take: items, bytes, request units, seconds of each stage, and money."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from d2c.costs import Cluster, cost_lines, money_sums
from d2c.prices import Prices
from d2c.throughput import AFTER_LOAD_RU, load_ru_per_second, write_ru

COUNT_SECONDS = 30

Json = dict[str, Any]


def copied_bytes(size: int, prices: Prices) -> int:
    """Return about how many bytes the export of a table has.

    Args:
        size: the table's, in bytes.
        prices: with what is assumed.
    """
    return round(size * prices.assumed("compression"))


def estimated_quantities(table: Mapping[str, Any], cluster: Cluster, prices: Prices) -> Json | None:
    """Return the figures of a table from which its money follows; None where its size is unknown.

    Args:
        table: its settings of the plan with ``item_count``, ``size_bytes``, and its ``load_group`` if it has one.
        cluster: of the load run.
        prices: with what is assumed.
    """
    items, size = table.get("item_count"), table.get("size_bytes")
    if items is None or size is None:
        return None
    wanted = table["throughput"]["load_ru_per_second"]
    kilobytes = max(items, math.ceil(size / 1024))
    copied = copied_bytes(size, prices)
    quantities: Json = {
        "items": items,
        "bytes": size,
        "billed_bytes": size,
        "copied_bytes": copied,
        "files": max(math.ceil(copied / prices.assumed("bytes_per_file")), 1),
        "ru": write_ru(kilobytes),
        "load_ru_per_second": load_ru_per_second(items, size) if wanted == "auto" else wanted,
        "after_ru_per_second": table["throughput"].get("after_load_ru_per_second", AFTER_LOAD_RU),
        "cluster_share": 1 / len((table.get("load_group") or {}).get("tables", [1])),
    }
    seconds = _seconds(quantities, kilobytes, table.get("verify", "full"), cluster, prices)
    return {**quantities, "seconds": {stage: math.ceil(each) for stage, each in seconds.items()}}


def _seconds(
    quantities: Json, kilobytes: int, verify: str, cluster: Cluster, prices: Prices
) -> dict[str, float]:
    cores = max((cluster.nodes or 2) - 1, 1) * prices.assumed("cores_per_node")
    mapping = quantities["items"] / (prices.assumed("items_per_core_second") * cores)
    ru_per_second = quantities["load_ru_per_second"]
    reading = kilobytes * prices.assumed("read_ru_per_kb") / ru_per_second
    starting = 0 if cluster.is_existing else prices.assumed("cluster_seconds")
    export_seconds = quantities["bytes"] / prices.assumed("export_bytes_per_second")
    copy_seconds = quantities["copied_bytes"] / prices.assumed("copy_bytes_per_second")
    return {
        "export": prices.assumed("export_seconds") + export_seconds,
        "copy": prices.assumed("copy_seconds") + copy_seconds,
        "prepare": prices.assumed("prepare_seconds"),
        "assess": starting + mapping,
        "load": max(quantities["ru"] / ru_per_second, mapping),
        "verify": COUNT_SECONDS if verify == "counts" else max(reading, mapping),
    }


def estimate_of(tables: Sequence[Mapping[str, Any]], cluster: Cluster, prices: Prices, at_once: int) -> Json:
    """Return the estimate of a plan.

    Args:
        tables: as `estimated_quantities` takes each, with its name as ``table``.
        cluster: of the load runs.
        prices: with what is assumed.
        at_once: how many tables may run at once.
    """
    pairs = [(table["table"], estimated_quantities(table, cluster, prices)) for table in tables]
    known = {name: found for name, found in pairs if found is not None}
    lines = cost_lines(list(known.values()), cluster, prices)
    return {
        "basis": {**prices.to_dict(), "cluster": cluster._asdict()},
        "tables": [
            {"table": name, **found, **money_sums(cost_lines([found], cluster, prices))}
            for name, found in known.items()
        ],
        "tables_of_unknown_size": [name for name, found in pairs if found is None],
        "total": {**_total(list(known.values()), at_once), **money_sums(lines)},
        "lines": lines,
    }


def _total(tables: Sequence[Json], at_once: int) -> Json:
    seconds: defaultdict[str, int] = defaultdict(int)
    for table in tables:
        for stage, each in table["seconds"].items():
            seconds[stage] += each
    longest = max((sum(table["seconds"].values()) for table in tables), default=0)
    return {
        **{name: sum(table[name] for table in tables) for name in ("items", "bytes", "ru")},
        "seconds": dict(seconds),
        # No shorter than the longest table, nor than all of them in as many lanes as there may be.
        "seconds_in_all": max(longest, math.ceil(sum(seconds.values()) / at_once)),
    }
