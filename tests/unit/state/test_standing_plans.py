import json

import pytest

from d2c.clients.azure.lake import Lake
from d2c.errors import ConflictError
from d2c.plan.model import MOST_PLAN_BYTES, parse_plan
from d2c.plan.tables import Location
from d2c.state.standing_plans import (
    is_standing,
    keep,
    plan_of_one_table,
    plans_for,
    standing_plans,
)
from tests.unit.file_system import SubstituteFileSystem
from tests.unit.pages import json_blocks

REGION = "eu-west-1"


def plan(name="theirs", *tables, **more):
    value = {
        "name": name,
        "database": "shop",
        "region": REGION,
        "start": "when_exports_arrive",
        "tables": list(tables) or [{"table": "shop-*"}],
        **more,
    }
    return parse_plan(json.dumps(value).encode())


@pytest.fixture
def lake():
    return Lake(SubstituteFileSystem())


def put(lake, path, plan):
    lake.write(path, json.dumps(plan.model_dump(mode="json", exclude_unset=True)).encode())


class TestKeep:
    def test_a_plan_that_is_posted_lies_where_one_lies_that_is_dropped(self, lake):
        keep(lake, plan())
        (entry,) = standing_plans(lake)
        assert (entry.path, entry.plan) == ("plans/theirs.json", plan())

    def test_the_largest_plan_that_is_taken_is_not_too_large_as_a_file(self, lake):
        marks = {"set": {"mark": "\u00e9" * 450}}
        tables = [{"table": f"Table{number}", "rules": marks} for number in range(1000)]
        value = plan().model_dump(mode="json", exclude_unset=True) | {"tables": tables}
        largest = parse_plan(json.dumps(value, ensure_ascii=False).encode())
        keep(lake, largest)
        assert [entry.plan for entry in standing_plans(lake)] == [largest]

    def test_the_same_plan_again_changes_nothing(self, lake):
        keep(lake, plan())
        before = lake.read("plans/theirs.json")
        keep(lake, plan())
        assert lake.read("plans/theirs.json") == before

    @pytest.mark.parametrize("there", [b"{", b'{"name": "theirs"}'])
    def test_what_lies_there_otherwise_is_not_overwritten(self, lake, there):
        lake.write("plans/theirs.json", there)
        with pytest.raises(ConflictError, match=r"plans/theirs\.json is another plan"):
            keep(lake, plan())
        assert lake.read("plans/theirs.json") == there

    def test_another_plan_of_the_name_is_a_conflict(self, lake):
        keep(lake, plan())
        with pytest.raises(ConflictError):
            keep(lake, plan("theirs", {"table": "Music"}))


class TestStandingPlans:
    def test_only_plans_that_wait_for_exports_and_are_without_faults_count(self, lake):
        put(lake, "plans/team/a.json", plan("a"))
        put(lake, "plans/now.json", plan("now", {"table": "Music"}, start="now"))
        lake.write("plans/broken.json", b"\xff{")
        lake.write("plans/empty.json", b"")
        lake.write("plans/a.json.accepted", b"{}")
        lake.write("plans/huge.json", b" " * (MOST_PLAN_BYTES + 1))
        assert [entry.path for entry in standing_plans(lake)] == ["plans/team/a.json"]

    def test_without_plans_there_are_none(self, lake):
        assert standing_plans(lake) == []


@pytest.mark.parametrize(
    ("table", "region", "names"),
    [
        ("shop-orders", REGION, ["prefix"]),
        ("shop-old", REGION, ["by-name"]),
        ("shop-orders", "eu-central-1", []),
        ("Music", REGION, []),
    ],
)
def test_a_plan_speaks_of_a_table_by_name_pattern_exclusion_and_region(lake, table, region, names):
    put(lake, "plans/1.json", plan("prefix", {"table": "shop-*"}, exclude=["shop-old*"]))
    put(lake, "plans/2.json", plan("by-name", {"table": "shop-old"}))
    put(lake, "plans/3.json", plan("elsewhere", {"table": "*", "region": "us-east-1"}))
    assert [
        entry.plan.name for entry in plans_for(standing_plans(lake), table, Location(None, region))
    ] == names


def test_the_plan_of_one_table_has_its_settings_and_starts_now():
    standing = plan(
        "theirs",
        {"table": "shop-*", "rules": {"numbers": "string"}, "source": {"hash_key": "pk"}},
        {"table": "Music", "container": "music"},
        verify="counts",
        limits={"max_rejected_items": 5},
        between=["22:00", "06:00"],
        time_zone="Europe/Berlin",
        exclude=["shop-old"],
    )
    one = plan_of_one_table(standing, "shop-orders", Location(None, REGION), "theirs-1")
    assert (one.name, one.start, one.between, one.time_zone) == (
        "theirs-1",
        "now",
        ["22:00", "06:00"],
        "Europe/Berlin",
    )
    (table,) = one.table_inputs()
    assert table == standing.table_input(standing.tables[0], "shop-orders")
    assert (table["container"], table["verify"], table["rules"]) == (
        "shop-orders",
        "counts",
        {"numbers": "string"},
    )
    assert parse_plan(one.model_dump_json(exclude_none=True).encode()).digest() == one.digest()


def test_the_page_shows_a_standing_plan_that_is_without_faults():
    shown = json_blocks("operate/events.md")[1]
    assert is_standing(parse_plan(json.dumps(shown).encode()))
