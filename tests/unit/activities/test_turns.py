from datetime import UTC, datetime, timedelta

import pytest

from activities import turns
from activities.turns import look_at_places, look_at_start, make_room
from d2c.plan.model import MOST_EXPORT_BYTES
from d2c.state import paths
from tests.builders import a_table

from .answers import error_of, value_of

NO_SLOTS = {"exports": None, "copies": None, "loads": None}


def table(name, kind, *, slots=None, **more):
    changes = {"size_bytes": 10, "slots": {**NO_SLOTS, **(slots or {})}, **more}
    return a_table(table=name, kind=kind, **changes)


def waits_for(world, payload):
    """Return what a stage waits for, or None if it may begin."""
    look = value_of(world.answer(look_at_start, payload))
    return None if look["state"] == "succeeded" else look["progress"]["waiting"]["for"]


def clock(hour):
    """Return a window that is open, or shut, now: it begins so many hours from now and lasts one."""
    begin = datetime.now(UTC) + timedelta(hours=hour)
    texts = [(begin + timedelta(hours=hours)).strftime("%H:%M") for hours in (0, 1)]
    return {"between": texts, "time_zone": "UTC"}


class TestTimes:
    def test_a_stage_without_anything_that_holds_it_back_may_begin(self, world):
        assert waits_for(world, table("Music", "copies")) is None

    def test_a_pause_holds_every_stage_back(self, world):
        world.lake.write_json(paths.pause_path("m"), {})
        assert {waits_for(world, table("Music", kind)) for kind in NO_SLOTS} == {"pause"}

    @pytest.mark.parametrize(("hour", "reason"), [(-0.5, None), (2, "window")])
    def test_a_window_that_is_shut_holds_a_stage_back(self, world, hour, reason):
        assert waits_for(world, table("Music", "copies", times=clock(hour))) == reason

    def test_it_is_told_until_when_and_when_to_look_again_at_the_latest(self, world):
        look = value_of(world.answer(look_at_start, table("Music", "copies", times=clock(5))))
        until = datetime.fromisoformat(look["progress"]["waiting"]["until"])
        assert timedelta(hours=3.9) < until - datetime.now(UTC) < timedelta(hours=5.1)
        assert look["look_again_in_seconds"] == turns.LONGEST_WAIT_SECONDS

    @pytest.mark.parametrize(("days", "reason"), [(-1, None), (1, "start")])
    def test_a_migration_begins_at_its_time(self, world, days, reason):
        start_at = (datetime.now(UTC) + timedelta(days=days)).isoformat()
        payload = {"migration": "m", "round": 0, "times": {"start_at": start_at}}
        assert waits_for(world, payload) == reason

    def test_its_time_does_not_hold_tables_back(self, world):
        start_at = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        assert waits_for(world, table("Music", "copies", times={"start_at": start_at})) is None


class TestCancelling:
    def test_whoever_waits_for_a_cancelled_migration_is_told(self, world):
        world.cancel()
        assert error_of(world.answer(look_at_start, table("Music", "copies")), "cancelled")
        assert error_of(world.answer(look_at_start, {"migration": "m", "times": {}}), "cancelled")

    def test_of_single_tables_only_they_are_told(self, world):
        world.lake.write_json(paths.cancel_path("m"), {"tables": ["Music"]})
        error = error_of(world.answer(look_at_start, table("Music", "copies")), "cancelled")
        assert "Table Music of migration m" in error["detail"]
        assert waits_for(world, table("Films", "copies")) is None


class TestSlots:
    def test_no_more_tables_have_a_slot_than_there_are(self, world):
        reasons = [waits_for(world, table(name, "copies", slots={"copies": 2})) for name in "abc"]
        assert reasons == [None, None, "slot"]

    def test_who_looks_again_keeps_its_slot_and_its_place(self, world):
        for _ in range(3):
            assert waits_for(world, table("a", "copies", slots={"copies": 1})) is None
            assert waits_for(world, table("b", "copies", slots={"copies": 1})) == "slot"
        assert len(world.lake.read_log(paths.slots_path("m", "copies"))) == 2

    def test_a_slot_is_given_back_when_the_next_stage_asks_for_its_own(self, world):
        slots = {"exports": 1, "copies": 1}
        assert waits_for(world, table("a", "exports", slots=slots)) is None
        assert waits_for(world, table("b", "exports", slots=slots)) == "slot"
        assert waits_for(world, table("a", "copies", slots=slots)) is None
        assert waits_for(world, table("b", "exports", slots=slots)) is None

    @pytest.mark.parametrize("kind", ["exports", "copies", "loads"])
    def test_a_table_that_ended_gives_back_what_it_has(self, world, kind):
        slots = {kind: 1}
        assert waits_for(world, table("a", kind, slots=slots)) is None
        assert waits_for(world, table("b", kind, slots=slots)) == "slot"
        for _ in range(2):
            make_room(world.lake, table("a", kind, slots=slots))
        assert waits_for(world, table("b", kind, slots=slots)) is None
        assert waits_for(world, table("c", kind, slots=slots)) == "slot"

    def test_regions_have_slots_for_exports_of_their_own(self, world):
        assert waits_for(world, table("a", "exports", slots={"exports": 1})) is None
        assert waits_for(world, table("b", "exports", slots={"exports": 1}, region="eu-central-1")) is None

    def test_accounts_have_slots_for_exports_of_their_own(self, world):
        assert waits_for(world, table("a", "exports", slots={"exports": 1})) is None
        assert waits_for(world, table("b", "exports", slots={"exports": 1}, account="111122223333")) is None
        assert waits_for(world, table("c", "exports", slots={"exports": 1}, account="111122223333")) == "slot"

    def test_exports_in_flight_are_no_larger_than_dynamodb_allows(self, world):
        large = {"slots": {"exports": 50}, "size_bytes": MOST_EXPORT_BYTES * 0.6}
        assert waits_for(world, table("a", "exports", **large)) is None
        assert waits_for(world, table("b", "exports", **large)) == "slot"
        make_room(world.lake, table("a", "exports", **large))
        assert waits_for(world, table("b", "exports", **large)) is None

    def test_another_round_asks_anew(self, world):
        slots = {"copies": 1}
        assert waits_for(world, table("a", "copies", slots=slots)) is None
        make_room(world.lake, table("a", "copies", slots=slots))
        assert waits_for(world, table("a", "copies", slots=slots, round=1)) is None
        assert waits_for(world, table("b", "copies", slots=slots)) == "slot"


GROUP = {"id": "0-3", "tables": ["a", "b"]}


class TestLoadGroups:
    def load(self, name, **more):
        return table(name, "loads", load_group=GROUP, **more)

    def test_tables_that_share_a_load_run_wait_for_each_other(self, world):
        assert waits_for(world, self.load("a")) == "group"
        assert waits_for(world, self.load("b")) is None
        assert waits_for(world, self.load("a")) is None

    def test_a_table_that_ended_early_is_not_waited_for(self, world):
        assert waits_for(world, self.load("a")) == "group"
        make_room(world.lake, self.load("b"))
        assert waits_for(world, self.load("a")) is None

    def test_they_have_one_slot_together_until_the_last_has_ended(self, world):
        slots = {"loads": 1}
        waits_for(world, self.load("a", slots=slots))
        assert waits_for(world, self.load("b", slots=slots)) is None
        assert waits_for(world, self.load("a", slots=slots)) is None
        assert waits_for(world, table("other", "loads", slots=slots)) == "slot"
        make_room(world.lake, self.load("a", slots=slots))
        assert waits_for(world, table("other", "loads", slots=slots)) == "slot"
        make_room(world.lake, self.load("b", slots=slots))
        assert waits_for(world, table("other", "loads", slots=slots)) is None


class TestPlaces:
    def unit(self, number, tables):
        return {"migration": "m", "name": 0, "unit": number, "tables": tables, "max_parallel_tables": 4}

    def may_begin(self, world, number, tables):
        return value_of(world.answer(look_at_places, self.unit(number, tables)))["state"] == "succeeded"

    def test_no_more_tables_run_than_the_plan_allows(self, world):
        assert self.may_begin(world, 0, 3)
        assert not self.may_begin(world, 1, 2)
        assert not self.may_begin(world, 2, 1)
        turns.give_places_back(world.lake, self.unit(0, 3), 0)
        assert self.may_begin(world, 1, 2)
        assert self.may_begin(world, 2, 1)

    def test_a_unit_keeps_its_places_while_its_lane_looks_again(self, world):
        assert self.may_begin(world, 0, 4)
        assert not self.may_begin(world, 1, 1)
        assert self.may_begin(world, 0, 4)
