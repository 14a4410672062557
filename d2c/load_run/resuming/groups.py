"""The data files of a stage in groups: each is one Spark job, whose files are known to be done once it has returned."""

import threading
from collections import deque
from collections.abc import Sequence

from d2c.export_format import DataFile

SHORT_SECONDS, LONG_SECONDS = 20.0, 120.0
"""Between these a group takes as long as it should: a lost cluster costs minutes, and jobs cost little beside it."""
MOST_GROUPS = 256
AT_ONCE = 2
"""While the last files of a group keep some cores busy, the next one has the others."""


class Groups:
    """Deals out groups of data files, larger ones while they take a short time.

    Args:
        files: the data files.
        cores: Spark's. A group has at least as many files, so that all cores have one.
    """

    def __init__(self, files: Sequence[DataFile], cores: int) -> None:
        self._left = deque(files)
        self._least = self._size = max(cores, -(-len(files) // MOST_GROUPS), 1)
        self._lock = threading.Lock()

    def take(self) -> tuple[DataFile, ...]:
        """Return the next group; an empty one if there is none."""
        with self._lock:
            return tuple(self._left.popleft() for _ in range(min(self._size, len(self._left))))

    def took(self, seconds: float) -> None:
        """Note how long a group of the present size took."""
        with self._lock:
            if seconds < SHORT_SECONDS:
                self._size *= 2
            elif seconds > LONG_SECONDS:
                self._size = max(self._size // 2, self._least)

    def stop(self) -> None:
        """Deal out no more."""
        with self._lock:
            self._left.clear()
