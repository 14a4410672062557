"""What throughput costs a month: as a container's own, manual or with autoscale, and shared by those of a database."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from d2c.app.prices import Prices
from d2c.load_run.throughput.sizing import AFTER_LOAD_RU, SMALL_LOAD_RU, in_steps, least_ru_per_second
from d2c.plan.sharing import MOST_SHARERS, SHARED
from d2c.report.costs import HOURS_OF_A_MONTH, LEAST_AUTOSCALE_PART, billed_times

Json = dict[str, Any]


def months_of(quantities: Mapping[str, Any], prices: Prices, sharers: float) -> list[Json]:
    """Return for each kind of throughput the RU/s after the load, and what they cost a month, idle and busy.

    Args:
        quantities: a table's, from `d2c.report.estimate.estimated_quantities`.
        prices: prices and assumptions.
        sharers: how many tables would share a database's, from `sharers_of`.
    """
    manual, autoscale = (_own(quantities, prices, is_autoscale) for is_autoscale in (False, True))
    return [manual, autoscale, _shared(quantities, prices, sharers) or {**manual, "kind": SHARED}]


def sharers_of(tables: Sequence[Mapping[str, Any]]) -> float:
    """Return how many of a plan's small tables would share a database's throughput, in as few databases as take them.

    Args:
        tables: the quantities of each.
    """
    count = max(sum(_could_share(table) for table in tables), 1)
    return count / math.ceil(count / MOST_SHARERS)


def _could_share(quantities: Mapping[str, Any]) -> bool:
    """Return whether a table is loaded within minutes, and needs no more afterwards, than with the least RU/s."""
    is_least = quantities["wanted_after_ru_per_second"] <= AFTER_LOAD_RU
    return bool(is_least and quantities["ru"] <= SMALL_LOAD_RU)


def _own(quantities: Mapping[str, Any], prices: Prices, autoscale: bool) -> Json:
    highest = quantities["highest_ru_per_second"]
    least = least_ru_per_second(highest, quantities["bytes"], autoscale=autoscale)
    ru_per_second = max(in_steps(quantities["wanted_after_ru_per_second"], autoscale), least)
    return _month("autoscale" if autoscale else "manual", ru_per_second, quantities, prices, autoscale)


def _shared(quantities: Mapping[str, Any], prices: Prices, sharers: float) -> Json | None:
    """Return a table's part of what its database has by the plan, or could have; None if it needs its own."""
    if "sharers" in quantities:
        part = quantities["after_ru_per_second"] / quantities["sharers"]
        return _month(SHARED, part, quantities, prices, quantities["autoscale"])
    if not _could_share(quantities):
        return None
    return _month(SHARED, AFTER_LOAD_RU / sharers, quantities, prices, autoscale=False)


def _month(
    kind: str, ru_per_second: float, quantities: Mapping[str, Any], prices: Prices, autoscale: bool
) -> Json:
    amount = prices.prices["cosmos_100_ru_hour"].amount
    busy = None
    if amount is not None:
        times = billed_times({**quantities, "autoscale": autoscale})
        busy = ru_per_second / 100 * HOURS_OF_A_MONTH * amount * times
    idle = busy if busy is None or not autoscale else busy * LEAST_AUTOSCALE_PART
    return {"kind": kind, "ru_per_second": math.ceil(round(ru_per_second, 3)), "idle": idle, "busy": busy}


def sum_of_months(tables: Sequence[Sequence[Json]]) -> list[Json]:
    """Return the sums over tables, by kind."""
    return [_sum(months) for months in zip(*tables, strict=True)]


def _sum(months: Sequence[Json]) -> Json:
    sums = {name: [month[name] for month in months] for name in ("ru_per_second", "idle", "busy")}
    return {
        "kind": months[0]["kind"],
        **{name: None if None in values else sum(values) for name, values in sums.items()},
    }
