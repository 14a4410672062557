"""The caps of an operation, and what they mean for the load runs that small tables share."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

from d2c.plan.fields import MOST_EXPORTS, MOST_PARALLEL, MOST_TABLES_PER_LOAD_RUN
from d2c.plan.model import Plan
from d2c.plan.tables import location_of
from d2c.shapes import Caps

# An existing cluster has started already; small tables still wait this long for each other.
SHORTEST_UNIT_SECONDS = 10.0
# No table is exported while more than so many times what the load lanes hold waits for them: snapshots stay fresh.
MOST_AHEAD = 2

CapKey = Literal["export", "copy", "load", "tables", "tables_per_load_run"]

CAP_FIELDS = ("max_parallel_exports", "max_parallel_copies", "max_parallel_loads", "max_parallel_tables")
CAPS: Mapping[str, tuple[CapKey, int]] = MappingProxyType(
    {
        "max_parallel_exports": ("export", MOST_EXPORTS),
        "max_parallel_copies": ("copy", MOST_PARALLEL),
        "max_parallel_loads": ("load", MOST_PARALLEL),
        "max_parallel_tables": ("tables", MOST_PARALLEL),
        "max_tables_per_load_run": ("tables_per_load_run", MOST_TABLES_PER_LOAD_RUN),
    }
)
"""The fields of a plan that hold back its pipeline: their keys in `Caps`, and the most that a plan may have."""


def caps_of(plan: Plan, cluster_seconds: float, changes: Mapping[str, int] | None = None) -> Caps:
    """Return the caps of an operation.

    Args:
        plan: the migration's.
        cluster_seconds: the time in which a cluster starts; 0 for one that runs already.
        changes: what a retry changes, by the plan's names of the fields.
    """
    fields = {**plan.model_dump(include=set(CAP_FIELDS)), **(changes or {})}
    return {
        "export": fields["max_parallel_exports"],
        "copy": fields["max_parallel_copies"],
        "load": fields["max_parallel_loads"],
        "tables": fields["max_parallel_tables"],
        "tables_per_load_run": plan.max_tables_per_load_run,
        "share_load_run_below_bytes": plan.share_load_run_below_bytes,
        "cluster_seconds": cluster_seconds,
    }


def is_small(size_bytes: int | None, caps: Caps) -> bool:
    """Return whether a table may share a load run with others.

    Args:
        size_bytes: its size; None if it is unknown.
        caps: the operation's.
    """
    return size_bytes is not None and size_bytes < caps["share_load_run_below_bytes"]


def tables_per_run(tables: Sequence[Mapping[str, Any]], caps: Caps) -> list[int]:
    """Return for each table about how many share its load run: as many small ones of its location as a run takes.

    Args:
        tables: with ``account``, ``region`` and ``size_bytes``.
        caps: the operation's.
    """
    small = Counter(location_of(table) for table in tables if is_small(table.get("size_bytes"), caps))

    def share(table: Mapping[str, Any]) -> int:
        if not is_small(table.get("size_bytes"), caps):
            return 1
        count = small[location_of(table)]
        return math.ceil(count / math.ceil(count / caps["tables_per_load_run"]))

    return [share(table) for table in tables]
