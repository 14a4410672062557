"""Work out hours and money of a load of 100 GB, 1 TB and 10 TB on paper, with each lever alone and with all.

Run it as ``python -m benchmarks.cost_model [--item-bytes 1024]``. It calls the product's own estimate, so its figures
follow from the same formulas, prices and assumptions as `d2c check`; nothing is run.
"""

import argparse
from collections.abc import Mapping
from typing import Any, NamedTuple

from d2c.app.cluster_size import RU_PER_CORE, cores_of
from d2c.app.prices import DEFAULTS
from d2c.report.costs import Cluster
from d2c.report.estimate import estimated_quantities
from d2c.report.terms import Terms
from d2c.shapes import LoadBounds

SIZES = {"100 GB": 100 * 2**30, "1 TB": 2**40, "10 TB": 10 * 2**40}
MACHINE = "Standard_D4ds_v5"
# A load is made of these, and its cluster is paid for meanwhile.
LOADING = ("load", "verify")
# While the container had its RU/s before the items were known to fit.
PAID_FOR_NOTHING = ("cluster", "assess")


class Way(NamedTuple):
    """A way to load a table.

    Args:
        indexing: the plan's field.
        most_ru_per_second: the cap of a container's RU/s.
        workers: the most that the cluster may have.
        in_order: whether RU/s are paid only once the items are known to fit.
    """

    indexing: str = "all"
    most_ru_per_second: int = 100_000
    workers: int = 8
    in_order: bool = False


BEFORE = Way()
WIDE = Way(most_ru_per_second=400_000, workers=25)
WAYS = {
    "as it was: all indexed, at most 100,000 RU/s and 32 cores, RU/s from the start": BEFORE,
    "with RU/s only once the items fit": BEFORE._replace(in_order=True),
    "with keys indexed only": BEFORE._replace(indexing="keys"),
    "with at most 400,000 RU/s and 100 cores": WIDE,
    "with all three": WIDE._replace(indexing="keys", in_order=True),
}


def main() -> None:
    """Print a Markdown table for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--item-bytes", type=int, default=1024, help="the mean size of an item")
    item_bytes = parser.parse_args().item_bytes
    for name, size in SIZES.items():
        print(f"\n{name}, {size // item_bytes:,} items of {item_bytes:,} bytes\n")
        print("| way | RU | RU/s | cores | load | verify | throughput | cluster |")
        print("|---|---|---|---|---|---|---|---|")
        for way_name, way in WAYS.items():
            print(row(way_name, way, size, size // item_bytes))


def row(name: str, way: Way, size: int, items: int) -> str:
    """Return the row of a way in Markdown: hours of a day and US dollars."""
    found = quantities(way, size, items)
    seconds, price = found["seconds"], {name: each.amount or 0.0 for name, each in DEFAULTS.prices.items()}
    held = LOADING if way.in_order else (*PAID_FOR_NOTHING, *LOADING)
    of_throughput = found["load_ru_per_second"] / 100 * hours(seconds, held) * price["cosmos_100_ru_hour"]
    node_hour = price[f"vm_hour:{MACHINE}"] + price[f"dbu_per_hour:{MACHINE}"] * price["databricks_job_dbu"]
    of_cluster = found["nodes"] * hours(seconds, (*PAID_FOR_NOTHING, *LOADING)) * node_hour
    cores = (found["nodes"] - 1) * cores_of(MACHINE, 4)
    return (
        f"| {name} | {found['ru'] / 1e6:,.0f} M | {found['load_ru_per_second']:,} | {cores} "
        f"| {hours(seconds, ('load',)):.1f} h | {hours(seconds, ('verify',)):.1f} h "
        f"| ${of_throughput:,.0f} | ${of_cluster:,.0f} |"
    )


def quantities(way: Way, size: int, items: int) -> dict[str, Any]:
    """Return what the product's estimate says of a table of so many bytes and items."""
    cluster_ru = way.workers * cores_of(MACHINE, 4) * RU_PER_CORE
    bounds = LoadBounds(way.most_ru_per_second, min(cluster_ru, way.most_ru_per_second))
    cluster = Cluster(way.workers + 1, MACHINE, is_existing=False, least_nodes=2)
    table = {
        "item_count": items,
        "size_bytes": size,
        "indexing": way.indexing,
        "throughput": {"load_ru_per_second": "auto"},
    }
    found = estimated_quantities(table, Terms(cluster, DEFAULTS, bounds))
    assert found is not None  # noqa: S101 - its size is known
    return found


def hours(seconds: Mapping[str, float], stages: tuple[str, ...]) -> float:
    """Return the hours of some stages."""
    return sum(seconds[stage] for stage in stages) / 3600


if __name__ == "__main__":
    main()
