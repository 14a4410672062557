import json

import pytest

from activities.units import list_revisited, list_tables, take_unit
from d2c.clients.aws.dynamodb import TableDescription
from d2c.errors import PermanentError
from d2c.plan.model import Plan
from d2c.state import paths
from tests.builders import TABLE_ARN

from .answers import error_of, value_of

SMALL, LARGE = 10**6, 10**12


def accept(world, *tables, **more):
    """Accept a plan of tables."""
    plan = {"name": "m", "database": "shop", "region": "eu-west-1", "tables": list(tables), **more}
    Plan.model_validate(plan)
    content = {"plan": plan, "accepted_at": "2026-06-01T12:00:00.000+00:00"}
    world.lake.write_json(paths.plan_path("m"), content)


def exist(world, **sizes):
    """Let tables of these sizes exist in DynamoDB."""

    def describe(name):
        if name not in sizes:
            raise PermanentError(f"there is no {name}", "")
        return TableDescription(TABLE_ARN, "pk", None, 7, sizes[name], None)

    world.dynamodb.describe_table = describe
    world.dynamodb.list_tables = lambda: list(sizes)


def listed(world, round_number=0):
    return value_of(world.answer(list_tables, {"migration": "m", "round": round_number}))


def units(world, name=0):
    folder = paths.operation_folder("m", name)
    count = len(world.lake.read_json(paths.members_path(folder))["units"])
    return [world.lake.read_json(paths.unit_path(folder, number)) for number in range(count)]


def names(world, name=0):
    return [[table["table"] for table in unit["tables"]] for unit in units(world, name)]


class TestListTables:
    def test_patterns_come_to_the_tables_that_there_are_largest_first(self, world):
        accept(world, {"table": "shop-*"}, share_load_run_below_bytes=0)
        exist(world, **{"shop-a": 1, "shop-b": 3, "other": 9, "shop-c": 2})
        assert listed(world) == {"tables": 3, "lanes": 3}
        assert names(world) == [["shop-b"], ["shop-c"], ["shop-a"]]
        entries = world.lake.read_json(paths.tables_path("m"))["tables"]
        assert [(entry["table"], entry["container"], entry["unit"]) for entry in entries] == [
            ("shop-b", "shop-b", 0),
            ("shop-c", "shop-c", 1),
            ("shop-a", "shop-a", 2),
        ]

    def test_the_first_round_leaves_the_estimate_which_does_not_grow_with_the_tables(self, world):
        accept(world, {"table": "shop-*"})
        exist(world, **{f"shop-{number}": SMALL for number in range(50)})
        listed(world)
        estimate = world.lake.read_json(paths.estimate_path("m"))
        assert estimate["total"]["items"] == 50 * 7
        assert estimate["basis"]["currency"] == "USD"
        assert estimate.keys() == {"basis", "total", "lines", "tables_of_unknown_size"}

    def test_small_tables_are_one_unit_and_share_a_load_run(self, world):
        accept(world, {"table": "*"})
        exist(world, big=LARGE, a=SMALL, b=SMALL)
        listed(world)
        assert names(world) == [["big"], ["a", "b"]]
        alone, together = units(world)
        assert (alone["together"], alone["tables"][0]["load_group"]) == (False, None)
        assert together["tables"][0]["load_group"] == {"id": "0-1", "tables": ["a", "b"]}

    def test_no_more_tables_share_a_load_run_than_may_run_at_once(self, world):
        accept(world, {"table": "*"}, max_parallel_tables=2)
        exist(world, **dict.fromkeys("abcdef", SMALL))
        listed(world)
        assert {len(unit) for unit in names(world)} == {2}
        assert {unit["max_parallel_tables"] for unit in units(world)} == {2}

    def test_a_second_try_leaves_what_lanes_may_have_begun_with(self, world):
        accept(world, {"table": "*"})
        exist(world, a=SMALL)
        first = listed(world)
        exist(world, a=SMALL, b=SMALL)
        assert listed(world) == first
        assert names(world) == [["a"]]

    def test_a_try_that_broke_off_is_made_good_by_the_next(self, world):
        accept(world, {"table": "*"}, share_load_run_below_bytes=0)
        exist(world, a=SMALL, b=SMALL)
        listed(world)
        folder = paths.operation_folder("m", 0)
        world.lake.delete(paths.members_path(folder))
        world.lake.delete(paths.unit_path(folder, 1))
        assert listed(world)["tables"] == 2
        assert names(world) == [["a"], ["b"]]

    def test_a_table_that_cannot_be_described_is_listed_and_says_so_itself_later(self, world):
        accept(world, {"table": "gone"}, {"table": "there"})
        exist(world, there=SMALL)
        assert listed(world)["tables"] == 2

    def test_a_pattern_that_matches_nothing_is_told(self, world):
        accept(world, {"table": "shop-*"})
        exist(world, other=SMALL)
        assert "shop-*" in error_of(world.answer(list_tables, {"migration": "m", "round": 0}))["detail"]

    def test_a_plan_that_is_gone_is_told(self, world):
        assert (
            "no longer in the lake"
            in error_of(world.answer(list_tables, {"migration": "m", "round": 0}))["detail"]
        )

    def test_caps_that_can_be_met_become_slots_and_the_others_cost_nothing(self, world):
        caps = {"max_parallel_exports": 3, "max_parallel_copies": 2, "max_parallel_loads": 1}
        accept(world, {"table": "*"}, max_parallel_tables=3, share_load_run_below_bytes=0, **caps)
        exist(world, **dict.fromkeys("abcdef", SMALL))
        listed(world)
        assert units(world)[0]["tables"][0]["slots"] == {"exports": None, "copies": 2, "loads": 1}

    def test_exports_of_more_than_dynamodb_takes_at_once_need_slots(self, world):
        accept(world, {"table": "*"})
        exist(world, a=60 * LARGE, b=60 * LARGE)
        listed(world)
        assert units(world)[0]["tables"][0]["slots"]["exports"] == 50

    def test_every_table_knows_when_its_stages_may_begin(self, world):
        times = {"between": ["22:00", "06:00"], "time_zone": "Europe/Berlin"}
        accept(world, {"table": "*"}, **times)
        exist(world, a=SMALL)
        listed(world)
        assert units(world)[0]["tables"][0]["times"] == times


RECORD = {
    "table": "a",
    "container": "a",
    "database": "shop",
    "region": "eu-west-1",
    "rules": {"numbers": "reject"},
    "limits": {"max_rejected_items": 0},
    "throughput": {"load_ru_per_second": "auto"},
    "verify": "full",
    "allow_existing_documents": False,
    "size_bytes": SMALL,
    "item_count": 7,
    "source": {"arn": "x"},
    "export": {"items": 7},
    "copy": {"folder": "f"},
    "described": {"peak_ru_per_second": 4000},
    "load": {"load_started_at": 1, "error": {}},
    "state": "failed",
    "stages": [],
}


class TestRetriedTables:
    @pytest.fixture
    def failed(self, world):
        accept(world, {"table": "*"}, share_load_run_below_bytes=0)
        exist(world, a=SMALL, b=SMALL)
        listed(world)
        world.lake.write_json(paths.table_record_path("m", "a"), RECORD)
        return world

    def retried(self, world, **changes):
        asked = {"tables": [{"table": "a", **changes}]}
        world.lake.write_json(paths.operation_path("m", "retry", 1), asked)
        assert listed(world, 1) == {"tables": 1, "lanes": 1}
        return units(world, 1)[0]["tables"][0]

    def test_they_keep_what_their_stages_found(self, failed):
        table = self.retried(failed)
        found = {"source": {"arn": "x"}, "export": {"items": 7}, "copy": {"folder": "f"}}
        assert table["found"] == {**found, "described": {"peak_ru_per_second": 4000}}
        assert (table["round"], table["rules"]) == (1, {"numbers": "reject"})

    def test_a_container_that_nothing_was_written_to_is_looked_at_anew(self, failed):
        record = {**RECORD, "load": None}
        failed.lake.write_json(paths.table_record_path("m", "a"), record)
        assert list(self.retried(failed)["found"]) == ["source", "export", "copy"]

    def test_a_load_that_was_cut_off_may_have_written_so_the_container_stays_as_it_was_described(
        self, failed
    ):
        record = {**RECORD, "load": None, "stages": [{"stage": "prepare"}, {"stage": "assess"}]}
        failed.lake.write_json(paths.table_record_path("m", "a"), record)
        assert "described" in self.retried(failed)["found"]

    def test_a_load_that_was_refused_in_assess_wrote_nothing(self, failed):
        load = {"load_started_at": None, "error": {"stage": "assess"}}
        record = {**RECORD, "load": load, "stages": [{"stage": "assess"}]}
        failed.lake.write_json(paths.table_record_path("m", "a"), record)
        assert "described" not in self.retried(failed)["found"]

    def test_a_table_whose_export_failed_begins_at_the_beginning(self, failed):
        record = {name: value for name, value in RECORD.items() if name not in ("export", "copy")}
        failed.lake.write_json(paths.table_record_path("m", "a"), record)
        assert self.retried(failed)["found"] == {}

    def test_settings_change_field_by_field(self, failed):
        table = self.retried(failed, limits={"max_rejected_items": 9}, verify="counts")
        assert (table["limits"], table["verify"]) == ({"max_rejected_items": 9}, "counts")
        assert table["throughput"] == {"load_ru_per_second": "auto"}

    def test_a_table_that_left_nothing_begins_as_it_did_at_first(self, failed):
        failed.lake.delete(paths.table_record_path("m", "a"))
        table = self.retried(failed)
        assert (table["found"], table["container"], table["round"]) == ({}, "a", 1)

    def test_the_list_of_all_tables_stays_as_it_is(self, failed):
        before = failed.lake.read_json(paths.tables_path("m"))
        self.retried(failed)
        assert failed.lake.read_json(paths.tables_path("m")) == before

    def test_a_migration_whose_tables_were_never_listed_lists_them_now(self, world):
        accept(world, {"table": "*"})
        exist(world, a=SMALL, b=SMALL)
        world.lake.write_json(paths.operation_path("m", "retry", 1), {"tables": []})
        assert listed(world, 1)["tables"] == 2
        assert world.lake.read_json(paths.tables_path("m"))["round"] == 1


class TestTakeUnit:
    def take(self, world, lane, turn, unit=None):
        payload = {"migration": "m", "name": 0, "folder": paths.operation_folder("m", 0), "unit": unit}
        return value_of(world.answer(take_unit, {**payload, "lane": lane, "turn": turn}))

    @pytest.fixture
    def three(self, world):
        accept(world, {"table": "*"}, share_load_run_below_bytes=0)
        exist(world, a=3, b=2, c=1)
        listed(world)
        return world

    def test_each_unit_is_taken_once_and_then_there_is_none(self, three):
        taken = [
            self.take(three, 0, 0),
            self.take(three, 1, 0),
            self.take(three, 0, 1),
            self.take(three, 1, 1),
        ]
        assert [unit and unit["tables"][0]["table"] for unit in taken] == ["a", "b", "c", None]
        assert taken[2]["number"] == 2

    def test_a_try_that_is_repeated_gets_the_same_unit(self, three):
        first = self.take(three, 0, 0)
        self.take(three, 1, 0)
        assert self.take(three, 0, 0) == first

    def test_the_places_of_the_unit_before_are_given_back(self, three):
        self.take(three, 0, 1, unit=0)
        assert three.lake.read_log(paths.slots_path("m", "tables")) == [
            {"leave": "unit 0-0", "by": "unit 0-0"}
        ]


def test_a_revisit_has_units_of_its_own_and_tables_that_share_a_container_take_turns(world):
    tables = [
        {"table": name, "database": "d", "container": container, "rules": None, "verify": None}
        for name, container in (("a", "x"), ("b", "y"), ("c", "x"))
    ]
    asked = {"tables": tables, "max_parallel_tables": 5}
    world.lake.write(paths.operation_path("m", "verify", 3), json.dumps(asked).encode())
    assert value_of(world.answer(list_revisited, {"migration": "m", "operation": "verify", "number": 3})) == {
        "lanes": 2
    }
    assert names(world, "verify-3") == [["a", "c"], ["b"]]
    assert [unit["together"] for unit in units(world, "verify-3")] == [False, False]
