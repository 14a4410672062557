"""Throughput control without a container of its own: each Spark executor takes its share of the RU/s.

ThroughputControlHelper.scala and CosmosConfig.scala (`spark.executorCount`) of azure-cosmos-spark. Here there is one
executor, whose tasks are processes: each that runs at once takes an equal part.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field


def ru_per_task(ru_per_second: int | None, tasks: int) -> float | None:
    """Return the RU/s of each task of a read; None without throughput control."""
    return None if ru_per_second is None else ru_per_second / max(min(tasks, os.cpu_count() or 1), 1)


@dataclass
class Pace:
    """Holds a task back until it has RU left: it gets so many a second, keeps one second's, may overdraw them once.

    Args:
        ru_per_second: the task's; None to hold nothing back.
        clock: tells the seconds since some moment.
        sleep: waits for some seconds.
    """

    ru_per_second: float | None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _left: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        self._left, self._at = self.ru_per_second or 0.0, self.clock()

    def wait(self) -> None:
        """Wait until the next call may be made."""
        if self.ru_per_second is None:
            return
        now = self.clock()
        self._left = min(self.ru_per_second, self._left + (now - self._at) * self.ru_per_second)
        self._at = now
        if self._left < 0:
            self.sleep(-self._left / self.ru_per_second)

    def spend(self, charge: float) -> None:
        """Take the charge of a call that was made."""
        self._left -= charge
