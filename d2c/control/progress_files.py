"""The files in which notebooks tell their progress, one for each table that they load.

With a file for each of a hundred tables that are being loaded, reading them is most of what a status costs. So a status
reads some of them anew, and has the others as they were at one of the last statuses.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from d2c.clients.azure.async_lake import AsyncLake
from d2c.errors import PermanentError
from d2c.load_run.told.progress import PROGRESS_BYTES, parse_progress
from d2c.shapes import LoadProgress

MOST_READ_AGAIN = 12
LONGEST_REMEMBERED_SECONDS = 30.0


async def read_progress(lake: AsyncLake, path: str) -> LoadProgress | None:
    """Return the progress in a file; None if it does not tell any, or is none."""
    try:
        return parse_progress(await lake.read(path, PROGRESS_BYTES))
    except PermanentError:
        # It is too large to be one; what is told of the other tables does not depend on it.
        return None


class _Told(NamedTuple):
    at: float
    progress: LoadProgress | None


class ProgressFiles:
    """What the progress files told of late.

    Args:
        now: a clock, in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._told: dict[str, _Told] = {}

    async def read(self, lake: AsyncLake, paths: Sequence[str]) -> dict[str, LoadProgress | None]:
        """Return the progress in each of some files; a few are read again, and those that were not read of late."""
        now = self._now()
        self._told = {
            path: told for path, told in self._told.items() if now - told.at <= LONGEST_REMEMBERED_SECONDS
        }
        known = sorted((path for path in paths if path in self._told), key=lambda path: self._told[path].at)
        remembered = {path: self._told[path].progress for path in known[MOST_READ_AGAIN:]}
        asked = [path for path in paths if path not in remembered]
        found = await asyncio.gather(*(read_progress(lake, path) for path in asked))
        read = dict(zip(asked, found, strict=True))
        self._told |= {path: _Told(now, progress) for path, progress in read.items()}
        return remembered | read
