"""How long the pipeline takes: a simulation of its queues and lanes, with each table's seconds and the plan's caps.

It takes tables by the rules of `d2c.state.queue`, on a clock of its own. The time between two looks of a lane is left
out, and so are pauses, windows and retries.
"""

from bisect import insort
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from functools import partial
from heapq import heappop, heappush
from typing import NamedTuple, cast

from d2c.plan.caps import CAPS, MOST_AHEAD, SHORTEST_UNIT_SECONDS
from d2c.plan.fields import MOST_EXPORT_BYTES
from d2c.plan.tables import Location
from d2c.shapes import Caps

# A wider cap that saves less of the whole is not named.
LEAST_PART_SAVED = 0.05


class Way(NamedTuple):
    """A table's way through the pipeline, in seconds."""

    location: Location
    container: str  # database/container
    size_bytes: int
    is_small: bool
    export: float
    copy: float
    prepare: float
    load: float  # assess, load and verify, on a cluster that has started


class Duration(NamedTuple):
    """How long a pipeline takes, and how many load runs: each starts a cluster."""

    seconds: float
    load_runs: int


class NarrowCap(NamedTuple):
    """The cap that holds a pipeline back the most, and what twice as much of it brings."""

    name: str
    value: int
    wider: int
    seconds_saved: float
    load_runs_added: int


def duration_of(ways: Sequence[Way], caps: Caps) -> Duration:
    """Return how long the pipeline takes.

    Args:
        ways: of all tables, in the order in which they go.
        caps: the operation's.
    """
    return _Pipeline(ways, caps).run()


def narrow_cap(ways: Sequence[Way], caps: Caps) -> NarrowCap | None:
    """Return the cap that shortens the whole most if it is doubled, or None if none does by a twentieth.

    Args:
        ways: of all tables, in the order in which they go.
        caps: the operation's.
    """
    now = duration_of(ways, caps)
    found = [cap for name in CAPS if (cap := _doubled(name, ways, caps, now))]
    best = max(found, key=lambda cap: cap.seconds_saved, default=None)
    return best if best and best.seconds_saved > LEAST_PART_SAVED * now.seconds else None


def _doubled(name: str, ways: Sequence[Way], caps: Caps, now: Duration) -> NarrowCap | None:
    """Return what twice as much of a cap brings; None if there is no such cap, or the model allows no more."""
    key, most = CAPS[name]
    value = caps[key]
    if value is None or value >= most:
        return None
    wider = min(2 * value, most)
    then = duration_of(ways, cast("Caps", {**caps, key: wider}))
    return NarrowCap(name, value, wider, now.seconds - then.seconds, then.load_runs - now.load_runs)


class _Pipeline:
    """The state of a simulated pipeline; a table is the number of its way.

    Args:
        ways: of all tables, in the order in which they go.
        caps: the operation's.
    """

    def __init__(self, ways: Sequence[Way], caps: Caps) -> None:
        self._ways, self._caps = ways, caps
        self._now = 0.0
        self._ended_at = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._event_count = 0
        self._to_export: dict[Location, deque[int]] = {}
        for table, way in enumerate(ways):
            self._to_export.setdefault(way.location, deque()).append(table)
        self._to_copy: list[int] = []
        self._to_load: list[int] = []  # sorted; their containers are free
        # Tables that wait for their container, since another is being loaded into it: by location, large or small.
        self._held: dict[str, defaultdict[tuple[Location, bool], list[int]]] = {}
        # When a small table has waited enough for others to share its load run.
        self._patient_until: dict[int, float] = {}
        self._exporting: Counter[Location] = Counter()
        self._exporting_bytes: Counter[Location] = Counter()
        self._copying = 0
        self._loading = 0
        self._begun = 0  # and not ended
        # The small tables of a location that have not come to the load lanes.
        self._small_begun: Counter[Location] = Counter()
        self._small_not_begun = Counter(way.location for way in ways if way.is_small)
        self._ahead = 0  # exported tables that no load lane has, in parts of a load run
        self._loading_containers: set[str] = set()
        self._load_runs = 0

    def run(self) -> Duration:
        """Let all tables go through."""
        self._take()
        while self._events:
            self._now = self._events[0][0]
            while self._events and self._events[0][0] == self._now:
                heappop(self._events)[2]()
            self._take()
        return Duration(self._ended_at, self._load_runs)

    def _at(self, moment: float, event: Callable[[], None]) -> None:
        """Have something happen; at one moment, in the order of these calls."""
        heappush(self._events, (moment, self._event_count, event))
        self._event_count += 1

    def _take(self) -> None:
        """Give idle lanes what they can take now; what one takes may let another take more."""
        while self._take_for_load() or self._take_for_copy() or self._take_for_export():
            pass

    def _take_for_load(self) -> bool:
        unit = self._next_unit() if self._loading < self._caps["load"] else []
        if unit:
            self._load(unit)
        return bool(unit)

    def _take_for_copy(self) -> bool:
        if self._copying == self._caps["copy"] or not self._to_copy:
            return False
        table = heappop(self._to_copy)
        self._copying += 1
        self._at(self._now + self._ways[table].copy, partial(self._copied, table))
        return True

    def _take_for_export(self) -> bool:
        for location, tables in self._to_export.items():
            if tables and self._exporting[location] < self._caps["export"] and not self._is_held(tables[0]):
                self._export(tables.popleft())
                return True
        return False

    def _is_held(self, table: int) -> bool:
        """Return whether a table's export may not begin, whatever lanes are idle."""
        way = self._ways[table]
        exporting = self._exporting_bytes[way.location]
        is_too_large = self._exporting[way.location] > 0 and exporting + way.size_bytes > MOST_EXPORT_BYTES
        most_ahead = MOST_AHEAD * self._caps["load"] * self._caps["tables_per_load_run"]
        return self._is_full() or is_too_large or self._ahead > most_ahead

    def _is_full(self) -> bool:
        return self._caps["tables"] is not None and self._begun >= self._caps["tables"]

    def _export(self, table: int) -> None:
        way = self._ways[table]
        self._begun += 1
        self._exporting[way.location] += 1
        self._exporting_bytes[way.location] += way.size_bytes
        if way.is_small:
            self._small_not_begun[way.location] -= 1
            self._small_begun[way.location] += 1
        self._at(self._now + way.export, partial(self._exported, table))

    def _exported(self, table: int) -> None:
        way = self._ways[table]
        self._exporting[way.location] -= 1
        self._exporting_bytes[way.location] -= way.size_bytes
        self._ahead += self._part_of_run(table)
        heappush(self._to_copy, table)

    def _part_of_run(self, table: int) -> int:
        return 1 if self._ways[table].is_small else self._caps["tables_per_load_run"]

    def _copied(self, table: int) -> None:
        way = self._ways[table]
        self._copying -= 1
        if way.container in self._loading_containers:
            self._hold(table)
        else:
            insort(self._to_load, table)
        if way.is_small:
            self._small_begun[way.location] -= 1
            moment = self._now + max(self._caps["cluster_seconds"], SHORTEST_UNIT_SECONDS)
            self._patient_until[table] = moment
            self._at(moment, lambda: None)

    def _next_unit(self) -> list[int]:
        """Return the tables of the next load run; none if none is worth it yet."""
        looked_at = set()
        for table in self._to_load:
            way = self._ways[table]
            if not way.is_small:
                return [table]
            if way.location not in looked_at:
                looked_at.add(way.location)
                unit = self._companions(way.location)
                if self._is_worth_a_run(unit):
                    return unit
        return []

    def _companions(self, location: Location) -> list[int]:
        """Return the ready small tables of a location, one for each container, as many as a load run takes."""
        unit: dict[str, int] = {}
        for table in self._to_load:
            way = self._ways[table]
            if way.is_small and way.location == location:
                unit.setdefault(way.container, table)
                if len(unit) == self._caps["tables_per_load_run"]:
                    break
        return list(unit.values())

    def _is_worth_a_run(self, unit: Sequence[int]) -> bool:
        location = self._ways[unit[0]].location
        return (
            2 * len(unit) >= self._caps["tables_per_load_run"]
            or any(self._patient_until[table] <= self._now for table in unit)
            or not (self._small_begun[location] or (self._small_not_begun[location] and not self._is_full()))
        )

    def _load(self, unit: Sequence[int]) -> None:
        """Prepare the tables of a unit side by side, start a cluster, and load them as if one after another."""
        self._loading += 1
        self._load_runs += 1
        self._take_from_queue(unit)
        ends = self._now + max(self._ways[table].prepare for table in unit) + self._caps["cluster_seconds"]
        for table in unit:
            ends += self._ways[table].load
            self._at(ends, partial(self._loaded, table))
        self._at(ends, self._run_ended)

    def _take_from_queue(self, unit: Sequence[int]) -> None:
        """Take tables from the queue, and out of it those that wait for their containers from now on."""
        taken = set(unit)
        self._loading_containers.update(self._ways[table].container for table in unit)
        waiting, self._to_load = self._to_load, []
        for table in waiting:
            container = self._ways[table].container
            if table in taken:
                self._ahead -= self._part_of_run(table)
            elif container in self._loading_containers:
                self._hold(table)
            else:
                self._to_load.append(table)

    def _hold(self, table: int) -> None:
        way = self._ways[table]
        kinds = self._held.setdefault(way.container, defaultdict(list))
        heappush(kinds[way.location, way.is_small], table)

    def _loaded(self, table: int) -> None:
        container = self._ways[table].container
        self._begun -= 1
        self._loading_containers.discard(container)
        # The next of each kind is enough: it goes before all others of its kind.
        for tables in filter(None, self._held.get(container, {}).values()):
            insort(self._to_load, heappop(tables))
        self._ended_at = self._now

    def _run_ended(self) -> None:
        self._loading -= 1
