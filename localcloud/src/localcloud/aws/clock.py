"""The clock of local DynamoDB, which tests move so that a window of changes need not take its time."""

import math
import time
from pathlib import Path


class Clock:
    """The machine's clock, ahead of it by what it was moved; a restart keeps that.

    Args:
        path: the file that keeps it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ahead = float(path.read_text()) if path.exists() else 0.0

    def now(self) -> float:
        """Return the time in epoch seconds."""
        return time.time() + self._ahead

    def next_second(self) -> int:
        """Return the end of the second that runs; boto3 sends whole seconds only."""
        return math.ceil(self.now())

    def move(self, seconds: float) -> float:
        """Move the clock forward and return its time.

        Raises:
            ValueError: if it would go back.
        """
        if seconds < 0:
            raise ValueError("the clock does not go back")
        self._ahead += seconds
        self._path.write_text(str(self._ahead))
        return self.now()
