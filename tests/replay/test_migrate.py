import pytest

from orchestrators import lane, migrate, run_to_its_end
from tests.builders import an_error, the_waits
from tests.replay.lanes import Units
from tests.replay.world import World, orchestrator_functions

WAITS = the_waits()
ASKED = {"migration": "m", "round": 0, "times": {}, "waits": WAITS}
GO = {"value": {"state": "succeeded", "result": True}}


def error(detail="it broke", **marks):
    return an_error(detail=detail, **marks)


def world(units, lanes_wanted, states=None, **changes):
    """Return a world in which each table's migration ends in a given state, or raises as a defect does."""

    def migrate_table(context):
        table = context.get_input()["table"]
        yield context.call_activity("note", {"table": table, "instance": context.instance_id})
        state = (states or {}).get(table, "succeeded")
        if state == "raises":
            raise ValueError(table)
        return {"table": table, "state": state, "error": error(table) if state == "failed" else None}

    count = sum(len(unit["tables"]) for unit in units.units)
    activities = {
        "look_at_start": lambda payload: GO,
        "look_at_places": lambda payload: GO,
        "list_tables": lambda payload: {"value": {"tables": count, "lanes": lanes_wanted}},
        "take_unit": units.take,
        "note": lambda payload: None,
        "write_report": lambda payload: {"value": {"state": payload["state"], "tables": {"all": count}}},
        **changes,
    }
    known = {**orchestrator_functions(lane, run_to_its_end, migrate), "migrate_table": migrate_table}
    return World(activities, known)


def migrated(here):
    return [payload["table"] for payload in here.called("note")]


@pytest.mark.parametrize("lane_count", [1, 2, 5])
def test_every_table_is_migrated_once_and_the_report_written(lane_count):
    here = world(Units("abcde"), lane_count)
    end = here.run("migrate", ASKED)
    assert (end["state"], end["error"]) == ("succeeded", None)
    assert sorted(migrated(here)) == list("abcde")
    assert here.called("write_report") == [{"migration": "m", "state": "succeeded", "error": None}]


def test_units_are_taken_in_their_order():
    here = world(Units("abcde"), 1)
    here.run("migrate", ASKED)
    assert migrated(here) == list("abcde")


@pytest.mark.parametrize("together", [False, True])
def test_all_tables_of_a_unit_are_migrated(together):
    here = world(Units(["abc", "de"], together=together), 2)
    here.run("migrate", ASKED)
    assert sorted(migrated(here)) == list("abcde")


def test_tables_and_lanes_run_under_ids_made_of_the_migrations_the_tables_and_the_rounds():
    here = world(Units("a"), 1)
    here.run("migrate", {**ASKED, "round": 2})
    assert {"m:a:2", "m::lane-2-0"} <= here.instances.keys()


def test_a_lanes_history_does_not_grow_with_the_number_of_units():
    few, many = (world(Units([[f"t{n}"] for n in range(count)]), 1) for count in (5, 200))
    for here in (few, many):
        here.run("run_lane", {"lane": 0, "turn": 0, "states": {}, "error": None, **work()})
    assert many.longest_history == few.longest_history


def work():
    shared = {"migration": "m", "name": 0, "folder": "f", "waits": WAITS, "shared": {}}
    return {**shared, "orchestration": "migrate_table"}


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        ({"a": "failed", "c": "cancelled"}, "failed"),
        ({"a": "cancelled"}, "cancelled"),
        ({"b": "raises"}, "failed"),
    ],
)
@pytest.mark.parametrize("together", [False, True])
def test_a_table_that_ends_badly_does_not_stop_the_others_and_the_end_tells(states, whole, together):
    here = world(Units(["ab", "c"], together=together), 1, states)
    assert here.run("migrate", ASKED)["state"] == whole
    assert sorted(migrated(here)) == list("abc")


def test_a_report_that_cannot_be_written_fails_the_migration_with_its_reason():
    here = world(Units("a"), 1, write_report=lambda payload: {"error": error("lake is full")})
    end = here.run("migrate", ASKED)
    assert (end["state"], end["error"]["detail"]) == ("failed", "lake is full")


def test_tables_that_cannot_be_listed_fail_the_migration_and_the_report_tells_why():
    here = world(Units("a"), 1, list_tables=lambda payload: {"error": error("no such pattern")})
    end = here.run("migrate", ASKED)
    assert (end["state"], end["error"]["detail"]) == ("failed", "no such pattern")
    (report,) = here.called("write_report")
    assert (report["state"], report["error"]["detail"]) == ("failed", "no such pattern")
    assert migrated(here) == []


def test_a_lane_that_cannot_go_on_fails_the_migration():
    here = world(Units("ab"), 1, take_unit=lambda payload: {"error": error("lake is away")})
    assert here.run("migrate", ASKED)["state"] == "failed"


def test_a_migration_waits_until_its_time_has_come():
    waiting = {"waiting": {"for": "start", "until": "2026-06-02T00:00:00+00:00"}}
    looks = iter([{"value": {"state": "running", "progress": waiting}}] * 3)
    here = world(Units("a"), 1, look_at_start=lambda payload: next(looks, GO))
    assert here.run("migrate", ASKED)["state"] == "succeeded"
    assert here.statuses[0] == waiting
    assert "m::start-0" in here.instances


def test_a_migration_that_is_cancelled_before_its_time_ends_as_cancelled_with_a_report():
    waiting = {"value": {"state": "running", "progress": {"waiting": {"for": "pause", "until": None}}}}
    looks = iter([waiting])
    here = world(
        Units("a"), 1, look_at_start=lambda payload: next(looks, {"error": error("x", cancelled=True)})
    )
    assert here.run("migrate", ASKED)["state"] == "cancelled"
    assert here.called("write_report")[0]["state"] == "cancelled"
    assert migrated(here) == []


def test_a_unit_waits_for_places_for_all_its_tables():
    looks = iter(
        [{"value": {"state": "running", "progress": {"waiting": {"for": "slot", "until": None}}}}] * 2
    )
    units = Units(["abc"], together=True, most=3)
    here = world(units, 1, look_at_places=lambda payload: next(looks, GO))
    assert here.run("migrate", ASKED)["state"] == "succeeded"
    payloads = here.called("look_at_places")
    assert len(payloads) == 3
    assert (payloads[0]["tables"], payloads[0]["max_parallel_tables"]) == (3, 3)
    names = [name for name, _ in here.calls]
    assert names.index("note") > len(names) - 1 - names[::-1].index("look_at_places")


def test_the_tables_of_a_cancelled_migration_need_no_places_to_end():
    units = Units(["ab"], together=True, most=2)
    states = dict.fromkeys("ab", "cancelled")
    here = world(units, 1, states, look_at_places=lambda payload: {"error": error(cancelled=True)})
    assert here.run("migrate", ASKED)["state"] == "cancelled"
    assert sorted(migrated(here)) == list("ab")
