"""What a canary costs, by the prices of the estimate."""

from collections.abc import Mapping
from typing import Any

import orjson

from d2c.app.settings import Settings
from d2c.plan.caps import caps_of
from d2c.plan.model import parse_plan
from d2c.report.costs import ONCE, cluster_of, cluster_seconds
from d2c.report.estimate import estimate_of
from d2c.report.terms import Terms

# About what one of the tables has.
ITEMS, BYTES = 12, 4_000
# Until point-in-time recovery has the items, and for the checks.
MINUTES_BESIDES = 10


def price_of(plan: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Return what a canary's migration costs once, and its minutes; nothing is left that costs by the month.

    Args:
        plan: the canary's.
        settings: the app's.
    """
    parsed = parse_plan(orjson.dumps(plan))
    cluster = cluster_of(settings.cluster)
    caps = caps_of(parsed, cluster_seconds(cluster, settings.prices))
    tables = [
        {**parsed.table_input(entry, entry.table), "item_count": ITEMS, "size_bytes": BYTES}
        for entry in parsed.tables
    ]
    estimate = estimate_of(
        [{**table, "tables_per_run": len(tables)} for table in tables],
        Terms(cluster, settings.prices, settings.load_bounds),
        caps,
    )
    lines = [line for line in estimate["lines"] if line["when"] == ONCE]
    return {
        "currency": settings.prices.currency,
        "once": round(estimate["total"]["once"], 2),
        "minutes": round(estimate["total"]["seconds_in_all"] / 60) + MINUTES_BESIDES,
        "unknown": [f"{line['service']}: {line['what']}" for line in lines if line["money"] is None],
    }
