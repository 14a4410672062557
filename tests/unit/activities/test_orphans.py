import pytest

from activities.orphans import (
    end_orphaned_table,
    read_orphaned_migration,
    release_orphaned_container,
    stop_orphaned_runs,
)
from activities.report import write_report
from d2c.clients.azure.cosmos.management import Container, Throughput
from d2c.state import paths
from d2c.state.ids import run_key
from d2c.state.operations import retried_input
from tests.builders import (
    a_claim,
    a_copy,
    a_described,
    a_stage,
    a_table,
    an_end,
    an_error,
    an_export,
    an_operation,
)

from .answers import error_of, value_of
from .queues import ends_of, log_of, put_queue, record_of, some_tables, tell

ERROR = an_error(cancelled=True, stage="load")
RECORD = "containers/x/shop/music.json"
HOLDER = {"path": RECORD, "migration": "m", "table": "Music", "operation": 0}


def left_table(name, number=0, **more):
    return {
        "table": name,
        "operation": number,
        "state": "cancelled",
        "error": ERROR,
        "started_at": "2020-01-01T12:00:00+00:00",
        **more,
    }


def leave(world, *tables, containers=(), ends=None, number=0, **more):
    left = {
        "migration": "m",
        "operation": number,
        "since": "2026-06-01T11:00:00+00:00",
        "tables": list(tables),
        "containers": list(containers),
        "ends": ends,
        **more,
    }
    world.lake.write_json(paths.MigrationFiles("m").orphans, left)


def begin_retry(world, number=1):
    world.lake.write_json(paths.MigrationFiles("m").operation(number), {"kind": "retry"})


def start_copy(world, name, attempt=1, migration="m", **operation):
    key = run_key(an_operation(migration=migration, **operation), name, "copy", attempt)
    return world.factory.start_run("copy_export", {"runKey": key})


def start_load(world, unit="0-0", attempt=1, operation=0):
    path = paths.MigrationFiles("m").work(operation).unit_requests(unit, attempt)
    world.lake.write(path, b"{}")
    return world.databricks.start_run(run_key=path, parameters={"request": world.settings.lake_path(path)})


def copying(world, *names, operation=0):
    """Let copy lanes have these tables."""
    put_queue(world, *some_tables(*names), enters="copy", operation=operation)
    for lane, name in enumerate(names):
        tell(world, a_claim("copy", name, lane=lane), operation=operation)


def loading(world, *units, operation=0):
    """Let load lanes have these units."""
    names = [name for unit in units for name in unit]
    put_queue(world, *some_tables(*names), enters="load", operation=operation)
    for lane, unit in enumerate(units):
        tell(world, a_claim("load", *unit, lane=lane), operation=operation)


class TestStopLeftRuns:
    def stop(self, world):
        return value_of(world.answer(stop_orphaned_runs, {"migration": "m"}))

    def test_copy_runs_of_tables_that_were_left_are_stopped_and_nobody_elses(self, world):
        copying(world, "Music", "Orders")
        mine = [start_copy(world, "Music"), start_copy(world, "Music", attempt=3)]
        start_copy(world, "Orders")
        start_copy(world, "Music", migration="other")
        leave(world, left_table("Music"))
        assert self.stop(world) == 2
        assert world.factory.cancelled == mine
        assert self.stop(world) == 0

    def test_another_deployments_copy_of_the_same_table_goes_on(self, world):
        copying(world, "Music")
        mine = start_copy(world, "Music", deployment="mine")
        start_copy(world, "Music", deployment="another")
        start_copy(world, "Music")
        leave(world, left_table("Music"), deployment="mine")
        assert self.stop(world) == 1
        assert world.factory.cancelled == [mine]

    def test_load_runs_of_units_that_have_tables_left_are_stopped_whichever_attempt_it_is(self, world):
        loading(world, ["Music", "Orders"], ["Users"])
        tell(world, an_end("Orders"), an_end("Users"))
        mine = [start_load(world), start_load(world, attempt=3)]
        start_load(world, "1-0")
        leave(world, left_table("Music"))
        assert self.stop(world) == 2
        assert world.databricks.cancelled == mine
        assert self.stop(world) == 0

    @pytest.mark.parametrize("operation", [1, 2])
    def test_runs_of_a_retry_or_a_verify_that_has_begun_since_go_on(self, world, operation):
        loading(world, ["Music"])
        start_load(world, operation=operation)
        start_copy(world, "Music", operation=operation)
        leave(world, left_table("Music"))
        assert self.stop(world) == 0

    def test_runs_of_a_retry_that_was_left_are_stopped(self, world):
        loading(world, ["Music"])
        loading(world, ["Music"], operation=1)
        start_copy(world, "Music", operation=1, attempt=2)
        start_load(world, operation=1)
        leave(world, left_table("Music", 1), number=1)
        assert self.stop(world) == 2

    def test_where_only_containers_were_left_no_service_is_asked(self, world):
        world.factory = world.databricks = None
        leave(world)
        assert self.stop(world) == 0

    def test_that_what_was_left_is_not_told_any_more_is_an_error(self, world):
        assert "orphans/m.json" in error_of(world.answer(stop_orphaned_runs, {"migration": "m"}))["detail"]


class TestFreeLeftContainer:
    def free(self, world, **record):
        kept = {
            "migration": "m",
            "table": "Music",
            "operation": 0,
            "database": "shop",
            "container": "music",
            **record,
        }
        world.lake.write_json(RECORD, kept)
        leave(world, containers=[HOLDER])
        return world.answer(release_orphaned_container, {"migration": "m", "number": 0})

    def described(self, **changes):
        own = {"created": False, "before_ru_per_second": 400, "after_ru_per_second": 400}
        return a_described(**{**own, **changes})

    def scaled(self, world, key_paths=("/Artist",)):
        world.cosmos.container = Container(key_paths, None)
        world.cosmos.throughput = Throughput(4000, False, 400, False)

    def test_its_throughput_is_put_back_and_others_may_load_it(self, world):
        self.scaled(world)
        told = value_of(self.free(world, **self.described()))
        assert told == {"container": "shop/music", "after_ru_per_second": 400}
        assert world.cosmos.changes == [(400, False)]
        assert not world.lake.exists(RECORD)

    def test_one_that_a_crash_kept_from_being_told_as_created_is_put_to_what_the_plan_wants(self, world):
        self.scaled(world)
        record = self.described(created=True, before_ru_per_second=None, after_ru_per_second=1000)
        assert value_of(self.free(world, **record))["after_ru_per_second"] == 1000

    @pytest.mark.parametrize("peak", [{}, {"peak_ru_per_second": None, "after_ru_per_second": None}])
    def test_one_that_was_never_scaled_is_left_as_it_is(self, world, peak):
        self.scaled(world)
        assert (
            value_of(self.free(world, **(self.described(**peak) if peak else {})))["after_ru_per_second"]
            is None
        )
        assert world.cosmos.changes == []
        assert not world.lake.exists(RECORD)

    @pytest.mark.parametrize("key_paths", [None, ("/tenant",)])
    def test_one_that_is_gone_or_another_one_by_now_is_not_missed(self, world, key_paths):
        if key_paths:
            self.scaled(world, key_paths)
        assert value_of(self.free(world, **self.described()))["after_ru_per_second"] is None
        assert world.cosmos.changes == []

    @pytest.mark.parametrize("holder", [{"table": "Songs"}, {"operation": 1}, {"migration": "other"}])
    def test_one_that_has_changed_hands_is_left_to_its_new_holder(self, world, holder):
        self.scaled(world)
        assert value_of(self.free(world, **self.described(), **holder)) is None
        assert world.cosmos.changes == []
        assert world.lake.exists(RECORD)

    def test_a_crash_while_it_is_put_back_is_followed_by_one_that_finishes_it(self, world):
        self.scaled(world)
        world.cosmos.crashes = {"change_throughput"}
        error_of(self.free(world, **self.described()), "transient")
        assert world.lake.read_json(RECORD)["being_put_back"]
        assert (
            value_of(world.answer(release_orphaned_container, {"migration": "m", "number": 0}))[
                "after_ru_per_second"
            ]
            == 400
        )
        assert world.cosmos.changes == [(400, False)]


PREPARED = a_table(
    export=an_export(),
    copy=a_copy(),
    described=a_described(created=False, before_ru_per_second=400, after_ru_per_second=400),
    may_be_scaled=True,
    is_let_go=True,
    stages=[a_stage(stage) for stage in ("export", "copy", "prepare")],
)
PLAN = {"name": "m", "tables": [{"table": "Music", "container": "music"}]}


class TestTellingTheEnd:
    def end(self, world, number=0):
        value_of(world.answer(end_orphaned_table, {"migration": "m", "number": number}))

    def test_a_table_is_told_with_what_its_stages_found_so_that_a_retry_can_go_on(self, world):
        put_queue(world, PREPARED, enters="load")
        leave(world, left_table("Music"))
        self.end(world)
        record = record_of(world)
        assert (record["export"], record["state"]) == (an_export(), "cancelled")
        *_, stage, report = record["stages"]
        assert (stage["stage"], stage["state"], stage["seconds"] > 0) == ("load", "cancelled", True)
        assert report["stage"] == "report"
        (line,) = world.lake.read_log(paths.MigrationFiles("m").ended_tables)
        names = ("table", "operation", "state", "stage", "items_exported", "error")
        assert {name: line[name] for name in names} == {
            "table": "Music",
            "operation": 0,
            "state": "cancelled",
            "stage": "load",
            "items_exported": 7,
            "error": ERROR,
        }
        assert ends_of(world) == {"Music": "cancelled"}
        assert "described" in retried_input(record, {"table": "Music"})

    def test_each_is_told_by_its_number(self, world):
        put_queue(world, *some_tables("Music", "Orders"))
        leave(
            world, left_table("Music"), left_table("Orders", state="failed", error=an_error(stage="export"))
        )
        self.end(world, 1)
        assert ends_of(world) == {"Orders": "failed"}

    def test_a_table_of_a_retry_ends_in_it(self, world):
        put_queue(world, PREPARED, enters="load", operation=1)
        begin_retry(world)
        leave(world, left_table("Music", 1), number=1)
        self.end(world)
        assert (ends_of(world, 1), record_of(world)["operation"]) == ({"Music": "cancelled"}, 1)

    def test_its_throughput_is_put_back_where_nobody_else_has_its_container(self, world):
        put_queue(world, PREPARED, enters="load")
        world.cosmos.container = Container(("/Artist",), None)
        world.cosmos.throughput = Throughput(4000, False, 400, False)
        leave(world, left_table("Music"))
        self.end(world)
        assert world.cosmos.changes == [(400, False)]

    def test_one_that_ended_by_itself_since_stays_as_it_ended(self, world):
        put_queue(world, PREPARED, enters="load")
        tell(world, an_end("Music"))
        leave(world, left_table("Music"))
        self.end(world)
        assert (ends_of(world), record_of(world)) == ({"Music": "succeeded"}, None)

    def test_a_try_that_is_repeated_tells_it_once(self, world):
        put_queue(world, PREPARED, enters="load")
        leave(world, left_table("Music"))
        self.end(world)
        self.end(world)
        assert len(log_of(world)) == 1

    def accept(self, world):
        put_queue(world, PREPARED, enters="load")
        accepted = {"plan": PLAN, "accepted_at": "2026-06-01T11:00:00+00:00"}
        world.lake.write_json(paths.MigrationFiles("m").plan, accepted)
        listed = {"operation": 0, "tables": [{**PLAN["tables"][0], "database": "shop"}]}
        world.lake.write_json(paths.MigrationFiles("m").tables, listed)
        world.lake.write(paths.MigrationFiles("m").is_open, b"")

    def test_the_migration_ends_with_the_report_that_its_orchestration_did_not_come_to(self, world):
        self.accept(world)
        leave(world, left_table("Music"), ends={"state": "cancelled", "error": None})
        self.end(world)
        payload = value_of(world.answer(read_orphaned_migration, {"migration": "m"}))
        assert payload == {"migration": "m", "operation": 0, "kind": "start", "error": None}
        assert value_of(world.answer(write_report, payload))["state"] == "cancelled"
        assert world.lake.read_json(paths.MigrationFiles("m").report)["state"] == "cancelled"
        assert not world.lake.exists(paths.MigrationFiles("m").is_open)

    def test_a_retry_ends_as_a_retry(self, world):
        begin_retry(world)
        leave(world, ends={"state": "failed", "error": ERROR}, number=1)
        payload = value_of(world.answer(read_orphaned_migration, {"migration": "m"}))
        assert payload == {"migration": "m", "operation": 1, "kind": "retry", "error": ERROR}

    def test_a_migration_that_goes_on_is_not_ended(self, world):
        leave(world, left_table("Music"))
        assert value_of(world.answer(read_orphaned_migration, {"migration": "m"})) is None

    def test_a_report_without_the_end_of_each_table_leaves_the_migration_open_for_the_watch(self, world):
        self.accept(world)
        payload = {"migration": "m", "operation": 0, "kind": "start", "error": None}
        value_of(world.answer(write_report, payload))
        assert world.lake.exists(paths.MigrationFiles("m").is_open)

    def test_nothing_is_told_of_an_operation_that_a_retry_has_overtaken(self, world):
        put_queue(world, PREPARED, enters="load")
        leave(world, left_table("Music"), ends={"state": "cancelled", "error": None})
        begin_retry(world)
        self.end(world)
        assert (ends_of(world), record_of(world)) == ({}, None)
        assert value_of(world.answer(read_orphaned_migration, {"migration": "m"})) is None

    def test_a_verify_overtakes_nothing(self, world):
        put_queue(world, PREPARED, enters="load")
        leave(world, left_table("Music"))
        world.lake.write_json(paths.MigrationFiles("m").operation(1), {"kind": "verify"})
        self.end(world)
        assert ends_of(world) == {"Music": "cancelled"}
