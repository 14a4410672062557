import pytest

from activities.orphans import free_left_container, read_left_migration, read_left_table, stop_left_runs
from activities.report import write_report, write_table_report
from d2c.clients.azure.cosmos_management import Container, Throughput
from d2c.state import paths
from d2c.state.ids import run_key
from tests.builders import a_described, a_table, an_error

from .answers import error_of, value_of

ERROR = an_error(cancelled=True, stage="load")
RECORD = "containers/x/shop/music.json"
HOLDER = {"path": RECORD, "migration": "m", "table": "Music", "round": 0}


def table(name, number=0, **more):
    slots = {"exports": None, "copies": None, "loads": 2}
    return a_table(table=name, round=number, container=name.lower(), slots=slots, **more)


def list_tables(world, *units, number=0):
    """Write a round's units, each a list of tables."""
    folder = paths.operation_folder("m", number)
    for place, unit in enumerate(units):
        world.lake.write_json(paths.unit_path(folder, place), {"tables": unit, "together": False})
    names = [[one["table"] for one in unit] for unit in units]
    world.lake.write_json(paths.members_path(folder), {"units": names})
    if number == 0:
        tables = [one for unit in units for one in unit]
        world.lake.write_json(paths.tables_path("m"), {"tables": tables})


def left_table(name, number=0, **found):
    return {
        "table": name,
        "round": number,
        "state": "cancelled",
        "error": ERROR,
        "started_at": "2020-01-01T12:00:00+00:00",
        "found": found,
    }


def leave(world, *tables, containers=(), ends=None, number=0):
    left = {
        "migration": "m",
        "round": number,
        "since": "2026-06-01T11:00:00+00:00",
        "tables": list(tables),
        "containers": list(containers),
        "ends": ends,
    }
    world.lake.write_json(paths.orphans_path("m"), left)


def start_copy(world, name, attempt=1, migration="m"):
    return world.factory.start_run("copy_export", {"runKey": run_key(migration, name, "copy", attempt)})


def start_load(world, path):
    parameters = {"request": world.settings.lake_path(f"migrations/m/{path}")}
    return world.databricks.start_run(run_key=path, parameters=parameters)


class TestStopLeftRuns:
    def stop(self, world):
        return value_of(world.answer(stop_left_runs, {"migration": "m"}))

    def test_runs_of_tables_that_were_left_are_stopped_and_nobody_elses(self, world):
        list_tables(world, [table("Music")], [table("Orders")])
        mine = [start_copy(world, "Music"), start_copy(world, "Music", attempt=3)]
        start_copy(world, "Orders")
        start_copy(world, "Music", migration="other")
        load = start_load(world, "tables/Music/load-2/request.json")
        start_load(world, "tables/Orders/load-1/request.json")
        leave(world, left_table("Music"))
        assert self.stop(world) == 3
        assert (world.factory.cancelled, world.databricks.cancelled) == (mine, [load])
        assert self.stop(world) == 0

    @pytest.mark.parametrize(
        "path", ["tables/Music/load-11/request.json", "tables/Music/verify-1-1/request.json"]
    )
    def test_runs_of_a_retry_or_a_revisit_that_has_begun_since_go_on(self, world, path):
        list_tables(world, [table("Music")])
        start_load(world, path)
        start_copy(world, "Music", attempt=11)
        leave(world, left_table("Music"))
        assert self.stop(world) == 0

    def test_runs_of_a_retry_that_was_left_are_stopped(self, world):
        list_tables(world, [table("Music")])
        list_tables(world, [table("Music", 1)], number=1)
        start_copy(world, "Music", attempt=12)
        start_load(world, "tables/Music/load-11/request.json")
        leave(world, left_table("Music", 1), number=1)
        assert self.stop(world) == 2

    def test_a_shared_run_goes_on_while_one_of_its_tables_does(self, world):
        group = {"id": "0-0", "tables": ["Music", "Orders"]}
        list_tables(world, [table("Music", load_group=group), table("Orders", load_group=group)])
        run = start_load(world, "groups/0-0-1/requests.json")
        leave(world, left_table("Music"))
        assert self.stop(world) == 0
        world.lake.append(paths.ended_tables_path("m"), {"table": "Orders", "round": 0})
        assert self.stop(world) == 1
        assert world.databricks.cancelled == [run]

    def test_a_shared_run_is_stopped_when_all_its_tables_were_left(self, world):
        group = {"id": "0-0", "tables": ["Music", "Orders"]}
        list_tables(world, [table("Music", load_group=group), table("Orders", load_group=group)])
        start_load(world, "groups/0-0-1/requests.json")
        leave(world, left_table("Music"), left_table("Orders"))
        assert self.stop(world) == 1

    def test_where_only_containers_were_left_no_service_is_asked(self, world):
        world.factory = world.databricks = None
        leave(world)
        assert self.stop(world) == 0

    def test_that_what_was_left_is_not_told_any_more_is_an_error(self, world):
        assert "left-behind/m.json" in error_of(world.answer(stop_left_runs, {"migration": "m"}))["detail"]


class TestFreeLeftContainer:
    def free(self, world, **record):
        kept = {
            "migration": "m",
            "table": "Music",
            "round": 0,
            "database": "shop",
            "container": "music",
            **record,
        }
        world.lake.write_json(RECORD, kept)
        leave(world, containers=[HOLDER])
        return world.answer(free_left_container, {"migration": "m", "number": 0})

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

    @pytest.mark.parametrize("holder", [{"table": "Songs"}, {"round": 1}, {"migration": "other"}])
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
            value_of(world.answer(free_left_container, {"migration": "m", "number": 0}))[
                "after_ru_per_second"
            ]
            == 400
        )
        assert world.cosmos.changes == [(400, False)]


class TestTellingTheEnd:
    def test_a_table_is_told_with_what_its_stages_found_so_that_a_retry_can_go_on(self, world):
        list_tables(world, [table("Music")])
        leave(world, left_table("Music", export={"items": 7, "arn": "a"}))
        record = value_of(world.answer(read_left_table, {"migration": "m", "number": 0}))
        assert record["export"] == {"items": 7, "arn": "a"}
        (stage,) = record["stages"]
        assert (stage["stage"], stage["state"], stage["seconds"] > 0) == ("load", "cancelled", True)
        value_of(world.answer(write_table_report, record))
        (line,) = world.lake.read_log(paths.ended_tables_path("m"))
        told = {name: line[name] for name in ("table", "round", "state", "stage", "items_exported", "error")}
        assert told == {
            "table": "Music",
            "round": 0,
            "state": "cancelled",
            "stage": "load",
            "items_exported": 7,
            "error": ERROR,
        }

    def test_what_an_earlier_round_found_is_kept(self, world):
        list_tables(world, [table("Music")])
        list_tables(
            world, [table("Music", 1, found={"export": {"items": 7}, "copy": {"files": 1}})], number=1
        )
        leave(world, left_table("Music", 1, copy={"files": 2}), number=1)
        record = value_of(world.answer(read_left_table, {"migration": "m", "number": 0}))
        assert (record["export"], record["copy"], "found" in record) == ({"items": 7}, {"files": 2}, False)

    def test_the_slot_that_it_had_is_given_back(self, world):
        list_tables(world, [table("Music")])
        world.lake.append(paths.slots_path("m", "loads"), {"ask": "Music 0", "of": 1})
        leave(world, left_table("Music"))
        value_of(
            world.answer(
                write_table_report, value_of(world.answer(read_left_table, {"migration": "m", "number": 0}))
            )
        )
        assert {"leave": "Music 0", "by": "Music"} in world.lake.read_log(paths.slots_path("m", "loads"))

    def test_the_migration_ends_with_the_report_that_its_orchestration_did_not_come_to(self, world):
        list_tables(world, [table("Music")])
        plan = {"name": "m", "tables": [{"table": "Music", "container": "music"}]}
        world.lake.write_json(
            paths.plan_path("m"), {"plan": plan, "accepted_at": "2026-06-01T11:00:00+00:00"}
        )
        world.lake.write(paths.open_path("m"), b"")
        leave(world, left_table("Music"), ends={"state": "cancelled", "error": None})
        value_of(
            world.answer(
                write_table_report, value_of(world.answer(read_left_table, {"migration": "m", "number": 0}))
            )
        )
        value_of(
            world.answer(
                write_report,
                {"migration": "m", **value_of(world.answer(read_left_migration, {"migration": "m"}))},
            )
        )
        assert world.lake.read_json(paths.report_path("m"))["state"] == "cancelled"
        assert not world.lake.exists(paths.open_path("m"))

    def test_a_report_without_the_end_of_each_table_leaves_the_migration_open_for_the_watch(self, world):
        list_tables(world, [table("Music")])
        plan = {"name": "m", "tables": [{"table": "Music", "container": "music"}]}
        world.lake.write_json(
            paths.plan_path("m"), {"plan": plan, "accepted_at": "2026-06-01T11:00:00+00:00"}
        )
        world.lake.write(paths.open_path("m"), b"")
        value_of(world.answer(write_report, {"migration": "m", "state": "failed", "error": None}))
        assert world.lake.exists(paths.open_path("m"))

    def test_nothing_is_told_of_a_round_that_a_retry_has_overtaken(self, world):
        list_tables(world, [table("Music")])
        leave(world, left_table("Music"), ends={"state": "cancelled", "error": None})
        world.lake.write_json(paths.operation_path("m", "retry", 1), {})
        assert value_of(world.answer(read_left_table, {"migration": "m", "number": 0})) is None
        assert value_of(world.answer(read_left_migration, {"migration": "m"})) is None
