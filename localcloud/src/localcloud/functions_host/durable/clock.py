"""The host's clock: the machine's time, except that it never goes back."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """Epoch seconds that grow: the machine's time, or what has passed since where that was set back.

    A clock that is set back would have a timer fire twice, or make it wait for hours. One that is set forward makes
    what became due meanwhile fire, as after the sleep of a laptop.

    Args:
        wall: tells epoch seconds, which may jump.
        steady: tells seconds that only grow, from any start.
    """

    def __init__(
        self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._lock = threading.Lock()
        self._last_wall, self._last_steady = wall(), steady()

    def __call__(self) -> float:
        """Return epoch seconds."""
        with self._lock:
            steady = self._steady()
            passed = steady - self._last_steady
            self._last_wall, self._last_steady = max(self._wall(), self._last_wall + passed), steady
            return self._last_wall

    def not_before(self, moment: float) -> None:
        """Go forward to a moment in epoch seconds, if it is not over yet."""
        with self._lock:
            self._last_wall = max(self._last_wall, moment)

    def text(self) -> str:
        """Return the time as histories hold it."""
        return datetime.fromtimestamp(self(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
