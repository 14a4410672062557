import json
import re

import pytest
from jsonschema import Draft202012Validator

from d2c.errors import PlanError
from d2c.foreign_json import quoted
from d2c.plan.model import Plan, RulesPlan, SourcePlan, TablePlan, parse_plan
from tests.unit.pages import text_of
from tools.write_plan_schema import SCHEMA_FILE, plan_schema_text

MUSIC = {"table": "Music", "container": "music"}


def plan_text(**changes):
    plan = {"name": "music-2026", "database": "shop", "region": "eu-west-1", "tables": [MUSIC], **changes}
    return json.dumps({name: value for name, value in plan.items() if value is not None}).encode()


def faults_of(text):
    with pytest.raises(PlanError) as refused:
        parse_plan(text)
    return refused.value.faults


def test_a_plan_of_the_least_fields_gets_the_defaults():
    plan = parse_plan(plan_text())
    assert plan.max_parallel_tables is None
    assert plan.table_inputs() == [
        {
            "table": "Music",
            "container": "music",
            "database": "shop",
            "region": "eu-west-1",
            "verify": "full",
            "allow_existing_documents": False,
            "indexing": "keys",
            "rules": {},
            "throughput": {"load_ru_per_second": "auto"},
            "limits": {"max_rejected_items": 0, "max_logical_partition_bytes": 20 * 2**30},
        }
    ]


def test_a_tables_fields_override_those_at_the_top():
    table = {
        **MUSIC,
        "region": "us-east-1",
        "throughput": {"load_ru_per_second": 9000},
        "rules": {"drop": ["x"]},
    }
    shared = {"after_load_ru_per_second": 400, "load_ru_per_second": 4000}
    plan = parse_plan(plan_text(tables=[table], throughput=shared, rules={"numbers": "string"}))
    (merged,) = plan.table_inputs()
    assert merged["region"] == "us-east-1"
    assert merged["throughput"] == {"load_ru_per_second": 9000, "after_load_ru_per_second": 400}
    assert merged["rules"] == {"numbers": "string", "drop": ["x"]}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"colour": 1}, "colour: unknown field"),
        ({"tables": [{**MUSIC, "colour": 1}]}, "tables.0.colour: unknown field"),
        ({"tables": [{**MUSIC, "rules": {"colour": 1}}]}, "tables.0.rules.colour: unknown field"),
        ({"tables": [{"container": "music"}]}, "tables.0.table: missing"),
        ({"name": None}, "name: missing"),
        ({"database": None}, "tables.0.database: missing, here and at the top of the plan"),
        ({"region": None}, "tables.0.region: missing, here and at the top of the plan"),
        ({"tables": [MUSIC, {**MUSIC, "container": "b"}]}, "tables.1.table: Music is in tables.0 already"),
    ],
)
def test_a_fault_names_its_field(changes, fault):
    assert fault in faults_of(plan_text(**changes))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "a b"),
        ("name", "../x"),
        ("name", "x" * 49),
        ("region", "Mars"),
        ("database", "a/b"),
        ("database", "ends in a space "),
        ("tables", []),
        ("max_parallel_tables", 0),
        ("max_parallel_tables", 1001),
        ("max_parallel_tables", "4"),
        ("verify", "sample:2"),
        ("verify", "sample:0.0"),
        ("limits", {"max_rejected_items": -1}),
        ("limits", {"max_logical_partition_bytes": 0}),
        ("throughput", {"load_ru_per_second": 450}),
        ("throughput", {"load_ru_per_second": "fast"}),
        ("rules", {"partition_key": ["a", "b", "c", "d"]}),
        ("exclude", "shop-*"),
        ("exclude", ["*-shop"]),
        ("order", "smallest_first"),
        ("max_parallel_exports", 0),
        ("max_parallel_exports", 301),
        ("max_parallel_copies", 0),
        ("max_parallel_loads", 0),
        ("max_parallel_loads", 1.5),
        ("share_load_run_below_bytes", -1),
        ("share_load_run_below_bytes", "100 MB"),
        ("max_tables_per_load_run", 0),
        ("start", "later"),
        ("start_at", "2026-11-06T22:00:00"),
        ("start_at", "2026-11-06"),
        ("start_at", "2026-13-06T22:00:00Z"),
        ("start_at", "2026-02-30T22:00:00Z"),
        ("start_at", "2026-11-06T22:00:00+25:00"),
        ("start_at", "9999-12-31T23:59:59-12:00"),
        ("start_at", "1700000000"),
        ("start_at", 1700000000),
        ("between", ["22:00"]),
        ("between", ["22:00", "06:00", "07:00"]),
        ("between", ["22:00", "22:00"]),
        ("between", ["22:00", "24:00"]),
        ("between", ["22:00", "6:00"]),
        ("between", "22:00-06:00"),
        ("between", {"from": "22:00", "to": "06:00"}),
        ("time_zone", "Europe/Atlantis"),
        ("time_zone", "../../etc/passwd"),
        ("time_zone", "Europe"),
        ("time_zone", ""),
        ("time_zone", "\0"),
        ("time_zone", "x" * 5000),
        ("time_zone", 1),
    ],
)
def test_a_value_out_of_its_range_is_refused_by_name(field, value):
    faults = faults_of(plan_text(**{field: value}))
    assert all(fault.startswith((field, "time_zone: missing")) for fault in faults)


@pytest.mark.parametrize(
    "table", ["*shop", "sh*op", "shop**", "sh", "shop?", "a/b*", "", "x" * 256, "x" * 255 + "*"]
)
def test_a_pattern_is_the_beginning_of_names_and_one_star(table):
    faults = faults_of(plan_text(tables=[{"table": table}]))
    assert faults == (
        f"tables.0.table: {quoted(table)} is not a DynamoDB table name, 3 to 255 letters, digits, -, _ or ., "
        "or a prefix of names followed by one *",
    )


@pytest.mark.parametrize("table", ["*", "s*", "shop-*", "x" * 254 + "*"])
def test_a_plan_may_name_tables_by_how_they_begin(table):
    plan = parse_plan(plan_text(tables=[{"table": table}]))
    assert plan.tables[0].container is None
    assert plan.table_inputs() == [], "a pattern is resolved once tables are listed"


def test_a_container_without_a_name_is_called_as_its_table():
    (table,) = parse_plan(plan_text(tables=[{"table": "Music"}])).table_inputs()
    assert table["container"] == "Music"


def test_settings_for_many_tables_have_defaults():
    plan = parse_plan(plan_text())
    assert (plan.order, plan.start, plan.exclude) == ("largest_first", "now", [])
    assert (plan.max_parallel_exports, plan.max_parallel_copies, plan.max_parallel_loads) == (50, 20, 4)
    assert (plan.share_load_run_below_bytes, plan.max_tables_per_load_run) == (104_857_600, 20)
    assert (plan.start_at, plan.between, plan.time_zone) == (None, None, None)


@pytest.mark.parametrize(
    "moment", ["2026-11-06T22:00:00+01:00", "2026-11-06T22:00Z", "2026-11-06T22:00:00.123-03:30"]
)
def test_a_start_is_a_moment_with_its_offset(moment):
    assert parse_plan(plan_text(start_at=moment)).start_at == moment


@pytest.mark.parametrize("time_zone", ["Europe/Berlin", "UTC", "America/St_Johns", "Asia/Kathmandu"])
def test_a_window_is_by_the_clock_of_its_time_zone(time_zone):
    plan = parse_plan(plan_text(between=["22:00", "06:00"], time_zone=time_zone))
    assert (plan.between, plan.time_zone) == (["22:00", "06:00"], time_zone)


def test_a_plan_is_read_alike_from_its_text_and_from_its_json():
    text = plan_text(
        between=["22:00", "06:00"], time_zone="UTC", start_at="2026-11-06T22:00Z", exclude=["a*"]
    )
    plan = parse_plan(text)
    assert Plan.model_validate(json.loads(text)) == plan
    assert Plan.model_validate(plan.model_dump(mode="json", exclude_none=True)) == plan


def test_a_source_is_part_of_its_table():
    tables = [{**MUSIC, "source": {"hash_key": "Artist"}}]
    (table,) = parse_plan(plan_text(tables=tables)).table_inputs()
    assert table["source"] == {"hash_key": "Artist", "range_key": None, "ttl_attribute": None}


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ({}, "tables.0.source.hash_key: missing"),
        ({"hash_key": ""}, "tables.0.source.hash_key: should have at least 1 character"),
        ({"hash_key": "a", "sort_key": "b"}, "tables.0.source.sort_key: unknown field"),
    ],
)
def test_a_fault_in_a_source_is_named(source, fault):
    assert faults_of(plan_text(tables=[{**MUSIC, "source": source}])) == (fault,)


def test_all_faults_come_at_once():
    text = plan_text(colour=1, name="a b", tables=[{"container": "x"}], database=None)
    assert faults_of(text)[1:] == (
        "tables.0.table: missing",
        "colour: unknown field",
        "tables.0.database: missing, here and at the top of the plan",
    )


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"null"])
def test_a_plan_that_is_not_a_json_object_is_rejected(text):
    assert faults_of(text)


def test_equal_plans_have_equal_digests_in_any_order_of_fields():
    plan = json.loads(plan_text())
    turned = dict(reversed(plan.items()))
    assert parse_plan(json.dumps(plan).encode()).digest() == parse_plan(json.dumps(turned).encode()).digest()
    assert parse_plan(plan_text()).digest() != parse_plan(plan_text(verify="counts")).digest()


def test_a_name_out_of_its_pattern_is_refused_in_words():
    assert "name: 'a b' is not 1 to 48 letters, digits, - or _" in faults_of(plan_text(name="a b"))[0]


def test_the_published_schema_is_that_of_the_model():
    assert SCHEMA_FILE.read_text() == plan_schema_text(), "run: .venv/bin/python -m tools.write_plan_schema"


def plans_of_the_documentation():
    return [block.split("```")[0] for block in text_of("start/plan.md").split("```json")[1:]]


@pytest.mark.parametrize("text", plans_of_the_documentation())
def test_plans_in_the_documentation_are_valid(text):
    assert parse_plan(text.encode()).name
    Draft202012Validator(json.loads(SCHEMA_FILE.read_text())).validate(json.loads(text))


@pytest.mark.parametrize(
    "changes",
    [
        {"between": ["22:00"]},
        {"between": ["22:00", "6:00"]},
        {"start_at": "2026-11-06T22:00:00"},
        {"exclude": ["*a"]},
        {"max_parallel_exports": 301},
        {"tables": [{"container": "a"}]},
        {"colour": 1},
    ],
)
def test_the_schema_rejects_the_same_plans_as_the_app(changes):
    schema = Draft202012Validator(json.loads(SCHEMA_FILE.read_text()))
    assert schema.is_valid(json.loads(plan_text()))
    assert not schema.is_valid(json.loads(plan_text(**changes)))
    assert faults_of(plan_text(**changes))


def test_every_field_of_a_plan_is_in_the_documentation():
    page = re.sub(r"```.*?```", "", text_of("start/plan.md"), flags=re.DOTALL)
    documented = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`([^`]+)`", page))))
    models = (Plan, TablePlan, RulesPlan, SourcePlan)
    assert {field for model in models for field in model.model_fields} <= documented
