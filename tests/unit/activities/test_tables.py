import pytest

from activities.tables import list_tables
from d2c.clients.aws.dynamodb import TableDescription
from d2c.errors import PermanentError
from d2c.plan.model import Plan
from d2c.state import paths
from tests.builders import REGION, TABLE_ARN, a_record, an_operation
from tests.unit.clients.settings import local_settings
from tests.unit.records import record

from .answers import error_of, value_of
from .queues import file_of

SMALL, LARGE = 10**6, 10**12


def accept(world, *tables, **more):
    """Accept a plan of tables."""
    plan = {"name": "m", "database": "shop", "region": "eu-west-1", "tables": list(tables), **more}
    Plan.model_validate(plan)
    content = {"plan": plan, "accepted_at": "2026-06-01T12:00:00.000+00:00"}
    world.lake.write_json(paths.MigrationFiles("m").plan, content)


def exist(world, **sizes):
    """Let tables of these sizes exist in DynamoDB."""

    def describe(name):
        if name not in sizes:
            raise PermanentError(f"there is no {name}", "")
        return TableDescription(TABLE_ARN, "pk", None, 7, sizes[name], None)

    world.dynamodb.describe_table = describe
    world.dynamodb.list_tables = lambda: list(sizes)


def listed(world, operation=0, kind=None):
    kind = kind or ("retry" if operation else "start")
    return value_of(world.answer(list_tables, an_operation(operation=operation, kind=kind)))


def queue(world, operation=0):
    return world.lake.read_json(paths.MigrationFiles("m").work(operation).queue)


def names(world, operation=0):
    return [table["table"] for table in queue(world, operation)["tables"]]


class TestListTables:
    def test_patterns_come_to_the_tables_that_there_are_largest_first(self, world):
        accept(world, {"table": "shop-*"})
        exist(world, **{"shop-a": 1, "shop-b": 3, "other": 9, "shop-c": 2})
        assert listed(world) == {"tables": 3, "export": {REGION: 3}, "copy": 3, "load": 3}
        assert names(world) == ["shop-b", "shop-c", "shop-a"]
        entries = world.lake.read_json(paths.MigrationFiles("m").tables)["tables"]
        assert [(entry["table"], entry["container"], entry["size_bytes"]) for entry in entries] == [
            ("shop-b", "shop-b", 3),
            ("shop-c", "shop-c", 2),
            ("shop-a", "shop-a", 1),
        ]

    def test_a_plan_may_say_the_order_itself(self, world):
        accept(world, {"table": "small"}, {"table": "large"}, order="as_listed")
        exist(world, small=SMALL, large=LARGE)
        listed(world)
        assert names(world) == ["small", "large"]

    def test_tables_of_unknown_size_go_first(self, world):
        accept(world, {"table": "large"}, {"table": "gone"})
        exist(world, large=LARGE)
        listed(world)
        assert names(world) == ["gone", "large"]

    def test_each_table_has_a_file_with_its_settings_before_any_lane_begins(self, world):
        accept(world, {"table": "Music", "container": "x", "rules": {"numbers": "reject"}})
        exist(world, Music=SMALL)
        listed(world)
        table = file_of(world, "Music")
        assert (table["migration"], table["operation"], table["stages"]) == ("m", 0, [])
        assert (table["container"], table["rules"], table["size_bytes"]) == (
            "x",
            {"numbers": "reject"},
            SMALL,
        )

    def test_the_queue_knows_of_each_where_it_comes_from_and_goes_to(self, world):
        accept(world, {"table": "Music", "container": "x", "account": "111122223333"})
        exist(world, Music=SMALL)
        listed(world)
        assert queue(world)["tables"] == [
            {
                "table": "Music",
                "location": f"111122223333/{REGION}",
                "container": "shop/x",
                "size_bytes": SMALL,
                "items": None,
                "enters": "export",
            }
        ]

    def test_there_are_as_many_lanes_as_the_caps_and_no_more_than_tables(self, world):
        caps = {"max_parallel_exports": 3, "max_parallel_copies": 2, "max_parallel_loads": 1}
        accept(world, {"table": "*"}, {"table": "far", "region": "eu-central-1"}, **caps)
        exist(world, **dict.fromkeys("abcdef", SMALL))
        assert listed(world) == {"tables": 7, "export": {"eu-central-1": 1, REGION: 3}, "copy": 2, "load": 1}

    def test_the_caps_are_those_of_the_plan(self, world):
        accept(world, {"table": "*"}, max_parallel_tables=5, max_tables_per_load_run=7)
        exist(world, a=SMALL)
        listed(world)
        caps = queue(world)["caps"]
        assert (caps["tables"], caps["tables_per_load_run"], caps["export"]) == (5, 7, 50)

    def test_a_cluster_that_runs_already_is_not_waited_for(self, world):
        accept(world, {"table": "*"})
        exist(world, a=SMALL)
        listed(world)
        assert queue(world)["caps"]["cluster_seconds"] == 0

    def test_a_cluster_of_each_run_has_the_time_that_it_takes_to_start(self, world):
        world.settings = local_settings(D2C_CLUSTER='{"num_workers": 2}')
        accept(world, {"table": "*"})
        exist(world, a=SMALL)
        listed(world)
        assert queue(world)["caps"]["cluster_seconds"] > 0

    def test_small_tables_know_how_many_share_their_load_run(self, world):
        accept(world, {"table": "*"}, max_tables_per_load_run=2)
        exist(world, big=LARGE, a=SMALL, b=SMALL, c=SMALL)
        listed(world)
        shares = {name: file_of(world, name)["tables_per_run"] for name in names(world)}
        assert shares == {"big": 1, "a": 2, "b": 2, "c": 2}

    def test_the_start_leaves_the_estimate_which_does_not_grow_with_the_tables(self, world):
        accept(world, {"table": "shop-*"})
        exist(world, **{f"shop-{number}": SMALL for number in range(50)})
        listed(world)
        estimate = world.lake.read_json(paths.MigrationFiles("m").estimate)
        assert estimate["total"]["items"] == 50 * 7
        assert estimate["basis"]["currency"] == "USD"
        assert estimate.keys() == {"basis", "total", "lines", "tables_of_unknown_size"}

    def test_a_second_try_leaves_what_lanes_may_have_begun_with(self, world):
        accept(world, {"table": "*"})
        exist(world, a=SMALL)
        first = listed(world)
        exist(world, a=SMALL, b=SMALL)
        assert listed(world) == first
        assert names(world) == ["a"]
        assert file_of(world, "b") is None

    def test_a_cancelled_operation_lists_nothing(self, world):
        accept(world, {"table": "*"})
        exist(world, a=SMALL)
        world.cancel()
        error_of(world.answer(list_tables, an_operation()), "cancelled")
        assert queue(world) is None

    def test_what_was_listed_before_it_was_cancelled_is_left_to_the_lanes(self, world):
        accept(world, {"table": "*"})
        exist(world, a=SMALL)
        first = listed(world)
        world.cancel()
        assert listed(world) == first

    def test_a_try_that_broke_off_is_made_good_by_the_next(self, world):
        accept(world, {"table": "*"}, share_load_run_below_bytes=0)
        exist(world, a=SMALL, b=SMALL)
        listed(world)
        world.lake.delete(paths.MigrationFiles("m").work(0).queue)
        world.lake.delete(paths.MigrationFiles("m").work(0).table("b"))
        assert listed(world)["tables"] == 2
        assert names(world) == ["a", "b"]
        assert file_of(world, "b")

    def test_a_table_that_cannot_be_described_is_listed_and_says_so_itself_later(self, world):
        accept(world, {"table": "gone"}, {"table": "there"})
        exist(world, there=SMALL)
        assert listed(world)["tables"] == 2

    def test_a_pattern_that_matches_nothing_is_told(self, world):
        accept(world, {"table": "shop-*"})
        exist(world, other=SMALL)
        assert "shop-*" in error_of(world.answer(list_tables, an_operation()))["detail"]

    def test_a_plan_that_is_gone_is_told(self, world):
        assert "no longer in the lake" in error_of(world.answer(list_tables, an_operation()))["detail"]

    def test_the_queue_knows_when_tables_may_be_taken(self, world):
        times = {"between": ["22:00", "06:00"], "time_zone": "Europe/Berlin"}
        accept(world, {"table": "*"}, **times)
        exist(world, a=SMALL)
        listed(world)
        assert queue(world)["times"] == times

    def test_an_export_that_arrived_enters_at_the_copy_and_dynamodb_is_not_asked(self, world):
        arrived = {"folder": "exports/theirs", "bytes": 70, "export": {"items": 7}}
        accept(world, {"table": "Music"})
        path = paths.MigrationFiles("m").plan
        world.lake.write_json(path, {**world.lake.read_json(path), "arrived": arrived})
        world.dynamodb = None
        assert listed(world) == {"tables": 1, "export": {}, "copy": 1, "load": 1}
        assert (file_of(world)["arrived"], file_of(world)["size_bytes"]) == (arrived, 70)


RECORD = a_record(
    table="a",
    container="a",
    rules={"numbers": "reject"},
    limits={"max_rejected_items": 0},
    throughput={"load_ru_per_second": "auto"},
    size_bytes=SMALL,
    item_count=7,
    state="failed",
    stages=[],
)
FOUND = {name: RECORD[name] for name in ("source", "export", "copy", "described")}


class TestRetriedTables:
    @pytest.fixture
    def failed(self, world):
        accept(world, {"table": "*"}, share_load_run_below_bytes=0)
        exist(world, a=SMALL, b=SMALL)
        listed(world)
        world.lake.write_json(paths.MigrationFiles("m").table("a").record, RECORD)
        return world

    def retried(self, world, caps=None, **changes):
        asked = {"kind": "retry", "tables": [{"table": "a", **changes}], "caps": caps or {}}
        world.lake.write_json(paths.MigrationFiles("m").operation(1), asked)
        assert listed(world, 1)["tables"] == 1
        assert names(world, 1) == ["a"]
        return file_of(world, "a", 1)

    def found(self, table):
        return [name for name in FOUND if name in table]

    def test_they_keep_what_their_stages_found(self, failed):
        table = self.retried(failed)
        assert FOUND.items() <= table.items()
        assert (table["operation"], table["rules"], table["stages"]) == (1, {"numbers": "reject"}, [])

    @pytest.mark.parametrize(
        ("lost", "enters", "lanes"),
        [
            ((), "load", ({}, 0, 1)),
            (("copy",), "copy", ({}, 1, 1)),
            (("copy", "export"), "export", ({REGION: 1}, 1, 1)),
        ],
    )
    def test_they_enter_where_they_stopped_and_only_the_lanes_that_they_need_are_run(
        self, failed, lost, enters, lanes
    ):
        kept = {name: value for name, value in RECORD.items() if name not in lost}
        failed.lake.write_json(paths.MigrationFiles("m").table("a").record, kept)
        self.retried(failed)
        (queued,) = queue(failed, 1)["tables"]
        assert (queued["enters"], queued["items"]) == (enters, None if "export" in lost else 7)
        counts = listed(failed, 1)
        assert (counts["export"], counts["copy"], counts["load"]) == lanes

    def test_what_the_failed_try_did_is_not_taken_for_done(self, failed):
        done = {"prepare_began": "t", "is_asked_for": True, "is_prepared": True, "restored": None}
        failed.lake.write_json(paths.MigrationFiles("m").table("a").record, {**RECORD, **done})
        assert not {*done, "load", "error", "state"} & self.retried(failed).keys()

    def test_a_retry_may_have_other_caps(self, failed):
        self.retried(failed, {"max_parallel_loads": 9})
        caps = queue(failed, 1)["caps"]
        assert (caps["load"], caps["copy"]) == (9, 20)

    def test_they_come_in_the_order_of_all(self, failed):
        exist(failed, a=SMALL, b=SMALL)
        asked = {"kind": "retry", "tables": [{"table": "b"}, {"table": "a"}], "caps": {}}
        failed.lake.write_json(paths.MigrationFiles("m").operation(1), asked)
        listed(failed, 1)
        assert names(failed, 1) == ["a", "b"]

    def test_a_request_that_is_gone_is_told(self, failed):
        error = error_of(failed.answer(list_tables, an_operation(operation=1, kind="retry")))
        assert paths.MigrationFiles("m").operation(1) in error["detail"]

    def test_a_container_that_nothing_was_written_to_is_looked_at_anew(self, failed):
        record = {**RECORD, "load": None}
        failed.lake.write_json(paths.MigrationFiles("m").table("a").record, record)
        assert self.found(self.retried(failed)) == ["source", "export", "copy"]

    def test_a_load_that_was_cut_off_may_have_written_so_the_container_stays_as_it_was_described(
        self, failed
    ):
        record = {**RECORD, "load": None, "is_let_go": True, "stages": [{"stage": "prepare"}]}
        failed.lake.write_json(paths.MigrationFiles("m").table("a").record, record)
        assert "described" in self.retried(failed)

    @pytest.mark.parametrize("load", [{}, {"load": {"load_started_at": None, "error": {"stage": "assess"}}}])
    def test_so_it_does_when_the_retry_itself_did_not_come_to_its_load(self, failed, load):
        ended = {**self.retried(failed), "state": "cancelled", "stages": [{"stage": "prepare"}], **load}
        failed.lake.write_json(paths.MigrationFiles("m").table("a").record, ended)
        failed.lake.delete(paths.MigrationFiles("m").work(1).queue)
        assert "described" in self.retried(failed)

    def test_a_load_that_was_refused_in_assess_wrote_nothing(self, failed):
        load = {"load_started_at": None, "error": {"stage": "assess"}}
        record = {**RECORD, "load": load, "stages": [{"stage": "assess"}]}
        failed.lake.write_json(paths.MigrationFiles("m").table("a").record, record)
        assert "described" not in self.retried(failed)

    def test_a_table_whose_export_failed_begins_at_the_beginning(self, failed):
        record = {name: value for name, value in RECORD.items() if name not in ("export", "copy")}
        failed.lake.write_json(paths.MigrationFiles("m").table("a").record, record)
        assert self.found(self.retried(failed)) == []

    def test_settings_change_field_by_field(self, failed):
        table = self.retried(failed, limits={"max_rejected_items": 9}, verify="counts")
        assert (table["limits"], table["verify"]) == ({"max_rejected_items": 9}, "counts")
        assert table["throughput"] == {"load_ru_per_second": "auto"}

    def test_a_table_that_left_nothing_begins_as_it_did_at_first(self, failed):
        failed.lake.delete(paths.MigrationFiles("m").table("a").record)
        table = self.retried(failed)
        assert (self.found(table), table["container"], table["operation"]) == ([], "a", 1)

    def test_the_list_of_all_tables_stays_as_it_is(self, failed):
        before = failed.lake.read_json(paths.MigrationFiles("m").tables)
        self.retried(failed)
        assert failed.lake.read_json(paths.MigrationFiles("m").tables) == before

    def test_a_migration_whose_tables_were_never_listed_lists_them_now(self, world):
        accept(world, {"table": "*"})
        exist(world, a=SMALL, b=SMALL)
        world.lake.write_json(
            paths.MigrationFiles("m").operation(1), {"kind": "retry", "tables": [], "caps": {}}
        )
        assert listed(world, 1)["tables"] == 2
        assert world.lake.read_json(paths.MigrationFiles("m").tables)["operation"] == 1


class TestComparedTables:
    @pytest.fixture
    def migrated(self, world):
        accept(world, {"table": "*"})
        for name in ("a", "b"):
            kept = record(migration="m", table=name, container="shared", region=REGION, size_bytes=SMALL)
            world.lake.write_json(paths.MigrationFiles("m").table(name).record, kept)
        return world

    def compared(self, world, kind, *entries):
        asked = {"kind": kind, "tables": list(entries), "caps": {"max_parallel_loads": 3}}
        world.lake.write_json(paths.MigrationFiles("m").operation(3), asked)
        return listed(world, 3, kind)

    def entry(self, table, **changes):
        return {"table": table, "rules": None, "verify": None, **changes}

    @pytest.mark.parametrize("kind", ["verify", "replay"])
    def test_they_enter_at_the_load_and_need_no_other_lane(self, migrated, kind):
        counts = self.compared(migrated, kind, self.entry("b"), self.entry("a"))
        assert counts == {"tables": 2, "export": {}, "copy": 0, "load": 2}
        assert names(migrated, 3) == ["b", "a"]
        assert {table["enters"] for table in queue(migrated, 3)["tables"]} == {"load"}
        assert {table["container"] for table in queue(migrated, 3)["tables"]} == {"shop/shared"}

    def test_each_has_what_its_record_says(self, migrated):
        self.compared(migrated, "replay", self.entry("a", rules={"numbers": "exact"}, verify="counts"))
        table = file_of(migrated, "a", 3)
        assert (table["operation"], table["verify"], table["stages"]) == (3, "counts", [])
        scope = table["scope"]
        assert scope["rules_history"] == [{"numbers": "reject"}, {"numbers": "exact"}]
        assert (scope["documents_written"], scope["items_rejected"]) == (6, 3)

    def test_the_list_of_all_tables_and_the_estimate_are_not_touched(self, migrated):
        self.compared(migrated, "verify", self.entry("a"))
        assert not migrated.lake.exists(paths.MigrationFiles("m").tables)
        assert not migrated.lake.exists(paths.MigrationFiles("m").estimate)

    def test_a_record_that_is_gone_is_told(self, migrated):
        asked = {"kind": "verify", "tables": [self.entry("gone")], "caps": {}}
        migrated.lake.write_json(paths.MigrationFiles("m").operation(3), asked)
        error = error_of(migrated.answer(list_tables, an_operation(operation=3, kind="verify")))
        assert paths.MigrationFiles("m").table("gone").record in error["detail"]

    def test_it_obeys_its_own_cancellation_and_not_the_migrations(self, migrated):
        migrated.cancel()
        assert self.compared(migrated, "verify", self.entry("a"))["tables"] == 1
        migrated.lake.delete(paths.MigrationFiles("m").work(3).queue)
        migrated.cancel(operation=3)
        error = error_of(migrated.answer(list_tables, an_operation(operation=3, kind="verify")), "cancelled")
        assert "verify-3 of migration m" in error["detail"]


def test_tables_of_a_pattern_that_the_settings_forbid_are_refused_before_anything_is_queued(world):
    world.settings = local_settings(D2C_ALLOWED_TABLES="shop-a,shop-b")
    accept(world, {"table": "shop-*"})
    exist(world, **{"shop-a": 1, "shop-secret": 2})
    error = error_of(world.answer(list_tables, an_operation(operation=0, kind="start")))
    assert error["detail"].startswith("shop-secret.table: the app may touch only those of D2C_ALLOWED_TABLES")
    assert queue(world) is None
