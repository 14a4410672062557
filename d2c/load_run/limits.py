"""The plan's limits, checked after assess: an exceeded limit stops the table before anything is written."""

from collections.abc import Mapping

import orjson

from d2c.errors import PermanentError
from d2c.load_run.census.heavy_hitters import HeavyHitters

Fault = tuple[str, str, str]


def check_limits(
    rejected_by_reason: Mapping[str, int],
    partitions: HeavyHitters,
    *,
    max_rejected_items: int,
    max_logical_partition_bytes: int,
) -> None:
    """Check the plan's limits.

    Args:
        rejected_by_reason: rejected items by the reason.
        partitions: weights of logical partitions in bytes, as in the census.
        max_rejected_items: as in the plan.
        max_logical_partition_bytes: as in the plan.

    Raises:
        PermanentError: with every exceeded limit; a partition counts only if its lower bound is larger.
    """
    found = (
        _too_many_rejected(rejected_by_reason, max_rejected_items),
        _too_large_partitions(partitions, max_logical_partition_bytes),
    )
    faults = [fault for fault in found if fault]
    if faults:
        titles, details, next_steps = zip(*faults, strict=True)
        raise PermanentError(" ".join(details), " ".join(next_steps), title=". ".join(titles))


def _too_many_rejected(by_reason: Mapping[str, int], limit: int) -> Fault | None:
    rejected = sum(by_reason.values())
    if rejected <= limit:
        return None
    reasons = ", ".join(f"{reason}: {count}" for reason, count in sorted(by_reason.items()))
    return (
        "Too many rejected items",
        f"{rejected} items cannot become faithful documents ({reasons}); the plan allows {limit}.",
        "Read the rejected items in the lake, then change the rules or raise limits.max_rejected_items.",
    )


def _too_large_partitions(partitions: HeavyHitters, limit: int) -> Fault | None:
    larger = sum(weight > limit for weight in partitions.weights.values())
    if not larger:
        return None
    ((key, weight),) = partitions.largest(1)
    values = ", ".join(orjson.dumps(value).decode() for value in orjson.loads(key))
    others = f" {larger - 1} more are too large." if larger > 1 else ""
    return (
        "A logical partition is too large",
        f"The logical partition {_cut(values)} would hold at least {weight:,} bytes; "
        f"the plan allows {limit:,}.{others}",
        "Name up to three attributes in rules.partition_key, which together have more values, "
        "or raise limits.max_logical_partition_bytes; Cosmos DB itself takes no more than 20 GB.",
    )


def _cut(text: str, most: int = 200) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
