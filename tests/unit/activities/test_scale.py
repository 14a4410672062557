from dataclasses import replace
from datetime import datetime

import pytest

from d2c.clients.azure.cosmos.management import Container
from d2c.errors import BusyError, TransientError
from d2c.state import paths
from d2c.state.container_lock import take_to_put_back
from tests.builders import a_described

from .answers import error_of, value_of
from .containers import (
    ASSESSED,
    EXPIRING,
    LOCK,
    SHARED,
    SHARING,
    TABLE,
    asking,
    autoscale,
    dying_before_it_asks,
    existing,
    held_by,
    lock,
    manual,
    prepare,
    prepared,
    put_unit,
    raising,
    scale,
    scaled,
)
from .queues import ends_of, file_of, record_of

RUNNING = {"state": "running", "progress": {"tables": 1}}
DONE = {"state": "succeeded", "result": 1}


class TestDescribingAgain:
    def test_what_somebody_wrote_while_it_was_assessed_is_not_overwritten(self, world):
        existing(world, manual(400))
        prepared(world)
        world.cosmos.documents = True
        value_of(scale(world))
        assert ends_of(world) == {"Music": "failed"}
        error = record_of(world)["error"]
        assert ("holds documents already" in error["detail"], error["stage"]) == (True, "load")
        assert (world.cosmos.changes, lock(world)) == ([], None)

    def test_what_it_goes_back_to_is_what_it_has_just_before_it_is_scaled(self, world):
        existing(world, manual(400))
        prepared(world)
        existing(world, manual(700))
        value_of(scale(world))
        assert file_of(world)["described"]["before_ru_per_second"] == 700

    def test_one_that_holds_what_an_earlier_operation_wrote_keeps_its_description(self, world):
        existing(world, manual(400))
        kept = a_described(created=False, before_ru_per_second=400, after_ru_per_second=400)
        world.cosmos.documents = True
        prepared(world, {**TABLE, "described": kept, "may_have_written": True})
        value_of(scale(world))
        assert (ends_of(world), file_of(world)["described"]) == ({}, kept)
        assert lock(world)["before_ru_per_second"] == 400


class TestAsking:
    def test_a_missing_container_is_created_with_its_database_and_the_loads_throughput(self, world):
        scaled(world, EXPIRING)
        assert world.cosmos.databases == {"shop"}
        (created,) = world.cosmos.created
        assert (created["partition_key_paths"], created["default_ttl"]) == (["/Artist"], -1)
        assert created["ru_per_second"] == 4000

    @pytest.mark.parametrize("crash", [None, "create_database", "create_container"])
    def test_one_that_shares_is_created_without_its_own_in_a_database_that_has_some(self, world, crash):
        prepared(world, {**SHARING, "assessed": ASSESSED})
        if crash:
            world.cosmos.crashes = {crash}
            error_of(scale(world), "transient")
        value_of(scale(world))
        (created,) = world.cosmos.created
        assert (created["ru_per_second"], world.cosmos.shared.ru_per_second) == (None, 1200)
        assert (ends_of(world), world.cosmos.changes) == ({}, [])

    def test_a_table_that_does_not_share_leaves_the_database_to_those_that_do(self, world):
        scaled(world, {**TABLE, "throughput": {**TABLE["throughput"], "database": SHARED}})
        assert world.cosmos.shared.ru_per_second == 1200
        assert world.cosmos.created[0]["ru_per_second"] == 4000

    def test_the_lock_says_what_to_put_back_before_anything_is_changed(self, world):
        existing(world, manual(400))
        prepared(world, asking(load=8000, after=500))
        dying_before_it_asks(world)
        kept = lock(world)
        assert datetime.fromisoformat(kept["taken_at"]).tzinfo
        assert (kept["migration"], kept["table"], kept["operation"]) == ("m", "Music", 0)
        throughput = [kept[f"{name}_ru_per_second"] for name in ("before", "peak", "after")]
        assert (throughput, world.cosmos.changes) == ([400, 8000, 500], [])

    @pytest.mark.parametrize(
        ("before", "change"),
        [(manual(400), (4000, False)), (autoscale(1000), (4000, True))],
    )
    def test_an_existing_one_is_scaled_in_its_own_kind(self, world, before, change):
        existing(world, before)
        scaled(world)
        assert world.cosmos.changes == [change]

    @pytest.mark.parametrize("before", [manual(4000), None])
    def test_one_that_has_enough_or_none_of_its_own_is_left_as_it_is(self, world, before):
        existing(world, before)
        scaled(world)
        assert world.cosmos.changes == []

    def test_a_small_table_loads_with_what_its_container_keeps_so_that_nothing_is_updated(self, world):
        existing(world, manual(700))
        scaled(world, asking())
        assert world.cosmos.changes == []

    def test_an_account_that_accepts_no_more_updates_for_now_is_waited_for(self, world):
        existing(world, manual(400))
        busy = BusyError("The account accepts no more updates.", "Retrying.")
        change, world.cosmos.change_throughput = world.cosmos.change_throughput, raising(busy)
        prepared(world)
        assert error_of(scale(world), "transient")["busy"]
        world.cosmos.change_throughput = change
        value_of(scale(world))
        assert (world.cosmos.changes, ends_of(world)) == ([(4000, False)], {})

    @pytest.mark.parametrize("crash", ["create_database", "create_container", "change_throughput"])
    def test_a_worker_that_dies_after_any_call_is_followed_by_one_that_does_nothing_twice(self, world, crash):
        if crash == "change_throughput":
            existing(world, manual(400))
        prepared(world)
        world.cosmos.crashes = {crash}
        error_of(scale(world), "transient")
        value_of(scale(world))
        assert world.cosmos.throughput.ru_per_second == 4000
        assert len(world.cosmos.created) + len(world.cosmos.changes) == 1

    def test_documents_that_our_own_first_try_wrote_do_not_stop_a_later_one(self, world):
        scaled(world)
        world.cosmos.documents = True
        assert value_of(scale(world)) == DONE
        assert ends_of(world) == {}

    @pytest.mark.parametrize("container", [Container(("/tenant",), None), Container(("/Artist",), 60)])
    @pytest.mark.parametrize("is_late", [False, True])
    def test_one_that_came_into_being_meanwhile_and_does_not_fit_is_refused_and_left_alone(
        self, world, container, is_late
    ):
        prepared(world)
        if is_late:
            dying_before_it_asks(world)
        existing(world, manual(700), container)
        value_of(scale(world))
        assert ends_of(world) == {"Music": "failed"}
        assert world.cosmos.changes == []

    def test_one_that_came_into_being_meanwhile_with_autoscale_is_scaled_in_its_steps(self, world):
        prepared(world, asking(load=4500))
        dying_before_it_asks(world)
        existing(world, autoscale(1000))
        value_of(scale(world))
        assert world.cosmos.changes == [(5000, True)]


class TestWaiting:
    def test_growing_is_waited_for_and_not_asked_for_again(self, world):
        existing(world, manual(400))
        prepared(world)
        dying_before_it_asks(world)
        existing(world, replace(manual(4000), pending=True))
        assert [value_of(scale(world)), value_of(scale(world))] == [RUNNING] * 2
        assert world.cosmos.changes == []

    def test_throughput_that_is_less_than_asked_for_is_asked_for_again_although_nothing_is_pending(
        self, world
    ):
        existing(world, manual(400))
        scaled(world)
        put_unit(world, {**file_of(world), "is_scaled": False})
        existing(world, manual(400))
        assert value_of(scale(world)) == RUNNING
        assert world.cosmos.changes == [(4000, False), (4000, False)]
        assert value_of(scale(world)) == DONE

    @pytest.mark.parametrize("throughput", [manual(4000), manual(9000), None])
    def test_it_is_done_once_there_is_enough_and_nothing_is_pending(self, world, throughput):
        prepared(world)
        dying_before_it_asks(world)
        existing(world, throughput)
        assert value_of(scale(world)) == DONE

    def test_one_that_is_ready_is_not_looked_at_again(self, world):
        scaled(world)
        before = dict(world.lake.files)
        world.cosmos.find_container = None
        assert value_of(scale(world)) == DONE
        assert world.lake.files == before

    def test_only_failures_in_a_row_count(self, world):
        prepared(world)
        find = world.cosmos.find_container
        world.cosmos.find_container = raising(TransientError("no answer", "Retrying."))
        error_of(scale(world), "transient")
        assert file_of(world)["failures"] == 1
        world.cosmos.find_container = find
        existing(world, replace(manual(4000), pending=True))
        assert value_of(scale(world)) == RUNNING
        assert file_of(world)["failures"] == 0

    def test_a_table_that_is_cancelled_ends_and_its_container_goes_back(self, world):
        existing(world, manual(400))
        other = {**TABLE, "table": "Songs", "container": "songs"}
        put_unit(world, TABLE, other)
        value_of(prepare(world))
        existing(world, replace(manual(400), pending=True))
        value_of(scale(world))
        existing(world, manual(4000))
        world.cancel("Music")
        value_of(scale(world))
        assert ends_of(world) == {"Music": "cancelled"}
        assert (400, False) in world.cosmos.changes


class TestWhoHasTheContainer:
    def test_a_crash_while_it_is_created_and_another_look_still_know_that_it_was_not_there(self, world):
        prepared(world)
        world.cosmos.crashes = {"create_container"}
        error_of(scale(world), "transient")
        before = file_of(world)["described"]
        assert prepared(world, {**TABLE, "assessed": ASSESSED}) == before
        assert file_of(world)["may_be_scaled"]

    def test_a_retry_takes_it_again_by_what_the_earlier_operation_described(self, world):
        existing(world, manual(400))
        kept = a_described(created=False, before_ru_per_second=400, after_ru_per_second=400)
        put_unit(world, {**TABLE, "described": kept, "may_have_written": True}, operation=1)
        value_of(prepare(world, operation=1, kind="retry"))
        value_of(scale(world, operation=1, kind="retry"))
        assert (lock(world)["operation"], lock(world)["before_ru_per_second"]) == (1, 400)
        assert world.cosmos.throughput.ru_per_second == 4000

    def test_while_it_is_put_back_for_one_that_broke_off_others_wait(self, world):
        existing(world, manual(400))
        scaled(world)
        taken = take_to_put_back(world.lake, LOCK, lock(world))
        assert taken["before_ru_per_second"] == 400
        for late in (TABLE, {**TABLE, "table": "Songs"}):
            put_unit(world, late)
            error_of(prepare(world), "transient")

    def test_what_changed_hands_is_not_put_back_for_who_had_it(self, world):
        existing(world, manual(400))
        scaled(world)
        before = lock(world)
        held_by(world, table="Songs")
        assert take_to_put_back(world.lake, LOCK, before) is None
        assert "being_put_back" not in lock(world)

    def test_what_nothing_was_asked_of_is_not_changed_as_its_table_ends(self, world):
        existing(world, manual(400))
        put_unit(world, asking(load=8000, after=500), {**TABLE, "table": "Songs", "container": "songs"})
        value_of(prepare(world))
        world.cancel("Music")
        value_of(scale(world))
        assert (ends_of(world), lock(world)) == ({"Music": "cancelled"}, None)
        assert record_of(world)["restored"] == {"after_ru_per_second": None}
        assert (500, False) not in world.cosmos.changes
        assert world.lake.exists(paths.MigrationFiles("m").table("Music").record)
