from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from threading import Barrier

import pytest

from activities.prepare import describe_container, look_at_prepare, restore_throughput, start_prepare
from d2c.clients.azure.cosmos_management import Container, Throughput
from d2c.state.container_lock import take_to_put_back
from tests.builders import a_source, a_table, an_export

from .answers import error_of, value_of

SOURCE = a_source()
TABLE = a_table(throughput={"load_ru_per_second": "auto"}, source=SOURCE, export=an_export(items=7))
EXPIRING = {**TABLE, "source": {**SOURCE, "ttl_attribute": "expires"}}
FITTING = Container(("/Artist",), None)


def manual(ru_per_second, minimum=400):
    return Throughput(ru_per_second, autoscale=False, minimum_ru_per_second=minimum, pending=False)


def autoscale(ru_per_second, minimum=1000):
    return Throughput(ru_per_second, autoscale=True, minimum_ru_per_second=minimum, pending=False)


def existing(world, throughput, container=FITTING):
    world.cosmos.container, world.cosmos.throughput = container, throughput


def asking(load="auto", after=None, table=TABLE):
    wanted = {"load_ru_per_second": load, **({"after_load_ru_per_second": after} if after else {})}
    return {**table, "throughput": wanted}


def described(world, table):
    return {**table, "described": value_of(world.answer(describe_container, table)), "attempt": 1}


def lead_to_the_end(world, table):
    """Go through prepare as the orchestrator does, and put the throughput back."""
    payload = described(world, table)
    value_of(world.answer(start_prepare, payload))
    value_of(world.answer(look_at_prepare, {**payload, "run": "created"}))
    return value_of(world.answer(restore_throughput, payload))


def record(world):
    return world.lake.read_json("containers/x/shop/music.json")


class TestDescribeContainer:
    def test_a_missing_container_is_described_as_it_has_to_become(self, world):
        assert value_of(world.answer(describe_container, TABLE)) == {
            "created": True,
            "partition_key_paths": ["/Artist"],
            "default_ttl": None,
            "before_ru_per_second": None,
            "peak_ru_per_second": 4000,
            "after_ru_per_second": 1000,
            "autoscale": False,
        }
        assert world.cosmos.created == []

    def test_it_has_time_to_live_where_the_tables_items_expire(self, world):
        assert value_of(world.answer(describe_container, EXPIRING))["default_ttl"] == -1

    def test_the_plan_may_say_the_throughput_of_the_load_and_after_it(self, world):
        description = value_of(world.answer(describe_container, asking(load=8000, after=500)))
        assert (description["peak_ru_per_second"], description["after_ru_per_second"]) == (8000, 500)

    @pytest.mark.parametrize(
        ("before", "table", "peak", "after"),
        [
            (manual(400), TABLE, 4000, 400),
            (manual(9000), TABLE, 9000, 9000),
            (manual(400), asking(load=6000, after=800), 6000, 800),
            (autoscale(1000), asking(load=4500), 5000, 1000),
            (autoscale(8000), TABLE, 8000, 8000),
            (None, TABLE, None, None),
        ],
    )
    def test_an_existing_one_is_never_scaled_down_for_the_load_and_goes_back_to_what_it_was(
        self, world, before, table, peak, after
    ):
        existing(world, before)
        description = value_of(world.answer(describe_container, table))
        assert (description["peak_ru_per_second"], description["after_ru_per_second"]) == (peak, after)
        assert description["before_ru_per_second"] == (before and before.ru_per_second)
        assert description["autoscale"] is bool(before and before.autoscale)

    def test_another_partition_key_is_refused_with_both(self, world):
        existing(world, manual(400), Container(("/tenant", "/Artist"), None))
        error = error_of(world.answer(describe_container, TABLE))
        assert (
            "shop/music has the partition key /tenant, /Artist and the plan needs /Artist" in error["detail"]
        )

    @pytest.mark.parametrize(
        ("table", "default_ttl", "words"),
        [
            (EXPIRING, None, "time to live off"),
            (EXPIRING, 60, "60 seconds"),
            (TABLE, 60, "60 seconds"),
            (TABLE, -1, "time to live on"),
        ],
    )
    def test_time_to_live_under_which_documents_would_stay_or_vanish_wrongly_is_refused(
        self, world, table, default_ttl, words
    ):
        existing(world, manual(400), Container(("/Artist",), default_ttl))
        assert words in error_of(world.answer(describe_container, table))["detail"]

    def test_time_to_live_that_documents_carry_themselves_fits(self, world):
        existing(world, manual(400), Container(("/Artist",), -1))
        assert value_of(world.answer(describe_container, EXPIRING))["default_ttl"] == -1

    def test_a_container_with_documents_is_refused_unless_the_plan_allows_it(self, world):
        existing(world, manual(400))
        world.cosmos.documents = True
        assert "holds documents already" in error_of(world.answer(describe_container, TABLE))["detail"]
        value_of(world.answer(describe_container, {**TABLE, "allow_existing_documents": True}))

    def test_in_a_shared_container_only_documents_with_the_tables_own_constants_count(self, world):
        rules = {"set": {"kind": "song", "note": "n"}, "partition_key": ["kind", "Artist"]}
        existing(world, manual(400), Container(("/kind", "/Artist"), None))
        value_of(world.answer(describe_container, {**TABLE, "rules": rules}))
        assert world.cosmos.marks == {"kind": "song"}
        world.cosmos.documents = True
        assert (
            "kind = 'song'" in error_of(world.answer(describe_container, {**TABLE, "rules": rules}))["detail"]
        )

    def test_rules_that_are_impossible_are_refused(self, world):
        error_of(world.answer(describe_container, {**TABLE, "rules": {"drop": ["Artist"]}}))

    def test_looking_changes_nothing_so_that_it_may_be_repeated(self, world):
        existing(world, manual(400))
        assert world.answer(describe_container, TABLE) == world.answer(describe_container, TABLE)
        assert (world.cosmos.changes, world.cosmos.created, world.cosmos.databases) == ([], [], set())


class TestStartPrepare:
    def test_a_missing_container_is_created_with_its_database_and_the_loads_throughput(self, world):
        assert value_of(world.answer(start_prepare, described(world, EXPIRING))) == "created"
        assert world.cosmos.databases == {"shop"}
        assert world.cosmos.created == [
            {"partition_key_paths": ["/Artist"], "default_ttl": -1, "ru_per_second": 4000}
        ]

    @pytest.mark.parametrize(
        ("before", "change"),
        [(manual(400), (4000, False)), (autoscale(1000), (4000, True))],
    )
    def test_an_existing_one_is_scaled_in_its_own_kind(self, world, before, change):
        existing(world, before)
        value_of(world.answer(start_prepare, described(world, TABLE)))
        assert world.cosmos.changes == [change]

    @pytest.mark.parametrize("before", [manual(4000), None])
    def test_one_that_has_enough_or_none_of_its_own_is_left_as_it_is(self, world, before):
        existing(world, before)
        value_of(world.answer(start_prepare, described(world, TABLE)))
        assert world.cosmos.changes == []

    @pytest.mark.parametrize("crash", ["create_database", "create_container", "change_throughput"])
    def test_a_worker_that_dies_after_any_call_is_followed_by_one_that_does_nothing_twice(self, world, crash):
        if crash == "change_throughput":
            existing(world, manual(400))
        payload = described(world, TABLE)
        world.cosmos.crashes = {crash}
        error_of(world.answer(start_prepare, payload), "transient")
        value_of(world.answer(start_prepare, payload))
        assert world.cosmos.throughput.ru_per_second == 4000
        assert len(world.cosmos.created) + len(world.cosmos.changes) == 1

    def test_documents_that_our_own_first_try_wrote_do_not_stop_a_later_one(self, world):
        payload = described(world, TABLE)
        value_of(world.answer(start_prepare, payload))
        world.cosmos.documents = True
        value_of(world.answer(start_prepare, {**payload, "attempt": 2}))

    @pytest.mark.parametrize("container", [Container(("/tenant",), None), Container(("/Artist",), 60)])
    def test_one_that_came_into_being_meanwhile_and_does_not_fit_is_refused_and_left_alone(
        self, world, container
    ):
        payload = described(world, TABLE)
        existing(world, manual(700), container)
        error_of(world.answer(start_prepare, payload))
        assert world.cosmos.changes == []

    def test_one_that_came_into_being_meanwhile_with_autoscale_is_scaled_in_its_steps(self, world):
        payload = described(world, asking(load=4500))
        existing(world, autoscale(1000))
        value_of(world.answer(start_prepare, payload))
        assert world.cosmos.changes == [(5000, True)]


class TestLookAtPrepare:
    def look(self, world, payload):
        return value_of(world.answer(look_at_prepare, {**payload, "run": "scaled"}))

    def test_growing_is_waited_for_and_not_asked_for_again(self, world):
        existing(world, manual(400))
        payload = described(world, TABLE)
        existing(world, replace(manual(400), pending=True))
        progress = {"ru_per_second": 400, "wanted_ru_per_second": 4000}
        assert self.look(world, payload) == {"state": "running", "progress": progress}
        assert world.cosmos.changes == []

    def test_throughput_that_is_less_than_asked_for_is_asked_for_again_although_nothing_is_pending(
        self, world
    ):
        existing(world, manual(400))
        payload = described(world, TABLE)
        assert self.look(world, payload)["state"] == "running"
        assert world.cosmos.changes == [(4000, False)]
        assert self.look(world, payload) == {"state": "succeeded", "result": {"peak_ru_per_second": 4000}}

    @pytest.mark.parametrize(("throughput", "peak"), [(manual(4000), 4000), (manual(9000), 9000)])
    def test_it_is_done_once_there_is_enough_and_nothing_is_pending(self, world, throughput, peak):
        payload = described(world, TABLE)
        existing(world, throughput)
        assert self.look(world, payload) == {"state": "succeeded", "result": {"peak_ru_per_second": peak}}

    def test_a_container_without_throughput_of_its_own_is_ready_at_once(self, world):
        existing(world, None)
        payload = described(world, TABLE)
        assert self.look(world, payload) == {"state": "succeeded", "result": {"peak_ru_per_second": None}}


class TestRestoreThroughput:
    @pytest.mark.parametrize(
        ("before", "table", "after"),
        [
            (None, TABLE, 1000),
            (None, asking(after=500), 500),
            (manual(400), TABLE, 400),
            (manual(9000), TABLE, 9000),
            (manual(400), asking(after=800), 800),
            (autoscale(2000), TABLE, 2000),
            (autoscale(2000), asking(after=1500), 2000),
            (autoscale(2000), asking(after=400), 1000),
        ],
    )
    def test_it_is_what_the_plan_wants_or_what_it_was(self, world, before, table, after):
        if before:
            existing(world, before)
        assert lead_to_the_end(world, table) == {"after_ru_per_second": after}
        assert world.cosmos.throughput.ru_per_second == after

    def test_a_container_without_throughput_of_its_own_stays_so(self, world):
        existing(world, None)
        assert lead_to_the_end(world, TABLE) == {"after_ru_per_second": None}
        assert world.cosmos.changes == []

    @pytest.mark.parametrize(("minimum", "after"), [(1000, 1000), (1050, 1100)])
    def test_it_does_not_fall_below_what_the_service_allows_by_then(self, world, minimum, after):
        existing(world, manual(400))
        payload = described(world, TABLE)
        existing(world, manual(100_000, minimum=minimum))
        assert value_of(world.answer(restore_throughput, payload)) == {"after_ru_per_second": after}

    def test_throughput_that_was_never_raised_is_left_as_it_was(self, world):
        existing(world, manual(400))
        payload = described(world, TABLE)
        assert value_of(world.answer(restore_throughput, payload)) == {"after_ru_per_second": 400}
        assert world.cosmos.changes == []

    def test_a_container_that_was_never_created_is_not_missed(self, world):
        assert value_of(world.answer(restore_throughput, described(world, TABLE))) == {
            "after_ru_per_second": None
        }

    def test_a_container_that_came_into_being_meanwhile_and_does_not_fit_is_left_alone(self, world):
        payload = described(world, TABLE)
        existing(world, manual(700), Container(("/tenant",), None))
        assert value_of(world.answer(restore_throughput, payload)) == {"after_ru_per_second": None}
        assert world.cosmos.changes == []

    def test_it_is_put_back_for_a_cancelled_migration_too(self, world):
        existing(world, manual(400))
        payload = described(world, TABLE)
        value_of(world.answer(start_prepare, payload))
        world.cancel("m")
        assert value_of(world.answer(restore_throughput, payload)) == {"after_ru_per_second": 400}

    def test_a_worker_that_dies_after_asking_is_followed_by_one_that_asks_no_more(self, world):
        existing(world, manual(400))
        payload = described(world, TABLE)
        value_of(world.answer(start_prepare, payload))
        world.cosmos.crashes = {"change_throughput"}
        error_of(world.answer(restore_throughput, payload), "transient")
        assert value_of(world.answer(restore_throughput, payload)) == {"after_ru_per_second": 400}
        assert world.cosmos.changes == [(4000, False), (400, False)]


class TestWhoHasTheContainer:
    def test_it_is_taken_before_anything_is_changed_with_what_it_goes_back_to(self, world):
        existing(world, manual(400))
        value_of(world.answer(describe_container, asking(load=8000, after=500)))
        kept = record(world)
        assert datetime.fromisoformat(kept.pop("taken_at")).tzinfo
        assert kept == {
            "migration": "m",
            "table": "Music",
            "round": 0,
            "database": "shop",
            "container": "music",
            "created": False,
            "partition_key_paths": ["/Artist"],
            "default_ttl": None,
            "before_ru_per_second": 400,
            "peak_ru_per_second": 8000,
            "after_ru_per_second": 500,
            "autoscale": False,
        }
        assert world.cosmos.changes == []

    @pytest.mark.parametrize("throughput", [manual(400), None])
    def test_it_is_free_again_once_its_throughput_is_put_back(self, world, throughput):
        existing(world, throughput)
        lead_to_the_end(world, TABLE)
        assert record(world) is None

    def test_another_migrations_table_is_refused_with_who_has_it_and_what_to_do(self, world):
        existing(world, manual(400))
        value_of(world.answer(describe_container, TABLE))
        error = error_of(world.answer(describe_container, {**TABLE, "migration": "other", "table": "Songs"}))
        assert "shop/music is being loaded by the migration m, for its table Music" in error["detail"]
        assert "cancel m" in error["next_step"]
        assert record(world)["table"] == "Music"

    def test_nor_may_another_migration_prepare_what_an_earlier_round_of_it_described(self, world):
        existing(world, manual(400))
        value_of(world.answer(describe_container, TABLE))
        late = {**TABLE, "migration": "other", "round": 1, "described": {"peak_ru_per_second": 4000}}
        error_of(world.answer(start_prepare, late))
        assert value_of(world.answer(restore_throughput, late)) == {"after_ru_per_second": None}
        assert (world.cosmos.changes, record(world)["migration"]) == ([], "m")

    def test_of_many_migrations_at_once_exactly_one_gets_it(self, world):
        existing(world, manual(400))
        many = [{**TABLE, "migration": f"m-{number}"} for number in range(16)]
        together = Barrier(len(many))

        def describe(table):
            together.wait()
            return world.answer(describe_container, table)

        with ThreadPoolExecutor(len(many)) as threads:
            answers = list(threads.map(describe, many))
        (winner,) = [
            table["migration"] for table, answer in zip(many, answers, strict=True) if "value" in answer
        ]
        assert record(world)["migration"] == winner
        assert {error_of(answer)["title"] for answer in answers if "error" in answer} == {
            "Another migration loads the container"
        }

    @pytest.mark.parametrize("change", [{"table": "Songs"}, {"round": 1}, {}])
    def test_the_same_migration_takes_it_over_with_what_it_was_before_anyone_scaled_it(self, world, change):
        existing(world, manual(400))
        value_of(world.answer(start_prepare, described(world, TABLE)))
        assert world.cosmos.throughput.ru_per_second == 4000
        payload = described(world, {**TABLE, **change})
        assert payload["described"]["before_ru_per_second"] == 400
        value_of(world.answer(start_prepare, payload))
        assert value_of(world.answer(restore_throughput, payload)) == {"after_ru_per_second": 400}
        assert record(world) is None

    def test_a_crash_while_it_is_created_and_another_look_still_know_that_it_was_not_there(self, world):
        payload = described(world, TABLE)
        world.cosmos.crashes = {"create_container"}
        error_of(world.answer(start_prepare, payload), "transient")
        again = described(world, TABLE)
        assert again["described"] == payload["described"]
        assert value_of(world.answer(restore_throughput, again)) == {"after_ru_per_second": 1000}

    @pytest.mark.parametrize(
        "trouble",
        [{"container": Container(("/tenant",), None)}, {"documents": True}, {"rules": {"drop": ["Artist"]}}],
    )
    def test_a_container_that_is_refused_is_not_kept(self, world, trouble):
        existing(world, manual(400), trouble.get("container", FITTING))
        world.cosmos.documents = trouble.get("documents", False)
        error_of(world.answer(describe_container, {**TABLE, "rules": trouble.get("rules", {})}))
        assert record(world) is None

    def test_one_that_may_be_scaled_is_kept_when_the_next_table_is_refused(self, world):
        existing(world, manual(400))
        value_of(world.answer(start_prepare, described(world, TABLE)))
        world.cosmos.documents = True
        error_of(world.answer(describe_container, {**TABLE, "table": "Songs"}))
        assert (record(world)["table"], record(world)["before_ru_per_second"]) == ("Songs", 400)

    def test_a_retry_takes_it_again_by_what_the_earlier_round_described(self, world):
        existing(world, manual(400))
        payload = described(world, TABLE)
        lead_to_the_end(world, TABLE)
        value_of(world.answer(start_prepare, {**payload, "round": 1}))
        kept = record(world)
        assert (kept["round"], kept["before_ru_per_second"]) == (1, 400)
        assert world.cosmos.throughput.ru_per_second == 4000

    def test_throughput_that_cannot_be_put_back_leaves_the_record(self, world):
        existing(world, manual(400))
        payload = described(world, TABLE)
        value_of(world.answer(start_prepare, payload))
        world.cosmos.crashes = {"change_throughput"}
        error_of(world.answer(restore_throughput, payload), "transient")
        assert record(world)["before_ru_per_second"] == 400

    def test_while_it_is_put_back_for_one_that_broke_off_others_wait(self, world):
        existing(world, manual(400))
        value_of(world.answer(describe_container, TABLE))
        taken = take_to_put_back(world.lake, "containers/x/shop/music.json", record(world))
        assert taken["before_ru_per_second"] == 400
        for late in (TABLE, {**TABLE, "table": "Songs"}):
            error_of(world.answer(describe_container, late), "transient")

    def test_what_changed_hands_is_not_put_back_for_who_had_it(self, world):
        existing(world, manual(400))
        value_of(world.answer(describe_container, TABLE))
        before = record(world)
        value_of(world.answer(describe_container, {**TABLE, "table": "Songs"}))
        assert take_to_put_back(world.lake, "containers/x/shop/music.json", before) is None
        assert "being_put_back" not in record(world)
