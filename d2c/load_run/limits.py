"""The plan's limits, checked after assess: an exceeded limit stops the table before anything is written."""

from collections.abc import Iterable, Mapping

import orjson

from d2c.errors import PermanentError
from d2c.load_run.accounting import FileTally
from d2c.load_run.census.heavy_hitters import HeavyHitters
from d2c.mapping import Rejected
from d2c.mapping.rejected import shown

Fault = tuple[str, str, str]

# So many rejected items of a file are kept beyond the plan's limit: enough to change the rules by them.
KEPT_BEYOND_LIMIT = 10_000
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-items
ITEM_BYTES = 400_000
TOO_MANY = "Too many rejected items"
READ_THEM = "Read the rejected items in the lake, then change the rules or raise limits.max_rejected_items."


class Allowance:
    """The rejected items that a run keeps of one data file.

    Args:
        max_rejected_items: as in the plan, for the whole table.
    """

    def __init__(self, max_rejected_items: int) -> None:
        self._items = max_rejected_items + KEPT_BEYOND_LIMIT
        self._bytes = self._items * ITEM_BYTES

    def covers(self, rejected: Rejected) -> bool:
        """Take one more rejected item off the allowance; return whether it is within it."""
        self._items -= 1
        self._bytes -= len(rejected.item)
        return self._items > 0 and self._bytes > 0


def check_mapped_to_the_end(tallies: Iterable[FileTally], max_rejected_items: int) -> None:
    """Check that no file ended early because of its rejected items.

    Args:
        tallies: one for each data file.
        max_rejected_items: as in the plan.

    Raises:
        PermanentError: naming the first one.
    """
    stopped = [tally for tally in tallies if tally.stopped]
    if stopped:
        first = stopped[0]
        raise PermanentError(
            f"{first.file} alone has at least {first.rejected.total()} items that cannot become faithful documents "
            f"({_reasons(first.rejected)}); the plan allows {max_rejected_items}. "
            f"{len(stopped)} data files were mapped only up to that many.",
            READ_THEM,
            title=TOO_MANY,
        )


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
    return (
        TOO_MANY,
        f"{rejected} items cannot become faithful documents ({_reasons(by_reason)}); the plan allows {limit}.",
        READ_THEM,
    )


def _reasons(by_reason: Mapping[str, int]) -> str:
    return ", ".join(f"{reason}: {count}" for reason, count in sorted(by_reason.items()))


def _too_large_partitions(partitions: HeavyHitters, limit: int) -> Fault | None:
    larger = sum(weight > limit for weight in partitions.weights.values())
    if not larger:
        return None
    ((key, weight),) = partitions.largest(1)
    values = ", ".join(orjson.dumps(value).decode() for value in orjson.loads(key))
    others = f" {larger - 1} more are too large." if larger > 1 else ""
    return (
        "A logical partition is too large",
        f"The logical partition {shown(values)} would hold at least {weight:,} bytes; "
        f"the plan allows {limit:,}.{others}",
        "Name up to three attributes in rules.partition_key, which together have more values, "
        "or raise limits.max_logical_partition_bytes; Cosmos DB itself takes no more than 20 GB.",
    )
