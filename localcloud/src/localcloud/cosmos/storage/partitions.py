"""Physical partitions: each holds a range of keys, with an equal share of the container's throughput.

https://learn.microsoft.com/azure/cosmos-db/partitioning-overview#physical-partitions
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from localcloud.cosmos.errors import RANGE_GONE, CosmosError
from localcloud.cosmos.storage import keys, ranges
from localcloud.cosmos.storage.charges import Budget
from localcloud.cosmos.storage.ranges import KeyRange


@dataclass(frozen=True)
class Partition:
    """A physical partition: its range, the bounds of it by name (the end is not in it), and what it may spend."""

    range: KeyRange
    start: str
    end: str
    budget: Budget

    @property
    def id(self) -> str:
        """The id of its range, as clients send it."""
        return str(self.range.id)


class Partitions:
    """The physical partitions of a container.

    Args:
        definition: the container's partition key definition.
        key_ranges: its ranges.
        ru_per_second: its throughput.
        shared: what each of its partitions may spend, if it shares its database's throughput.
    """

    def __init__(
        self,
        definition: dict[str, Any],
        key_ranges: Sequence[KeyRange],
        ru_per_second: float,
        shared: Sequence[Budget] = (),
    ) -> None:
        self._definition = definition
        self._past: list[Budget] = []
        self.all: list[Partition] = []
        self.provide(key_ranges, ru_per_second, shared)

    def provide(
        self, key_ranges: Sequence[KeyRange], ru_per_second: float, shared: Sequence[Budget] = ()
    ) -> None:
        """Let these be the ranges, and share the throughput among them."""
        if shared:
            self.all = [self._new(*pair) for pair in zip(key_ranges, shared, strict=True)]
            return
        before = {each.range: each for each in self.all}
        share = ru_per_second / len(key_ranges)
        self._past += [each.budget for key, each in before.items() if key not in key_ranges]
        self.all = [before.get(each) or self._new(each, Budget(share)) for each in key_ranges]
        for each in self.all:
            each.budget.change(share)

    def of(self, key: Sequence[Any]) -> Partition:
        """Return the partition that holds a whole partition key."""
        if len(self.all) == 1:
            return self.all[0]
        ring = keys.effective_key(self._definition, key)
        return self.all[bisect_right([each.start for each in self.all], ring) - 1]

    def named(self, range_id: str) -> Partition:
        """Return the partition of a range by the range's id.

        Raises:
            CosmosError: 410/1002, if there is none, or none any more.
        """
        for each in self.all:
            if each.id == range_id:
                return each
        raise CosmosError(410, f"The partition key range {range_id} is gone.", RANGE_GONE)

    def between(self, start: str, end: str) -> list[Partition]:
        """Return the partitions that hold a part of the ring, which is given by names."""
        return [each for each in self.all if each.start < end and start < each.end]

    def take_unused(self) -> float:
        """Return the RU that nobody has spent in time, since they were taken last."""
        return sum(each.budget.take_unused() for each in self.all)

    @property
    def spent(self) -> float:
        """The RU that were ever spent."""
        return sum(budget.spent for budget in self._budgets())

    @property
    def throttled(self) -> int:
        """How many calls were refused for want of RU."""
        return sum(budget.throttled for budget in self._budgets())

    @property
    def utilization(self) -> dict[int, float]:
        """The largest part of a partition's RU/s that was used in a second, by minute, in percent."""
        found: dict[int, float] = {}
        for budget in self._budgets():
            for minute, percent in budget.utilization.by_minute.items():
                found[minute] = max(found.get(minute, 0.0), percent)
        return found

    def _budgets(self) -> list[Budget]:
        return [*self._past, *(each.budget for each in self.all)]

    def _new(self, key_range: KeyRange, budget: Budget) -> Partition:
        start, end = (ranges.bound(self._definition, each) for each in (key_range.start, key_range.end))
        return Partition(key_range, start, end, budget)
