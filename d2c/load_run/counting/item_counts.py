"""How many items and bytes a stage has gone through, and how fast, by what its tasks report."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from d2c.export_format import DataFile

RATE_SECONDS = 120.0
"""The rate is that of so many seconds before."""
SHORTEST_SECONDS = 3.0
# Verify reads the export as assess does, and the container side by side with it.
VERIFY_OVER_ASSESS = 1.5
# Where no rate of assess is known, as after a lost cluster.
VERIFY_OVER_LOAD = 0.5


class _Sample(NamedTuple):
    at: float
    items: float
    bytes: float


class _Size(NamedTuple):
    items: int
    bytes: int


class OnTheirWay(NamedTuple):
    """What tasks report before it is done: of each task that runs so many items, at the most.

    Args:
        items: of a task.
        tasks: how many run at once.
    """

    items: int = 0
    tasks: int = 0


class ItemCounts:
    """The counts of a table's stages, one stage after the other.

    Bytes are those of the data files as they are in the lake; those of a file count in proportion to its items.

    Args:
        clock: returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rates: dict[str, float] = {}
        self.begin("")

    def begin(self, stage: str) -> None:
        """Begin a stage, of which nothing is known yet."""
        self._stage, self._sides, self._on_their_way = stage, 1, OnTheirWay()
        self._expected: dict[str, _Size] = {}
        self._reported: dict[str, int] = {}
        self._finished: set[str] = set()
        self._samples: deque[_Sample] = deque()

    def expect(
        self,
        files: Sequence[DataFile],
        sizes: Mapping[str, int],
        done: Iterable[str] = (),
        sides: int = 1,
        on_their_way: OnTheirWay | None = None,
    ) -> None:
        """Name what the stage goes through.

        Args:
            files: the data files.
            sizes: theirs in bytes, by name.
            done: those that an earlier run has done.
            sides: 2 if the stage also reads as many documents in the container.
            on_their_way: what is reported before it is done; nothing if None.
        """
        self._expected = {file.name: _Size(file.item_count, sizes.get(file.name, 0)) for file in files}
        self._sides, self._on_their_way = sides, on_their_way or OnTheirWay()
        self.finish(done)

    def finish(self, names: Iterable[str]) -> None:
        """Count data files as done."""
        for name in names:
            self.report(name, self._expected[name].items)
            self._finished.add(name)

    def report(self, name: str, items: int) -> None:
        """Take the count of a data file; of another name, that of documents in the container."""
        if name not in self._finished:
            self._reported[name] = items

    def look(self) -> dict[str, Any]:
        """Return what of the stage is done at this moment, in the words of `d2c.shapes.Progress`; empty if unknown."""
        if not self._expected:
            return {}
        now = _Sample(self._clock(), *self._done())
        self._keep(now)
        first, last, total = self._samples[0], self._samples[-1], self._total()
        seconds = last.at - first.at
        found: dict[str, Any] = {
            "done": int(now.items),
            "total": total.items,
            "bytes": int(now.bytes),
            "bytes_total": total.bytes,
        }
        if seconds < SHORTEST_SECONDS:
            return found
        rate = max(last.items - first.items, 0.0) / seconds
        self._rates[self._stage] = rate
        found["items_per_second"] = round(rate, 1)
        found["bytes_per_second"] = round(max(last.bytes - first.bytes, 0.0) / seconds)
        if rate:
            left = (total.items - last.items) / rate - (now.at - last.at)
            found["seconds_left"] = round(max(left, 0.0) if now.items < total.items else 0.0, 1)
            found |= self._later(total.items, rate)
        return found

    def _keep(self, now: _Sample) -> None:
        """Keep the samples of the last minutes, and none from before the first item.

        Once nothing is left but what is on its way, there are no more counts, and the rate stays what it was.
        """
        samples = self._samples
        if len(samples) == 1 and samples[0].items == now.items:
            samples.clear()
        if len(samples) > 1 and self._is_all_on_its_way():
            return
        samples.append(now)
        while len(samples) > 2 and now.at - samples[1].at >= RATE_SECONDS:
            samples.popleft()

    def _is_all_on_its_way(self) -> bool:
        taken = self._taken()
        return bool(self._on_their_way.items) and all(
            taken[name] == size.items for name, size in self._expected.items()
        )

    def _later(self, items: int, rate: float) -> dict[str, float]:
        """Return how long the later stages may take, as far as the stage's rate tells anything of it."""
        if self._stage == "verify":
            return {"seconds_after": 0.0}
        if self._stage != "load":
            return {}
        assess = self._rates.get("assess")
        seconds = VERIFY_OVER_ASSESS * items / assess if assess else VERIFY_OVER_LOAD * items / rate
        return {"seconds_after": round(seconds, 1)}

    def _total(self) -> _Size:
        sizes = self._expected.values()
        return _Size(sum(size.items for size in sizes), sum(size.bytes for size in sizes))

    def _taken(self) -> dict[str, int]:
        """Return the items of each data file that tasks have gone through."""
        return {name: min(self._reported.get(name, 0), size.items) for name, size in self._expected.items()}

    def _done(self) -> tuple[float, float]:
        """Return the items and bytes that are done: of two sides, half of each."""
        items = bytes_ = running = running_bytes = 0.0
        unfinished = 0
        for name, taken in self._taken().items():
            size = self._expected[name]
            bytes_taken = size.bytes * taken / size.items if size.items else 0.0
            if name in self._finished:
                items, bytes_ = items + taken, bytes_ + bytes_taken
            elif taken:
                running, running_bytes, unfinished = (
                    running + taken,
                    running_bytes + bytes_taken,
                    unfinished + 1,
                )
        each, tasks = self._on_their_way
        surely = max(running - each * min(tasks, unfinished), 0.0)
        items += surely
        bytes_ += running_bytes * surely / running if running else 0.0
        total = self._total()
        others = (count for name, count in self._reported.items() if name not in self._expected)
        documents = min(sum(others), total.items) if self._sides > 1 else 0
        part = documents / total.items if total.items else 0.0
        return (items + documents) / self._sides, (bytes_ + total.bytes * part) / self._sides
