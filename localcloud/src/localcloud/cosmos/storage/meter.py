"""What Azure Monitor counts of a container: request units by operation, and how much of a partition's RU/s was used.

https://learn.microsoft.com/azure/cosmos-db/monitor-reference
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MINUTE = 60


@dataclass
class Utilization:
    """The largest part of a partition's RU/s that was used in a second, by minute, in percent.

    Args:
        clock: tells the time, in epoch seconds.
    """

    clock: Callable[[], float] = time.time
    by_minute: dict[int, float] = field(default_factory=dict)
    _second: int = 0
    _spent: float = 0.0

    def note(self, charge: float, ru_per_second: float) -> None:
        """Count what is spent now."""
        now = int(self.clock())
        self._spent = charge + (self._spent if now == self._second else 0.0)
        self._second = now
        minute = now - now % MINUTE
        percent = min(100.0, 100 * self._spent / ru_per_second)
        self.by_minute[minute] = max(self.by_minute.get(minute, 0.0), percent)


@dataclass
class Meter:
    """Request units that were charged, by minute and operation.

    Args:
        clock: tells the time, in epoch seconds.
    """

    clock: Callable[[], float] = time.time
    by_minute: dict[tuple[int, str], float] = field(default_factory=dict)

    def count(self, operation: str, charge: float) -> None:
        """Count a call."""
        now = int(self.clock())
        key = now - now % MINUTE, operation
        self.by_minute[key] = self.by_minute.get(key, 0.0) + charge

    def points(self) -> list[dict[str, Any]]:
        """Return all minutes."""
        return [
            {"minute": minute, "operation": operation, "total": total}
            for (minute, operation), total in sorted(self.by_minute.items())
        ]
