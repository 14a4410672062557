"""The queue of an operation: which table is ready for which stage, and which lane has taken it.

A log in the lake is all there is; many append to it, a line may stand there twice, and every reader folds it into the
same queue. A claim that overlaps an earlier one is void, so of two lanes that take a table at once one has it. Void is
also a claim that only an older log allowed: of a container that is being loaded by now, or of more tables than may be
under way.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from d2c.plan.caps import MOST_AHEAD, SHORTEST_UNIT_SECONDS, is_small
from d2c.plan.fields import MOST_EXPORT_BYTES
from d2c.shapes import Caps, ErrorDict, LaneStage, QueuedTable, QueueEntry, QueueFile

STAGES: tuple[LaneStage, ...] = ("export", "copy", "load")


class Lane(NamedTuple):
    """A worker of a stage; only export lanes have a location."""

    stage: LaneStage
    number: int
    location: str = ""


class Claim(NamedTuple):
    """What a lane took in one of its turns."""

    stage: LaneStage
    lane: int
    turn: int
    tables: tuple[str, ...]
    at: datetime
    cancelled: bool


class Position(NamedTuple):
    """The stage that a table is in or is ready for, since when, and the claim on it if a lane has it."""

    stage: LaneStage
    since: datetime | None
    claim: Claim | None


class End(NamedTuple):
    """How a table ended in the operation."""

    state: str
    error: ErrorDict | None


class Queue:
    """An operation's queue at one moment.

    Args:
        file: its caps and its tables in their order.
        entries: the log, oldest first.
    """

    def __init__(self, file: QueueFile, entries: Iterable[QueueEntry]) -> None:
        self.caps: Caps = file["caps"]
        self.tables: Mapping[str, QueuedTable] = {table["table"]: table for table in file["tables"]}
        self.positions = {name: Position(table["enters"], None, None) for name, table in self.tables.items()}
        self.ends: dict[str, End] = {}
        self.claims: dict[tuple[str, int, int], Claim] = {}
        self.begun: dict[str, datetime] = {}
        self.items = {name: table["items"] for name, table in self.tables.items()}
        self.is_abandoned = False
        self._under_way = 0  # tables that have begun and not ended
        self._busy_containers: set[str] = set()
        self.add(entries)

    def add(self, entries: Iterable[QueueEntry]) -> None:
        """Fold further entries of the log, oldest first, as if they had been there from the beginning."""
        for name, value in vars(type(self)).items():
            if isinstance(value, cached_property):
                vars(self).pop(name, None)
        folds = {"claimed": self._claim, "passed": self._pass, "ended": self._end}
        for entry in entries:
            if entry["did"] == "abandoned":
                self.is_abandoned = True
            else:
                folds[entry["did"]](entry)

    def _claim(self, entry: QueueEntry) -> None:
        names, stage = tuple(entry["tables"]), entry["stage"]
        key = (stage, entry["lane"], entry["turn"])
        at, cancelled = datetime.fromisoformat(entry["at"]), entry.get("cancelled", False)
        is_free = all(self._is_free(name, stage) for name in names)
        if self.is_abandoned or key in self.claims or not is_free:
            return
        if not cancelled and not self._is_allowed(stage, names):
            return
        claim = Claim(stage, entry["lane"], entry["turn"], names, at, cancelled)
        self.claims[key] = claim
        for name in names:
            self.positions[name] = Position(stage, at, claim)
            if name not in self.begun:
                self.begun[name] = at
                self._under_way += 1
        if stage == "load" and not cancelled:
            self._busy_containers |= self._containers(names)

    def _is_allowed(self, stage: LaneStage, names: Sequence[str]) -> bool:
        """Return whether a claim keeps to the limits that hold over lanes."""
        room, containers = self._room, self._containers(names)
        if room is not None and sum(name not in self.begun for name in names) > room:
            return False
        return stage != "load" or (len(containers) == len(names) and not containers & self._busy_containers)

    def _containers(self, names: Iterable[str]) -> set[str]:
        return {self.tables[name]["container"] for name in names}

    def _pass(self, entry: QueueEntry) -> None:
        name, stage = entry["table"], entry["stage"]
        position = self.positions.get(name)
        if position and position.stage == stage and position.claim and stage != STAGES[-1]:
            following = STAGES[STAGES.index(stage) + 1]
            self.positions[name] = Position(following, datetime.fromisoformat(entry["at"]), None)
            if entry.get("items") is not None:
                self.items[name] = entry["items"]

    def _end(self, entry: QueueEntry) -> None:
        name = entry["table"]
        position = self.positions.pop(name, None)
        if position is None:
            return
        self.ends[name] = End(entry["state"], entry.get("error"))
        self._under_way -= name in self.begun
        if position.claim and position.stage == "load" and not position.claim.cancelled:
            self._busy_containers.discard(self.tables[name]["container"])

    def _is_free(self, name: str, stage: LaneStage) -> bool:
        position = self.positions.get(name)
        return position is not None and position.stage == stage and position.claim is None

    def claim_of(self, lane: Lane, turn: int) -> Claim | None:
        """Return what a lane took in a turn, or None."""
        return self.claims.get((lane.stage, lane.number, turn))

    def held_by(self, claim: Claim) -> list[str]:
        """Return the tables of a claim that have neither passed on nor ended, in their order."""
        return [
            name for name in claim.tables if name in self.positions and self.positions[name].claim == claim
        ]

    def waiting(self, lane: Lane) -> list[str]:
        """Return the tables that no lane has and that are at a lane's stage, in their order."""
        return [
            name for name in self.positions if self._is_free(name, lane.stage) and self._is_of(name, lane)
        ]

    def _is_of(self, name: str, lane: Lane) -> bool:
        return not lane.location or self.tables[name]["location"] == lane.location

    def is_over(self, lane: Lane) -> bool:
        """Return whether nothing can come any more that the lane could take."""
        return self.is_abandoned or self.to_come(lane) == 0

    def to_come(self, lane: Lane) -> int:
        """Return how many tables no lane of the stage has taken yet, ready or not; the number never grows."""
        earlier = STAGES[: STAGES.index(lane.stage)]
        return sum(
            position.stage in earlier or (position.stage == lane.stage and position.claim is None)
            for name, position in self.positions.items()
            if self._is_of(name, lane)
        )

    def next_tables(self, lane: Lane, now: datetime) -> list[str]:
        """Return the tables that a lane can take now: one, or a unit of them for a load lane; none if none is ready.

        Args:
            lane: an idle one.
            now: with an offset.
        """
        if lane.stage == "load":
            return self._unit(now)
        # Tables that are under way already are not held by the number of those that may be.
        first = next((name for name in self.waiting(lane) if self.why_held(name) != "tables"), None)
        return [first] if first and not self.why_held(first) else []

    def why_held(self, name: str) -> str | None:
        """Return what holds back a table that no lane has, apart from lanes; None if nothing does.

        Args:
            name: the table's.
        """
        stage = self.positions[name].stage
        if stage == "load" and self._waits_for_container(name):
            return "container"
        if name not in self.begun and self._is_full:
            return "tables"
        if stage == "export" and self._is_export_too_large(name):
            return "aws_limit"
        return "ahead" if stage == "export" and self._is_far_ahead else None

    @property
    def _room(self) -> int | None:
        """How many more tables may be between their first stage and their end; None if any number."""
        most = self.caps["tables"]
        return None if most is None else max(most - self._under_way, 0)

    @property
    def _is_full(self) -> bool:
        """Return whether as many tables as may be are between their first stage and their end."""
        return self._room == 0

    def _is_export_too_large(self, name: str) -> bool:
        """Return whether AWS would refuse a table's size on top of the exports under way; one alone is never held."""
        running = self._exported_bytes.get(self.tables[name]["location"])
        return running is not None and running + (self.tables[name]["size_bytes"] or 0) > MOST_EXPORT_BYTES

    @cached_property
    def _exported_bytes(self) -> dict[str, int]:
        """The sizes of the tables whose exports are under way, by their locations."""
        sizes: dict[str, int] = {}
        for name, position in self.positions.items():
            if position.stage == "export" and position.claim:
                table = self.tables[name]
                sizes[table["location"]] = sizes.get(table["location"], 0) + (table["size_bytes"] or 0)
        return sizes

    @cached_property
    def _is_far_ahead(self) -> bool:
        """Return whether enough tables wait for the load lanes, or are being copied for them."""
        exported = [
            name
            for name, position in self.positions.items()
            if position.stage == "copy" or (position.stage == "load" and position.claim is None)
        ]
        lanes = sum(1 / self.caps["tables_per_load_run"] if self.is_small(name) else 1 for name in exported)
        return lanes > MOST_AHEAD * self.caps["load"]

    def is_small(self, name: str) -> bool:
        """Return whether a table may share a load run with others."""
        return is_small(self.tables[name]["size_bytes"], self.caps)

    def _waits_for_container(self, name: str) -> bool:
        return self.tables[name]["container"] in self._busy_containers

    def _unit(self, now: datetime) -> list[str]:
        """Return the tables of the next load run: a large one alone, or small ones once they are worth a run."""
        ready = [name for name in self.waiting(Lane("load", 0)) if not self.why_held(name)]
        seen: set[str] = set()
        for name in ready:
            location = self.tables[name]["location"]
            if not self.is_small(name):
                return [name]
            if location in seen:
                continue
            seen.add(location)
            unit = self._companions(location, ready)
            if self._is_worth_a_run(unit, now):
                return unit
        return []

    def _companions(self, location: str, ready: Sequence[str]) -> list[str]:
        """Return the ready small tables of a location, one for each container, as many as a load run takes."""
        unit: dict[str, str] = {}
        room = self._room
        for name in ready:
            table = self.tables[name]
            if not self.is_small(name) or table["location"] != location or table["container"] in unit:
                continue
            if room is not None and name not in self.begun:
                if room == 0:
                    continue
                room -= 1
            unit[table["container"]] = name
            if len(unit) == self.caps["tables_per_load_run"]:
                break
        return list(unit.values())

    def _is_worth_a_run(self, unit: Sequence[str], now: datetime) -> bool:
        if 2 * len(unit) >= self.caps["tables_per_load_run"]:
            return True
        # A table that enters here has waited from the beginning.
        since = [self.positions[name].since for name in unit]
        patience = max(self.caps["cluster_seconds"], SHORTEST_UNIT_SECONDS)
        if any(moment is None or (now - moment).total_seconds() >= patience for moment in since):
            return True
        return not any(self._is_on_its_way(name, self.tables[unit[0]]["location"]) for name in self.positions)

    def _is_on_its_way(self, name: str, location: str) -> bool:
        """Return whether a small table of a location will be ready without waiting for a load run to end."""
        is_coming = self.positions[name].stage != "load" and self.tables[name]["location"] == location
        return is_coming and self.is_small(name) and (name in self.begun or not self._is_full)

    def is_busy(self, lane: Lane) -> bool:
        """Return whether a lane has tables that have neither passed on nor ended."""
        return (lane.stage, lane.number) in self._busy_lanes

    @cached_property
    def _busy_lanes(self) -> set[tuple[LaneStage, int]]:
        return {
            (position.stage, position.claim.lane) for position in self.positions.values() if position.claim
        }

    def rank(self, lane: Lane, lanes: Iterable[Lane]) -> int:
        """Return how many idle lanes of a stage and location have a lower number than a lane."""
        others = (one for one in lanes if (one.stage, one.location) == (lane.stage, lane.location))
        return sum(1 for one in others if one.number < lane.number and not self.is_busy(one))

    def place_in_queue(self, name: str) -> int:
        """Return how many tables wait for the same lanes and go before a table that no lane has, plus 1."""
        return self._places_in_queue[name]

    @cached_property
    def _places_in_queue(self) -> dict[str, int]:
        lengths: dict[tuple[LaneStage, str], int] = {}
        places: dict[str, int] = {}
        for name, position in self.positions.items():
            if position.claim is None:
                lanes = position.stage, self.tables[name]["location"] if position.stage == "export" else ""
                places[name] = lengths[lanes] = lengths.get(lanes, 0) + 1
        return places


def lanes_of(file: QueueFile) -> list[Lane]:
    """Return the lanes of an operation: of each stage as many as its cap, and no more than tables that come to it.

    Args:
        file: the queue's.
    """
    counts: dict[str, int] = {}
    for table in file["tables"]:
        if table["enters"] == "export":
            counts[table["location"]] = counts.get(table["location"], 0) + 1
    caps = file["caps"]
    lanes: list[Lane] = []
    for location, count in counts.items():
        lanes += [
            Lane("export", len(lanes) + number, location) for number in range(min(count, caps["export"]))
        ]
    copied = sum(table["enters"] != "load" for table in file["tables"])
    lanes += [Lane("copy", number) for number in range(min(copied, caps["copy"]))]
    return [*lanes, *(Lane("load", number) for number in range(min(len(file["tables"]), caps["load"])))]
