"""What a proposed plan would take and cost."""

from collections.abc import Mapping, Sequence
from typing import Any

from d2c.app.settings import Settings
from d2c.mapping.indexing import KEYS, policy_of, write_factor
from d2c.plan.caps import caps_of, tables_per_run
from d2c.plan.model import Plan
from d2c.plan.tables import in_order
from d2c.proposal.advice import Seen, rules_of
from d2c.report.costs import cluster_of, cluster_seconds
from d2c.report.estimate import estimate_of
from d2c.report.terms import Terms

Json = dict[str, Any]


def price_of(
    plan: Plan, tables: Sequence[Mapping[str, Any]], seen: Sequence[Seen], settings: Settings
) -> Json:
    """Return the estimate of a plan whose containers do not exist yet.

    Args:
        plan: the proposed one.
        tables: the settings of its tables.
        seen: the same tables as they were looked at.
        settings: the app's.
    """
    terms = Terms(cluster_of(settings.cluster), settings.prices, settings.load_bounds)
    caps = caps_of(plan, cluster_seconds(terms.cluster, settings.prices))
    sized = in_order(plan, [{**table, **_figures(one)} for table, one in zip(tables, seen, strict=True)])
    shares = tables_per_run(sized, caps)
    shared = [{**table, "tables_per_run": share} for table, share in zip(sized, shares, strict=True)]
    return estimate_of(shared, terms, caps)


def _figures(seen: Seen) -> Json:
    table = seen.description
    if table is None:
        return {"item_count": None, "size_bytes": None}
    rules = rules_of(table)
    return {
        "item_count": table.item_count,
        "size_bytes": table.size_bytes,
        "index_factor": rules and write_factor(policy_of(KEYS, rules, table.index_keys)),
    }
