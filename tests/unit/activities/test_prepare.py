from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from activities.load_lane.prepare import look_at_prepare
from activities.unit import MOST_FAILURES
from d2c.clients.azure.cosmos.management import Container
from d2c.errors import PermanentError
from d2c.state import paths
from d2c.state.container_lock import take_container
from d2c.state.operations import retried_input
from tests.builders import a_described, a_lane, a_source, an_end

from .answers import error_of, value_of
from .containers import (
    EXPIRING,
    FITTING,
    LOCK,
    SHARING,
    TABLE,
    asking,
    autoscale,
    existing,
    held_by,
    lock,
    manual,
    prepare,
    prepared,
    put_unit,
    refused,
)
from .fakes import CrashError
from .queues import ends_of, file_of, record_of, tell


class TestDescribing:
    def test_a_missing_container_is_described_as_it_has_to_become(self, world):
        described = prepared(world)
        assert (
            described
            | {
                "created": True,
                "partition_key_paths": ["/Artist"],
                "default_ttl": None,
                "before_ru_per_second": None,
                "peak_ru_per_second": 4000,
                "autoscale": False,
            }
            == described
        )
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
        ("databases", "has", "shared"),
        [
            (set(), None, (1200, False)),
            ({"shop"}, manual(700), (700, False)),
            ({"shop"}, autoscale(4000), (4000, True)),
        ],
    )
    def test_one_that_shares_has_what_its_database_has_or_is_created_with(
        self, world, databases, has, shared
    ):
        world.cosmos.databases, world.cosmos.shared = databases, has
        described = prepared(world, SHARING)
        assert tuple(described["shared"].values()) == shared
        assert (described["peak_ru_per_second"], described["after_ru_per_second"]) == (None, None)

    def test_a_database_without_throughput_to_share_is_refused_before_anything_is_created(self, world):
        world.cosmos.databases = {"shop"}
        error = refused(world, SHARING)
        assert error["title"] == "The database shares no throughput"
        assert "set throughput.kind to manual or autoscale" in error["next_step"]
        assert lock(world) is None

    def test_an_existing_one_keeps_throughput_of_its_own_whatever_the_plan_has(self, world):
        existing(world, manual(700))
        world.cosmos.databases = {"shop"}
        described = prepared(world, SHARING)
        assert ("shared" in described, described["before_ru_per_second"]) == (False, 700)

    def test_an_existing_one_that_shares_is_not_scaled(self, world):
        existing(world, None)
        world.cosmos.databases, world.cosmos.shared = {"shop"}, manual(700)
        described = prepared(world, SHARING)
        assert (described["shared"]["ru_per_second"], described["peak_ru_per_second"]) == (700, None)

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

    def test_looking_creates_and_changes_nothing_so_that_it_may_be_repeated(self, world):
        assert prepared(world) == prepared(world)
        existing(world, manual(400))
        assert prepared(world) == prepared(world)
        assert (world.cosmos.changes, world.cosmos.created, world.cosmos.databases) == ([], [], set())

    def test_its_stage_is_kept_with_the_time_since_its_lane_began_with_it(self, world):
        prepared(world, {**TABLE, "prepare_began": "2026-06-01T12:00:00.000+00:00"})
        (stage,) = file_of(world)["stages"]
        assert (stage["stage"], stage["state"], stage["started_at"]) == (
            "prepare",
            "succeeded",
            "2026-06-01T12:00:00.000+00:00",
        )

    def test_one_that_is_prepared_is_not_looked_at_again(self, world):
        prepared(world)
        before = dict(world.lake.files)
        world.cosmos.find_container = None
        assert value_of(prepare(world)) == {"state": "succeeded", "result": 1}
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
        assert value_of(prepare(unit)) == {"state": "succeeded", "result": 3}
        assert all(file_of(unit, name)["is_prepared"] for name in ("Music", "Old", "Users"))

    def test_one_that_is_refused_ends_its_table_alone(self, unit):
        self.failing(unit, "old", error=PermanentError("no access", "Grant it."))
        value_of(prepare(unit))
        assert ends_of(unit) == {"Old": "failed"}
        assert value_of(prepare(unit)) == {"state": "succeeded", "result": 2}
        record = record_of(unit, "Old")
        assert (record["error"]["detail"], record["stages"][0]["stage"]) == ("no access", "prepare")

    def test_where_all_are_refused_there_is_nothing_to_load(self, unit):
        self.failing(unit, "music", "old", "users", error=PermanentError("no access", "Grant it."))
        value_of(prepare(unit))
        assert value_of(prepare(unit)) == {"state": "succeeded", "result": 0}

    def test_a_try_that_is_repeated_ends_nothing_twice(self, unit):
        self.failing(unit, "old", error=PermanentError("no access", "Grant it."))
        value_of(prepare(unit))
        before = dict(unit.lake.files)
        value_of(prepare(unit))
        assert unit.lake.files == before

    def test_one_that_may_heal_is_told_once_the_others_were_looked_at(self, unit):
        self.failing(unit, "music", error=CrashError("no answer"))
        error_of(prepare(unit), "transient")
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

    def test_a_table_that_is_cancelled_ends_alone(self, unit):
        unit.cancel("Old")
        value_of(prepare(unit))
        assert ends_of(unit) == {"Old": "cancelled"}
        record = record_of(unit, "Old")
        assert (record["error"]["stage"], record["stages"][0]["state"]) == ("prepare", "cancelled")
        assert value_of(prepare(unit)) == {"state": "succeeded", "result": 2}

    @pytest.mark.parametrize("named", [(), ("Music", "Old", "Users")])
    def test_once_all_are_cancelled_the_unit_is_and_nothing_is_created(self, unit, named):
        unit.cancel(*named)
        error_of(prepare(unit), "cancelled")
        assert unit.cosmos.created == []

    def test_a_unit_without_tables_is_ready(self, world):
        put_unit(world, TABLE)
        tell(world, an_end())
        assert value_of(prepare(world)) == {"state": "succeeded", "result": 0}


class TestWhoHasTheContainer:
    def test_it_is_taken_and_its_lock_says_nothing_yet_to_put_back(self, world):
        existing(world, manual(400))
        prepared(world)
        assert lock(world).keys() == {"migration", "table", "operation", "database", "container", "taken_at"}

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
        error = error_of(prepare(world), "transient")
        assert error["busy"]
        assert "by the table" in error["detail"]
        assert world.cosmos.changes == []

    def test_one_that_has_ended_hands_it_over_with_what_it_was_before_anyone_scaled_it(self, world):
        existing(world, manual(4000))
        held_by(world, **a_described(created=False, before_ru_per_second=400, after_ru_per_second=400))
        world.lake.append(paths.MigrationFiles("m").ended_tables, {"table": "Songs", "operation": 0})
        description = prepared(world)
        assert (description["before_ru_per_second"], description["after_ru_per_second"]) == (400, 400)
        assert lock(world)["table"] == "Music"
        assert file_of(world)["may_be_scaled"]

    def test_one_that_ended_before_it_took_it_has_not_ended(self, world):
        held_by(world, operation=1)
        world.lake.append(paths.MigrationFiles("m").ended_tables, {"table": "Songs", "operation": 0})
        put_unit(world, TABLE)
        error_of(prepare(world), "transient")

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
        world.lake.append(paths.MigrationFiles("m").ended_tables, {"table": "Songs", "operation": 0})
        world.cosmos.documents = True
        refused(world)
        assert (lock(world)["table"], lock(world)["before_ru_per_second"]) == ("Music", 400)

    def test_a_table_that_ended_in_prepare_is_looked_at_anew_by_its_retry(self, world):
        existing(world, manual(400), Container(("/tenant",), None))
        refused(world)
        assert "described" not in retried_input(record_of(world), {"table": "Music"})
