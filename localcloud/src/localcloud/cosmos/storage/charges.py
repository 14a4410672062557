"""Request charges, and the throughput that they are spent from.

A point read of 1 KB costs 1 RU and one of 100 KB 10, a write without indexes 5 and 50; indexes add to a write.
https://learn.microsoft.com/azure/cosmos-db/key-value-store-cost
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from localcloud.cosmos.errors import THROTTLED, CosmosError
from localcloud.cosmos.storage.meter import Utilization

# KB and RU; between them charges grow evenly, and beyond the last as they did before it.
READ_CHARGES = ((1.0, 1.0), (100.0, 10.0))
WRITE_CHARGES = ((1.0, 5.0), (10.0, 14.0), (100.0, 50.0))
# A policy with all properties doubles a write, and one with some adds to it for each path.
ALL_INDEXED = 2.0
RU_PART_OF_A_PATH = 0.05
ROOT = ("/", "/*")
QUERY_RU = 2.5
QUERY_RU_PER_KB = 0.25


def read_charge(size_bytes: int) -> float:
    """Return the charge of a point read in RU."""
    return _interpolated(READ_CHARGES, size_bytes / 1024)


def write_charge(size_bytes: float, index_factor: float) -> float:
    """Return the charge of writing or deleting a document in RU.

    Args:
        size_bytes: the document's, as it is stored.
        index_factor: from `index_factor`.
    """
    return _interpolated(WRITE_CHARGES, size_bytes / 1024) * index_factor


def index_factor(policy: Mapping[str, Any]) -> float:
    """Return by how much an indexing policy multiplies the charge of a write."""
    if policy.get("indexingMode") == "none":
        return 1.0
    paths = policy.get("includedPaths") or ()
    composites = len(policy.get("compositeIndexes") or ()) * RU_PART_OF_A_PATH
    if any(each["path"] in ROOT for each in paths):
        return ALL_INDEXED + composites
    return min(ALL_INDEXED, 1.0 + len(paths) * RU_PART_OF_A_PATH + composites)


def _interpolated(charges: Sequence[tuple[float, float]], kilobytes: float) -> float:
    if kilobytes <= charges[0][0]:
        return charges[0][1]
    pairs = pairwise(charges)
    low, high = next((pair for pair in pairs if kilobytes <= pair[1][0]), charges[-2:])
    return low[1] + (kilobytes - low[0]) * (high[1] - low[1]) / (high[0] - low[0])


def query_charge(size_bytes: int) -> float:
    """Return the charge of one page of a query in RU, by the bytes that it read."""
    return QUERY_RU + QUERY_RU_PER_KB * size_bytes / 1024


@dataclass
class Budget:
    """A container's throughput: it fills up by so many RU a second, holds one second's worth, may be overdrawn once.

    Args:
        ru_per_second: the provisioned throughput; of autoscale its maximum.
        clock: tells the seconds since some moment.
    """

    ru_per_second: float
    clock: Callable[[], float] = time.monotonic
    left: float = field(init=False)
    filled_at: float = field(init=False)
    throttled: int = 0
    spent: float = 0.0
    unused: float = 0.0
    utilization: Utilization = field(default_factory=Utilization)

    def __post_init__(self) -> None:
        self.left = self.ru_per_second
        self.filled_at = self.clock()

    def change(self, ru_per_second: float) -> None:
        """Provision another throughput; what was spent and refused so far stays counted."""
        self._fill()
        self.ru_per_second = ru_per_second
        self.left = min(self.left, ru_per_second)

    def check(self) -> None:
        """Refuse a call while the budget is overdrawn.

        Raises:
            CosmosError: 429, with the time until it is not.
        """
        self._fill()
        if self.left <= 0:
            self.throttled += 1
            wait_ms = max(1, round(-self.left / self.ru_per_second * 1000))
            raise CosmosError(429, "Request rate is large.", THROTTLED, wait_ms)

    def spend(self, charge: float) -> float:
        """Take a charge from the budget and return it."""
        self.left -= charge
        self.spent += charge
        self.utilization.note(charge, self.ru_per_second)
        return charge

    def take_unused(self) -> float:
        """Return the RU that nobody has spent in time, since they were taken last."""
        self._fill()
        taken, self.unused = self.unused, 0.0
        return taken

    def _fill(self) -> None:
        now = self.clock()
        filled = self.left + (now - self.filled_at) * self.ru_per_second
        self.unused += max(filled - self.ru_per_second, 0.0)
        self.left = min(self.ru_per_second, filled)
        self.filled_at = now
