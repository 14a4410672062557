"""A copy's progress reports, and the reasons to stop it."""

import math
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from localcloud.data_factory.runs.errors import ActivityCancelledError, ActivityError

SECONDS_BETWEEN_REPORTS = 0.2
# What the service takes at least where it chooses the units itself.
AUTOMATIC_UNITS = 4


class Watch:
    """Counts what a copy moves, and ends it if its run is cancelled or its time is up.

    Args:
        cancelled: set once the run is to stop.
        timeout: how long the activity may take.
        seconds_per_file: how much longer than need be each file takes.
        report: called now and then with the activity's output so far.
        before_each_file: called before each file; raises to make the copy fail.
    """

    def __init__(
        self,
        cancelled: threading.Event,
        *,
        timeout: timedelta,
        seconds_per_file: float,
        report: Callable[[dict[str, Any]], None],
        before_each_file: Callable[[], None],
    ) -> None:
        self._cancelled = cancelled
        self._started = time.monotonic()
        self._timeout = timeout
        self._seconds_per_file = seconds_per_file
        self._report = report
        self._before_each_file = before_each_file
        self._units = AUTOMATIC_UNITS
        self._reported = 0.0
        self._data_read = self._data_written = self._files_read = self._files_written = 0

    def uses(self, units: int) -> None:
        """Say how many integration units the copy takes; 0 leaves it to the service."""
        self._units = units or AUTOMATIC_UNITS

    def before_file(self, path: str) -> None:
        """Let a file begin.

        Raises:
            ActivityCancelledError: if the run is cancelled.
            ActivityError: if the time is up, or a fault was asked for.
        """
        self._before_each_file()
        self._cancelled.wait(self._seconds_per_file)
        self._check(path)

    def moved(self, *, read: int = 0, written: int = 0) -> None:
        """Count bytes, and report them from time to time."""
        self._data_read += read
        self._data_written += written
        self._check("a file")
        if time.monotonic() - self._reported > SECONDS_BETWEEN_REPORTS:
            self._tell()

    def file_done(self) -> None:
        """Count a file that is in the lake."""
        self._files_read += 1
        self._files_written += 1
        self._tell()

    def output(self) -> dict[str, Any]:
        """Return the counts as an activity's output holds them."""
        seconds = time.monotonic() - self._started
        return {
            "dataRead": self._data_read,
            "dataWritten": self._data_written,
            "filesRead": self._files_read,
            "filesWritten": self._files_written,
            "sourcePeakConnections": 1,
            "sinkPeakConnections": 1,
            "copyDuration": max(1, round(seconds)),
            "throughput": round(self._data_read / 1024 / max(seconds, 0.001), 3),
            "errors": [],
            "effectiveIntegrationRuntime": "AutoResolveIntegrationRuntime (Local)",
            "usedDataIntegrationUnits": self._units,
            "usedParallelCopies": 1,
            "billingReference": self._bill(seconds),
        }

    def _bill(self, seconds: float) -> dict[str, Any]:
        """Return what the activity is billed: its units for each minute that has begun.

        https://learn.microsoft.com/azure/data-factory/pricing-concepts
        """
        hours = self._units * max(1, math.ceil(seconds / 60)) / 60
        duration = {"meterType": "AzureIR", "duration": round(hours, 6), "unit": "DIUHours"}
        return {"activityType": "DataMovement", "billableDuration": [duration]}

    def _tell(self) -> None:
        self._reported = time.monotonic()
        self._report(self.output())

    def _check(self, thing: str) -> None:
        if self._cancelled.is_set():
            raise ActivityCancelledError
        if time.monotonic() - self._started > self._timeout.total_seconds():
            raise ActivityError(
                f"The activity ran longer than its timeout of {self._timeout} and ended at {thing}.",
                code="ActivityTimeout",
            )
