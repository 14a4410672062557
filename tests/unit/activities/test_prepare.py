from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from threading import Barrier

import pytest

from activities.prepare import look_at_prepare, start_prepare
from activities.unit import MOST_FAILURES
from d2c.clients.azure.cosmos_management import Container, Throughput
from d2c.errors import BusyError, PermanentError, TransientError
from d2c.state import paths
from d2c.state.container_lock import take_container, take_to_put_back
from d2c.state.operations import retried_input
from tests.builders import a_claim, a_described, a_lane, a_source, a_table, an_end, an_export

from .answers import error_of, value_of
from .fakes import CrashError
from .queues import ends_of, file_of, put_queue, record_of, tell

SOURCE = a_source()
TABLE = a_table(throughput={"load_ru_per_second": 4000}, source=SOURCE, export=an_export(items=7))
EXPIRING = {**TABLE, "source": {**SOURCE, "ttl_attribute": "expires"}}
FITTING = Container(("/Artist",), None)
LOCK = "containers/x/shop/music.json"


def manual(ru_per_second, minimum=400):
    return Throughput(ru_per_second, autoscale=False, minimum_ru_per_second=minimum, pending=False)


def autoscale(ru_per_second, minimum=1000):
    return Throughput(ru_per_second, autoscale=True, minimum_ru_per_second=minimum, pending=False)


def existing(world, throughput, container=FITTING):
    world.cosmos.container, world.cosmos.throughput = container, throughput


def asking(load="auto", after=None, table=TABLE):
    wanted = {"load_ru_per_second": load, **({"after_load_ru_per_second": after} if after else {})}
    return {**table, "throughput": wanted}


def put_unit(world, *tables, operation=0):
    """Let the first load lane have these tables."""
    put_queue(world, *tables, enters="load", operation=operation)
    tell(world, a_claim("load", *(table["table"] for table in tables)), operation=operation)


def start(world, **more):
    """Do the first step."""
    value_of(world.answer(start_prepare, a_lane("load", attempt=1, **more)))
    return world.answer(look_at_prepare, a_lane("load", attempt=1, run="prepare", **more))


def look(world, **more):
    return value_of(world.answer(look_at_prepare, a_lane("load", attempt=1, run="prepare", **more)))


def prepared(world, table=TABLE):
    """Begin to prepare the container of a table; the result is how it was described."""
    put_unit(world, table)
    value_of(start(world))
    assert ends_of(world) == {}
    return file_of(world)["described"]


def described(world, table=TABLE):
    """Let a container be described, and the worker die before it asks for anything."""
    find, calls = world.cosmos.find_container, []

    def find_once(*names):
        calls.append(names)
        if len(calls) > 1:
            raise CrashError
        return find(*names)

    world.cosmos.find_container = find_once
    put_unit(world, table)
    error_of(start(world), "transient")
    world.cosmos.find_container = find
    return file_of(world)["described"]


def refused(world, table=TABLE):
    """Return the error of a table whose container is refused."""
    put_unit(world, table)
    value_of(start(world))
    assert ends_of(world) == {table["table"]: "failed"}
    error = record_of(world, table["table"])["error"]
    assert error["stage"] == "prepare"
    return error


def raising(error):
    def call(*_, **__):
        raise error

    return call


def lock(world):
    return world.lake.read_json(LOCK)


def held_by(world, **changes):
    """Let the container be locked by another table, or another migration."""
    own = {"migration": "m", "table": "Songs", "operation": 0, "database": "shop", "container": "music"}
    world.lake.write_json(LOCK, {**own, **changes})


class TestDescribing:
    def test_a_missing_container_is_described_as_it_has_to_become(self, world):
        assert described(world) == {
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
        assert prepared(world, EXPIRING)["default_ttl"] == -1

    def test_the_plan_may_say_the_throughput_of_the_load_and_after_it(self, world):
        description = prepared(world, asking(load=8000, after=500))
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
        description = prepared(world, table)
        assert (description["peak_ru_per_second"], description["after_ru_per_second"]) == (peak, after)
        assert description["before_ru_per_second"] == (before and before.ru_per_second)
        assert description["autoscale"] is bool(before and before.autoscale)

    @pytest.mark.parametrize(
        ("before", "table", "kept"),
        [(None, asking(), 1000), (None, asking(after=500), 500), (manual(700), asking(), 700)],
    )
    def test_a_small_table_loads_with_what_its_container_keeps_so_that_nothing_is_updated(
        self, world, before, table, kept
    ):
        if before:
            existing(world, before)
        description = prepared(world, table)
        assert (description["peak_ru_per_second"], description["after_ru_per_second"]) == (kept, kept)
        assert world.cosmos.changes == []

    def test_an_account_that_accepts_no_more_updates_for_now_is_waited_for(self, world):
        existing(world, manual(400))
        busy = BusyError("The account accepts no more updates.", "Retrying.")
        change, world.cosmos.change_throughput = world.cosmos.change_throughput, raising(busy)
        put_unit(world, TABLE)
        assert error_of(start(world), "transient")["busy"]
        world.cosmos.change_throughput = change
        value_of(start(world))
        assert (world.cosmos.changes, ends_of(world)) == ([(4000, False)], {})

    def test_another_partition_key_is_refused_with_both(self, world):
        existing(world, manual(400), Container(("/tenant", "/Artist"), None))
        assert (
            "shop/music has the partition key /tenant, /Artist and the plan needs /Artist"
            in refused(world)["detail"]
        )

    def test_a_partition_key_of_version_1_is_refused(self, world):
        existing(world, manual(400), Container(("/Artist",), None, hashes_whole_keys=False))
        assert "takes keys of at most 101 bytes" in refused(world)["detail"]

    def test_one_is_taken_for_a_table_whose_keys_are_numbers(self, world):
        existing(world, manual(400), Container(("/Artist",), None, hashes_whole_keys=False))
        described = prepared(world, {**TABLE, "source": a_source(number_keys=["Artist"])})
        assert described["created"] is False

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
        assert words in refused(world, table)["detail"]

    def test_time_to_live_that_documents_carry_themselves_fits(self, world):
        existing(world, manual(400), Container(("/Artist",), -1))
        assert prepared(world, EXPIRING)["default_ttl"] == -1

    def test_a_container_with_documents_is_refused(self, world):
        existing(world, manual(400))
        world.cosmos.documents = True
        assert "holds documents already" in refused(world)["detail"]

    def test_unless_the_plan_allows_them(self, world):
        existing(world, manual(400))
        world.cosmos.documents = True
        prepared(world, {**TABLE, "allow_existing_documents": True})

    def test_in_a_shared_container_only_documents_with_the_tables_own_constants_count(self, world):
        rules = {"set": {"kind": "song", "note": "n"}, "partition_key": ["kind", "Artist"]}
        existing(world, manual(400), Container(("/kind", "/Artist"), None))
        prepared(world, {**TABLE, "rules": rules})
        assert world.cosmos.marks == {"kind": "song"}

    def test_and_they_are_named(self, world):
        rules = {"set": {"kind": "song", "note": "n"}, "partition_key": ["kind", "Artist"]}
        existing(world, manual(400), Container(("/kind", "/Artist"), None))
        world.cosmos.documents = True
        assert "kind = 'song'" in refused(world, {**TABLE, "rules": rules})["detail"]

    def test_rules_that_are_impossible_are_refused(self, world):
        refused(world, {**TABLE, "rules": {"drop": ["Artist"]}})

    def test_looking_changes_nothing_so_that_it_may_be_repeated(self, world):
        existing(world, manual(400))
        assert described(world) == described(world)
        assert (world.cosmos.changes, world.cosmos.created, world.cosmos.databases) == ([], [], set())


class TestAsking:
    def test_a_missing_container_is_created_with_its_database_and_the_loads_throughput(self, world):
        prepared(world, EXPIRING)
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
        prepared(world)
        assert world.cosmos.changes == [change]

    @pytest.mark.parametrize("before", [manual(4000), None])
    def test_one_that_has_enough_or_none_of_its_own_is_left_as_it_is(self, world, before):
        existing(world, before)
        prepared(world)
        assert world.cosmos.changes == []

    @pytest.mark.parametrize("crash", ["create_database", "create_container", "change_throughput"])
    def test_a_worker_that_dies_after_any_call_is_followed_by_one_that_does_nothing_twice(self, world, crash):
        if crash == "change_throughput":
            existing(world, manual(400))
        world.cosmos.crashes = {crash}
        put_unit(world, TABLE)
        error_of(start(world), "transient")
        value_of(start(world))
        assert world.cosmos.throughput.ru_per_second == 4000
        assert len(world.cosmos.created) + len(world.cosmos.changes) == 1

    def test_documents_that_our_own_first_try_wrote_do_not_stop_a_later_one(self, world):
        prepared(world)
        world.cosmos.documents = True
        value_of(start(world))
        assert ends_of(world) == {}

    @pytest.mark.parametrize("container", [Container(("/tenant",), None), Container(("/Artist",), 60)])
    def test_one_that_came_into_being_meanwhile_and_does_not_fit_is_refused_and_left_alone(
        self, world, container
    ):
        described(world)
        existing(world, manual(700), container)
        value_of(start(world))
        assert ends_of(world) == {"Music": "failed"}
        assert world.cosmos.changes == []

    def test_one_that_came_into_being_meanwhile_with_autoscale_is_scaled_in_its_steps(self, world):
        described(world, asking(load=4500))
        existing(world, autoscale(1000))
        value_of(start(world))
        assert world.cosmos.changes == [(5000, True)]


RUNNING = {"state": "running", "progress": {"tables": 1}}
DONE = {"state": "succeeded", "result": 1}


class TestWaiting:
    def test_growing_is_waited_for_and_not_asked_for_again(self, world):
        existing(world, manual(400))
        described(world)
        existing(world, replace(manual(4000), pending=True))
        assert [look(world), look(world)] == [RUNNING] * 2
        assert world.cosmos.changes == []

    def test_throughput_that_is_less_than_asked_for_is_asked_for_again_although_nothing_is_pending(
        self, world
    ):
        existing(world, manual(400))
        prepared(world, TABLE)
        put_unit(world, {**file_of(world), "is_prepared": False})
        existing(world, manual(400))
        assert look(world) == RUNNING
        assert world.cosmos.changes == [(4000, False), (4000, False)]
        assert look(world) == DONE

    @pytest.mark.parametrize("throughput", [manual(4000), manual(9000)])
    def test_it_is_done_once_there_is_enough_and_nothing_is_pending(self, world, throughput):
        described(world)
        existing(world, throughput)
        assert look(world) == DONE

    def test_a_container_without_throughput_of_its_own_is_ready_at_once(self, world):
        existing(world, None)
        prepared(world)
        assert look(world) == DONE

    def test_its_stage_is_kept_with_the_time_since_its_lane_began_with_it(self, world):
        put_unit(world, {**TABLE, "prepare_began": "2026-06-01T12:00:00.000+00:00"})
        value_of(start(world))
        (stage,) = file_of(world)["stages"]
        assert (stage["stage"], stage["state"], stage["started_at"]) == (
            "prepare",
            "succeeded",
            "2026-06-01T12:00:00.000+00:00",
        )

    def test_one_that_is_ready_is_not_looked_at_again(self, world):
        prepared(world)
        before = dict(world.lake.files)
        world.cosmos.find_container = None
        assert look(world) == DONE
        assert world.lake.files == before


class TestAUnit:
    """Three tables with containers of their own."""

    @pytest.fixture
    def unit(self, world):
        put_unit(
            world,
            *({**TABLE, "table": name, "container": name.lower()} for name in ("Music", "Old", "Users")),
        )
        return world

    def failing(self, world, *containers, error):
        """Let looks at some containers fail."""
        find = world.cosmos.find_container

        def find_container(database, container):
            if container in containers:
                raise error
            return find(database, container)

        world.cosmos.find_container = find_container

    def test_all_containers_are_prepared_side_by_side(self, unit):
        assert value_of(start(unit)) == {"state": "succeeded", "result": 3}
        assert all(file_of(unit, name)["is_prepared"] for name in ("Music", "Old", "Users"))

    def test_one_that_is_refused_ends_its_table_alone(self, unit):
        self.failing(unit, "old", error=PermanentError("no access", "Grant it."))
        value_of(start(unit))
        assert ends_of(unit) == {"Old": "failed"}
        assert look(unit) == {"state": "succeeded", "result": 2}
        record = record_of(unit, "Old")
        assert (record["error"]["detail"], record["stages"][0]["stage"]) == ("no access", "prepare")

    def test_where_all_are_refused_there_is_nothing_to_load(self, unit):
        self.failing(unit, "music", "old", "users", error=PermanentError("no access", "Grant it."))
        value_of(start(unit))
        assert look(unit) == {"state": "succeeded", "result": 0}

    def test_a_try_that_is_repeated_ends_nothing_twice(self, unit):
        self.failing(unit, "old", error=PermanentError("no access", "Grant it."))
        value_of(start(unit))
        before = dict(unit.lake.files)
        value_of(start(unit))
        assert unit.lake.files == before

    def test_one_that_may_heal_is_told_once_the_others_were_looked_at(self, unit):
        self.failing(unit, "music", error=CrashError("no answer"))
        error_of(start(unit), "transient")
        assert "is_prepared" not in file_of(unit, "Music")
        assert all(file_of(unit, name)["is_prepared"] for name in ("Old", "Users"))

    def test_one_that_never_heals_ends_alone_before_it_takes_the_others_with_it(self, unit):
        self.failing(unit, "music", error=CrashError("no answer"))
        looking = look_at_prepare, a_lane("load", attempt=1, run="prepare")
        for _ in range(MOST_FAILURES - 1):
            error_of(unit.answer(*looking), "transient")
        assert ends_of(unit) == {}
        assert value_of(unit.answer(*looking)) == {"state": "succeeded", "result": 2}
        assert ends_of(unit) == {"Music": "failed"}
        assert "no answer" in record_of(unit, "Music")["error"]["detail"]

    def test_only_failures_in_a_row_count(self, unit):
        self.failing(unit, "music", error=TransientError("no answer", "Retrying."))
        error_of(start(unit), "transient")
        assert file_of(unit, "Music")["failures"] == 1
        unit.cosmos.throughput = replace(manual(4000), pending=True)
        del unit.cosmos.find_container
        start(unit)
        assert file_of(unit, "Music")["failures"] == 0

    def test_the_slowest_is_waited_for_and_it_is_told_how_many_there_are(self, unit):
        value_of(start(unit))
        put_unit(unit, *({**file_of(unit, name), "is_prepared": name == "Old"} for name in ("Music", "Old")))
        unit.cosmos.throughput = replace(manual(4000), pending=True)
        assert look(unit) == {"state": "running", "progress": {"tables": 1}}

    def test_a_table_that_is_cancelled_ends_alone(self, unit):
        unit.cancel("Old")
        value_of(start(unit))
        assert ends_of(unit) == {"Old": "cancelled"}
        record = record_of(unit, "Old")
        assert (record["error"]["stage"], record["stages"][0]["state"]) == ("prepare", "cancelled")
        assert look(unit) == {"state": "succeeded", "result": 2}

    @pytest.mark.parametrize("named", [(), ("Music", "Old", "Users")])
    def test_once_all_are_cancelled_the_unit_is_and_nothing_is_created(self, unit, named):
        unit.cancel(*named)
        error_of(unit.answer(start_prepare, a_lane("load", attempt=1)), "cancelled")
        assert unit.cosmos.created == []

    def test_a_unit_without_tables_is_ready(self, world):
        put_unit(world, TABLE)
        tell(world, an_end())
        assert look(world) == {"state": "succeeded", "result": 0}


class TestWhoHasTheContainer:
    def test_it_is_taken_before_anything_is_changed_with_what_it_goes_back_to(self, world):
        existing(world, manual(400))
        described(world, asking(load=8000, after=500))
        kept = lock(world)
        assert datetime.fromisoformat(kept.pop("taken_at")).tzinfo
        assert kept == {
            "migration": "m",
            "table": "Music",
            "operation": 0,
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

    def test_another_migrations_table_is_refused_with_who_has_it_and_what_to_do(self, world):
        existing(world, manual(400))
        held_by(world, migration="other")
        error = refused(world)
        assert "shop/music is being loaded by the migration other, for its table Songs" in error["detail"]
        assert "cancel other" in error["next_step"]
        assert lock(world)["table"] == "Songs"

    def test_nor_may_another_migration_prepare_what_an_earlier_operation_of_it_described(self, world):
        existing(world, manual(400))
        held_by(world, migration="other")
        refused(world, {**TABLE, "described": a_described(created=False)})
        assert (world.cosmos.changes, lock(world)["migration"]) == ([], "other")

    def test_of_many_migrations_at_once_exactly_one_gets_it(self, world):
        many = [{**TABLE, "migration": f"m-{number}"} for number in range(16)]
        together = Barrier(len(many))

        def take(table):
            together.wait()
            try:
                return take_container(world.lake, LOCK, table)[0]["migration"]
            except PermanentError as error:
                return error.title

        with ThreadPoolExecutor(len(many)) as threads:
            answers = list(threads.map(take, many))
        winner = lock(world)["migration"]
        assert sorted(answers) == sorted(["Another migration loads the container"] * 15 + [winner])

    @pytest.mark.parametrize("holder", [{}, {"table": "Music", "operation": 4}])
    def test_a_table_of_the_same_migration_that_has_not_ended_is_waited_for_without_limit(
        self, world, holder
    ):
        existing(world, manual(400))
        held_by(world, **holder)
        put_unit(world, TABLE)
        error = error_of(start(world), "transient")
        assert error["busy"]
        assert "by the table" in error["detail"]
        assert world.cosmos.changes == []

    def test_one_that_has_ended_hands_it_over_with_what_it_was_before_anyone_scaled_it(self, world):
        existing(world, manual(4000))
        held_by(world, **a_described(created=False, before_ru_per_second=400, after_ru_per_second=400))
        world.lake.append(paths.ended_tables_path("m"), {"table": "Songs", "operation": 0})
        description = prepared(world)
        assert (description["before_ru_per_second"], description["after_ru_per_second"]) == (400, 400)
        assert lock(world)["table"] == "Music"

    def test_one_that_ended_before_it_took_it_has_not_ended(self, world):
        held_by(world, operation=1)
        world.lake.append(paths.ended_tables_path("m"), {"table": "Songs", "operation": 0})
        put_unit(world, TABLE)
        error_of(start(world), "transient")

    def test_a_crash_while_it_is_created_and_another_look_still_know_that_it_was_not_there(self, world):
        put_unit(world, TABLE)
        world.cosmos.crashes = {"create_container"}
        error_of(start(world), "transient")
        before = file_of(world)["described"]
        put_unit(world, TABLE)
        value_of(start(world))
        assert file_of(world)["described"] == before

    @pytest.mark.parametrize(
        "trouble",
        [{"container": Container(("/tenant",), None)}, {"documents": True}, {"rules": {"drop": ["Artist"]}}],
    )
    def test_a_container_that_is_refused_is_not_kept(self, world, trouble):
        existing(world, manual(400), trouble.get("container", FITTING))
        world.cosmos.documents = trouble.get("documents", False)
        refused(world, {**TABLE, "rules": trouble.get("rules", {})})
        assert lock(world) is None

    def test_one_that_may_be_scaled_is_kept_when_the_next_table_is_refused(self, world):
        existing(world, manual(4000))
        held_by(world, **a_described(created=False, before_ru_per_second=400, after_ru_per_second=400))
        world.lake.append(paths.ended_tables_path("m"), {"table": "Songs", "operation": 0})
        world.cosmos.documents = True
        refused(world)
        assert (lock(world)["table"], lock(world)["before_ru_per_second"]) == ("Music", 400)

    def test_a_retry_takes_it_again_by_what_the_earlier_operation_described(self, world):
        existing(world, manual(400))
        kept = a_described(created=False, before_ru_per_second=400, after_ru_per_second=400)
        put_unit(world, {**TABLE, "described": kept}, operation=1)
        value_of(start(world, operation=1, kind="retry"))
        assert (lock(world)["operation"], lock(world)["before_ru_per_second"]) == (1, 400)
        assert world.cosmos.throughput.ru_per_second == 4000

    def test_a_table_that_ended_in_prepare_is_looked_at_anew_by_its_retry(self, world):
        existing(world, manual(400), Container(("/tenant",), None))
        refused(world)
        assert "described" not in retried_input(record_of(world), {"table": "Music"})

    def test_while_it_is_put_back_for_one_that_broke_off_others_wait(self, world):
        existing(world, manual(400))
        described(world)
        taken = take_to_put_back(world.lake, LOCK, lock(world))
        assert taken["before_ru_per_second"] == 400
        for late in (TABLE, {**TABLE, "table": "Songs"}):
            put_unit(world, late)
            error_of(start(world), "transient")

    def test_what_changed_hands_is_not_put_back_for_who_had_it(self, world):
        existing(world, manual(400))
        described(world)
        before = lock(world)
        held_by(world, table="Songs")
        assert take_to_put_back(world.lake, LOCK, before) is None
        assert "being_put_back" not in lock(world)
