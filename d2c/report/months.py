"""What a container's throughput costs a month, as manual throughput and with autoscale."""

from collections.abc import Mapping, Sequence
from typing import Any

from d2c.app.prices import Prices
from d2c.load_run.throughput.sizing import in_steps, least_ru_per_second
from d2c.report.costs import HOURS_OF_A_MONTH, LEAST_AUTOSCALE_PART, billed_times

Json = dict[str, Any]


def months_of(quantities: Mapping[str, Any], prices: Prices) -> list[Json]:
    """Return for each kind of throughput the RU/s after the load, and what they cost a month, idle and busy.

    Args:
        quantities: a table's, from `d2c.report.estimate.estimated_quantities`.
        prices: prices and assumptions.
    """
    highest = max(quantities["create_ru_per_second"], quantities["load_ru_per_second"])
    return [_month(quantities, highest, prices, autoscale) for autoscale in (False, True)]


def _month(quantities: Mapping[str, Any], highest: int, prices: Prices, autoscale: bool) -> Json:
    least = least_ru_per_second(highest, quantities["bytes"], autoscale=autoscale)
    ru_per_second = max(in_steps(quantities["wanted_after_ru_per_second"], autoscale), least)
    amount = prices.prices["cosmos_100_ru_hour"].amount
    busy = None
    if amount is not None:
        times = billed_times({**quantities, "autoscale": autoscale})
        busy = ru_per_second / 100 * HOURS_OF_A_MONTH * amount * times
    idle = busy if busy is None or not autoscale else busy * LEAST_AUTOSCALE_PART
    kind = "autoscale" if autoscale else "manual"
    return {"kind": kind, "ru_per_second": ru_per_second, "idle": idle, "busy": busy}


def sum_of_months(tables: Sequence[Sequence[Json]]) -> list[Json]:
    """Return the sums over tables, by kind."""
    return [_sum(months) for months in zip(*tables, strict=True)]


def _sum(months: Sequence[Json]) -> Json:
    sums = {name: [month[name] for month in months] for name in ("ru_per_second", "idle", "busy")}
    return {
        "kind": months[0]["kind"],
        **{name: None if None in values else sum(values) for name, values in sums.items()},
    }
