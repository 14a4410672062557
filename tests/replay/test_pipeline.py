"""The simulation of `benchmarks.pipeline` with 20 tables: what must hold for any number, whatever is lost."""

import random
from collections import Counter
from datetime import datetime

import pytest

from benchmarks.pipeline import CLUSTER, FIXED, HOUR, LARGE_TABLE, Scenario, measure, names
from benchmarks.virtual_host import BEGIN
from benchmarks.virtual_pipeline import Case, Simulation
from benchmarks.virtual_services import Times
from d2c.state.queue import Lane, Queue
from tests.builders import an_error

TABLES = names(20)
MOST_BYTES = 64 * 1024
ALL = {"state": "succeeded", "tables": {"succeeded": 20}, "error": None}


def run(**changes):
    simulation = Simulation(Case(TABLES, FIXED, **changes))
    assert simulation.run() == ALL
    return simulation


def once(simulation):
    """Return whether every table ended once and nothing was started twice, in histories that stay small."""
    ends = Counter(entry["table"] for entry in simulation.log if entry["did"] == "ended")
    assert ends == dict.fromkeys(TABLES, 1)
    assert (simulation.exports.most_starts(), simulation.copies.most_starts()) == (1, 1)
    assert simulation.databricks.loaded == dict.fromkeys(TABLES, 1)
    return max(simulation.host.largest.values()) < MOST_BYTES


def test_twenty_tables_come_near_to_what_nobody_is_faster_than():
    whole = measure(Scenario("20 tables", Case(TABLES, FIXED)), replays=True)
    assert whole.ratio < 1.45
    assert whole.most_starts == 1
    assert max(whole.longest_history, whole.own_history) < MOST_BYTES
    sooner = measure(Scenario("20 tables", Case(TABLES, FIXED)))
    assert (sooner.seconds, sooner.turns_per_table) == (whole.seconds, whole.turns_per_table)


def test_lanes_that_claim_at_once_get_different_tables():
    simulation = Simulation(Case(TABLES, FIXED))
    append, read_json = simulation.lake.append, simulation.lake.read_json
    rivals = []

    def rival_of(entry):
        """Return the input of an idle lane that would take the same tables."""
        queue = Queue(read_json(QUEUE), simulation.log)
        for lane in simulation.host.orchestrations.values():
            if lane.name != "run_lane" or lane.has_ended or lane.value["stage"] != entry["stage"]:
                continue
            number = lane.value["lane"]
            claim = queue.claim_of(Lane(entry["stage"], number), lane.value["turn"])
            if number != entry["lane"] and claim is None and not queue.is_busy(Lane(entry["stage"], number)):
                return lane.value
        return None

    def append_after_a_rival(path, entry):
        rival = rival_of(entry) if entry.get("did") == "claimed" and len(rivals) % 2 == 0 else None
        if rival:
            rivals.append(rival)
            assert simulation.call("take_tables", rival)["value"]["state"] == "taken"
            rivals.append(rival)
        append(path, entry)

    simulation.lake.append = append_after_a_rival
    assert simulation.run() == ALL
    assert once(simulation)
    queue = Queue(read_json(QUEUE), simulation.log)
    claimed = [entry for entry in simulation.log if entry["did"] == "claimed"]
    assert len(claimed) > len(queue.claims)
    assert len(rivals) > 20


QUEUE = "migrations/m/work/000000/queue.json"


def test_a_worker_that_dies_as_it_has_done_its_work_makes_nothing_happen_twice():
    seen = Counter()

    def is_lost(name, payload):
        call = (name, payload.get("table"), payload.get("stage"), payload.get("lane"), payload.get("turn"))
        seen[call] += 1
        return seen[call] == 1

    assert once(run(is_lost_call=is_lost))
    repeated = {name for name, *_ in seen}
    assert {"take_tables", "start_export", "start_copy", "start_load", "look_at_load", "pass_on"} <= repeated


@pytest.mark.parametrize("seed", range(2))
def test_whatever_is_lost_every_table_ends_once(seed):
    chance = random.Random(seed)
    assert once(run(is_lost_call=lambda name, payload: chance.random() < 0.1))


def test_a_cluster_that_is_lost_is_replaced_by_one_for_the_tables_without_a_result():
    simulation = run(is_lost_cluster=lambda number: number == 0)
    assert once(simulation)
    first, *others = simulation.databricks.tables
    loaded_first = len(first) // 2
    assert sum(map(len, others)) == len(TABLES) - loaded_first


def test_an_export_that_is_refused_holds_back_no_other_table():
    simulation = run(export_refused_until={TABLES[0]: HOUR})
    assert once(simulation)
    others = [end for table, end in simulation.ended.items() if table != TABLES[0]]
    assert max(others) < HOUR / 2
    assert HOUR < simulation.ended[TABLES[0]] < 1.5 * HOUR


def test_a_large_table_holds_back_no_small_one_and_is_held_back_by_none():
    def or_large(of, seconds):
        return lambda table: seconds if table == LARGE_TABLE else of(table)

    own = (3000.0, 2000.0, 1000.0)
    stages = zip((FIXED.export, FIXED.copy, FIXED.load), own, strict=True)
    times = Times(*[or_large(of, seconds) for of, seconds in stages], FIXED.cluster)
    simulation = Simulation(Case([LARGE_TABLE, *TABLES], times, large=frozenset({LARGE_TABLE})))
    assert simulation.run()["tables"] == {"succeeded": 21}
    assert max(simulation.ended[table] for table in TABLES) < HOUR / 2
    assert simulation.ended[LARGE_TABLE] < 1.05 * (sum(own) + CLUSTER)


def test_nothing_is_taken_during_a_pause_and_it_goes_on_at_once_afterwards():
    begin, end = 600.0, 600.0 + HOUR
    simulation = run(pause=(begin, end))
    assert once(simulation)
    times = [
        (datetime.fromisoformat(entry["at"]) - BEGIN).total_seconds()
        for entry in simulation.log
        if entry["did"] == "claimed"
    ]
    assert not [moment for moment in times if begin < moment < end]
    assert min(moment for moment in times if moment >= end) < end + 5


def test_tables_that_are_cancelled_end_as_such_and_the_others_are_migrated():
    simulation = Simulation(Case(TABLES, FIXED))
    flag = {"tables": TABLES[5:8]}
    simulation.host.after(60.0, lambda: simulation.lake.write_json("migrations/m/cancel-0.json", flag))
    assert simulation.run()["tables"] == {"cancelled": 3, "succeeded": 17}


def test_a_lane_that_cannot_take_ends_the_operation_and_leaves_no_lane_running():
    simulation = Simulation(Case(TABLES, FIXED))
    activities = simulation.host._activities
    take = activities["take_tables"]

    def take_tables(payload):
        refused = payload["stage"] == "copy" and payload["turn"] > 0
        return {"error": an_error()} if refused else take(payload)

    activities["take_tables"] = take_tables
    assert simulation.run()["state"] == "failed"
    assert all(orchestration.has_ended for orchestration in simulation.host.orchestrations.values())
