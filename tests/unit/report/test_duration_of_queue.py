"""The simulated pipeline takes what the queue of a migration gives to its lanes."""

from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from random import Random

import pytest

from d2c.plan import caps as plan_caps
from d2c.plan.tables import Location
from d2c.report.duration import Way, duration_of
from d2c.state import queue as queues
from d2c.state.queue import Queue, lanes_of

BEGIN = datetime(2026, 12, 1, tzinfo=UTC)
SMALL_BYTES = 100


def drawn(seed):
    """Return tables with drawn sizes, seconds, places and containers."""
    random = Random(seed)
    containers = 30 if seed % 2 else 12
    return [
        Way(
            Location(None, random.choice(["eu-west-1", "us-east-1"])),
            f"shop/{random.randrange(containers)}",
            size := random.choice([1, 1, 1, 1000]),
            size < SMALL_BYTES,
            *(random.randrange(20, most) for most in (600, 300, 40, 90)),
        )
        for _ in range(30)
    ]


def drawn_caps(seed):
    random = Random(seed)
    return {
        "export": random.choice([1, 4, 20]),
        "copy": random.choice([1, 3, 20]),
        "load": random.choice([1, 2, 4]),
        "tables_per_load_run": random.choice([1, 4, 10]),
        "share_load_run_below_bytes": SMALL_BYTES,
        "tables": random.choice([None, None, 5]),
        "cluster_seconds": random.choice([0, 120]),
    }


def lived(ways, caps):
    """Return how long the tables take if lanes look at the queue whenever something has happened."""
    file = {
        "caps": caps,
        "times": {},
        "tables": [
            {
                "table": str(number),
                "location": way.location.region,
                "container": way.container,
                "size_bytes": way.size_bytes,
                "items": None,
                "enters": "export",
            }
            for number, way in enumerate(ways)
        ],
    }
    # The simulation gives to load lanes first, and a lane of one kind is as good as another.
    lanes = sorted(lanes_of(file), key=lambda lane: ("load", "copy", "export").index(lane.stage))
    entries, events, busy_until, turns, now, runs = [], [], {}, {}, 0, 0

    def at(moment, entry=None):
        heappush(events, (moment, len(entries) + len(events), len(events), entry))

    def moment(seconds):
        return BEGIN + timedelta(seconds=seconds)

    def claim(lane, names):
        nonlocal runs
        turns[lane] = turns.get(lane, 0) + 1
        entries.append(
            {"did": "claimed", "stage": lane.stage, "lane": lane.number, "turn": turns[lane], "tables": names}
            | {"at": moment(now).isoformat()}
        )
        ways_of = [ways[int(name)] for name in names]
        ends = now
        if lane.stage == "load":
            runs += 1
            ends += max(way.prepare for way in ways_of) + caps["cluster_seconds"]
        for name, way in zip(names, ways_of, strict=True):
            ends += getattr(way, lane.stage)
            did = "ended" if lane.stage == "load" else "passed"
            at(ends, {"did": did, "stage": lane.stage, "table": name, "state": "succeeded"})
        busy_until[lane] = ends

    def take():
        has_taken = True
        while has_taken:
            has_taken, queue = False, Queue(file, entries)
            for lane in lanes:
                if busy_until.get(lane, 0) <= now:
                    names = queue.next_tables(lane, moment(now))
                    if names:
                        claim(lane, names)
                        has_taken = True
                        break

    ended_at = 0
    take()
    while events:
        now = events[0][0]
        while events and events[0][0] == now:
            *_, entry = heappop(events)
            if entry:
                entries.append({**entry, "at": moment(now).isoformat()})
                ended_at = now
                if entry["did"] == "passed" and entry["stage"] == "copy":
                    at(now + max(caps["cluster_seconds"], queues.SHORTEST_UNIT_SECONDS))
        take()
    assert len(Queue(file, entries).ends) == len(ways)
    return ended_at, runs


@pytest.mark.parametrize("seed", [*range(8), 110, 147, 153])
def test_the_simulation_takes_what_the_queue_gives(seed):
    ways, caps = drawn(seed), drawn_caps(seed)
    assert duration_of(ways, caps) == lived(ways, caps)


def test_both_keep_to_the_same_rules():
    assert plan_caps.SHORTEST_UNIT_SECONDS == queues.SHORTEST_UNIT_SECONDS
    assert plan_caps.MOST_AHEAD == queues.MOST_AHEAD
