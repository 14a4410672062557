"""Request charges, and the throughput that they are spent from.

A point read of 1 KB costs 1 RU, a write of 1 KB about 5 RU with few indexed properties, and both grow with size; a
write without indexing costs half. https://learn.microsoft.com/azure/cosmos-db/key-value-store-cost
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from localcloud.cosmos.errors import THROTTLED, CosmosError

READ_RU_PER_KB = 1.0
WRITE_RU_FIRST_KB = 5.5
WRITE_RU_PER_FURTHER_KB = 2.0
QUERY_RU = 2.5
QUERY_RU_PER_KB = 0.25


def read_charge(size_bytes: int) -> float:
    """Return the charge of a point read in RU."""
    return max(1.0, READ_RU_PER_KB * size_bytes / 1024)


def write_charge(size_bytes: int, *, indexed: bool) -> float:
    """Return the charge of writing or deleting a document in RU."""
    further = max(0.0, size_bytes / 1024 - 1)
    charge = WRITE_RU_FIRST_KB + WRITE_RU_PER_FURTHER_KB * further
    return charge if indexed else charge / 2


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
        return charge

    def _fill(self) -> None:
        now = self.clock()
        self.left = min(self.ru_per_second, self.left + (now - self.filled_at) * self.ru_per_second)
        self.filled_at = now
