import json

import pytest

from d2c.errors import PlanError
from d2c.plan import parse_plan
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
    assert plan.max_parallel_tables == 4
    assert plan.table_inputs() == [
        {
            "table": "Music",
            "container": "music",
            "database": "shop",
            "region": "eu-west-1",
            "verify": "full",
            "allow_existing_documents": False,
            "rules": {},
            "throughput": {"load_ru_per_second": "auto"},
            "limits": {"max_rejected_items": 0, "max_logical_partition_bytes": 20 * 2**30},
        }
    ]


def test_what_a_table_says_wins_over_the_top_field_by_field():
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
        ("max_parallel_tables", "4"),
        ("verify", "sample:2"),
        ("verify", "sample:0.0"),
        ("limits", {"max_rejected_items": -1}),
        ("limits", {"max_logical_partition_bytes": 0}),
        ("throughput", {"load_ru_per_second": 450}),
        ("throughput", {"load_ru_per_second": "fast"}),
        ("rules", {"partition_key": ["a", "b", "c", "d"]}),
    ],
)
def test_a_value_out_of_its_range_is_refused_by_name(field, value):
    assert any(fault.startswith(field) for fault in faults_of(plan_text(**{field: value})))


def test_all_faults_come_at_once():
    text = plan_text(colour=1, name="a b", tables=[{"container": "x"}], database=None)
    assert faults_of(text)[1:] == (
        "tables.0.table: missing",
        "colour: unknown field",
        "tables.0.database: missing, here and at the top of the plan",
    )


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"null"])
def test_what_is_no_json_object_is_refused_in_words(text):
    assert faults_of(text)


def test_tables_that_share_a_container_need_different_constants_in_their_keys():
    orders = {"table": "Orders", "container": "music"}
    assert "share the container shop/music" in faults_of(plan_text(tables=[MUSIC, orders]))[0]

    def marked(table, kind):
        return {**table, "rules": {"set": {"kind": kind}, "partition_key": ["kind", "Artist"]}}

    assert faults_of(plan_text(tables=[marked(MUSIC, "m"), marked(orders, "m")]))
    assert parse_plan(plan_text(tables=[marked(MUSIC, "m"), marked(orders, "o")]))


def test_equal_plans_have_equal_digests_whatever_the_order_of_their_fields():
    plan = json.loads(plan_text())
    turned = dict(reversed(plan.items()))
    assert parse_plan(json.dumps(plan).encode()).digest() == parse_plan(json.dumps(turned).encode()).digest()
    assert parse_plan(plan_text()).digest() != parse_plan(plan_text(verify="counts")).digest()


def test_a_name_out_of_its_pattern_is_refused_in_words():
    assert "name: 'a b' is not 1 to 48 letters, digits, - or _" in faults_of(plan_text(name="a b"))[0]


def test_the_published_schema_is_that_of_the_model():
    assert SCHEMA_FILE.read_text() == plan_schema_text(), "run: .venv/bin/python -m tools.write_plan_schema"


def test_the_plan_in_the_documentation_is_one():
    page = SCHEMA_FILE.with_name("plan.md").read_text()
    parse_plan(page.split("```json")[1].split("```")[0].encode())
