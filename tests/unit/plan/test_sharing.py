"""Tables whose containers share their database's throughput."""

import pytest

from d2c.plan.model import parse_plan
from d2c.plan.tables import Location, resolve_tables, table_input_of

from .test_model import faults_of, plan_text
from .test_tables import faults

EU = Location(None, "eu-west-1")
SHARED = {"throughput": {"kind": "shared"}}
LEAST = {"ru_per_second": 400, "autoscale": False}


def sharing(*tables, **changes):
    return parse_plan(plan_text(tables=list(tables), **changes))


def many(count):
    return {"tables": [{"table": "s-*", **SHARED}]}, {EU: [f"s-{n}" for n in range(count)]}


def test_each_table_knows_what_its_database_is_created_with_and_how_many_share_it():
    asked = sharing({"table": "a-*", **SHARED}, {"table": "own"}, {"table": "else", "database": "other"})
    found = {each["table"]: each["throughput"] for each in resolve_tables(asked, {EU: ["a-1", "a-2"]})}
    shared = {"kind": "shared", "load_ru_per_second": "auto", "database": LEAST, "sharers": 2}
    assert found["a-1"] == found["a-2"] == shared
    # It may come first, and a database gets throughput when it is created or never.
    assert found["own"] == {"load_ru_per_second": "auto", "database": LEAST}
    assert found["else"] == {"load_ru_per_second": "auto"}


def test_a_table_of_a_standing_plan_knows_it_too():
    asked = sharing({"table": "a-*", **SHARED}, {"table": "own"})
    assert table_input_of(asked, "own", EU)["throughput"]["database"] == LEAST


@pytest.mark.parametrize(
    ("wanted", "created"),
    [
        ({"ru_per_second": 1200}, {"ru_per_second": 1200, "autoscale": False}),
        ({"kind": "autoscale"}, {"ru_per_second": 1000, "autoscale": True}),
        ({"kind": "autoscale", "ru_per_second": 4100}, {"ru_per_second": 5000, "autoscale": True}),
    ],
)
def test_the_plan_says_what_the_database_is_created_with(wanted, created):
    asked = sharing({"table": "Music", **SHARED}, database_throughput=wanted)
    assert asked.table_inputs()[0]["throughput"]["database"] == created


def test_the_kind_at_the_top_counts_for_tables_without_their_own():
    asked = sharing({"table": "one"}, {"table": "own", "throughput": {"kind": "manual"}}, **SHARED)
    assert [each["throughput"]["kind"] for each in asked.table_inputs()] == ["shared", "manual"]


def test_a_database_is_shared_by_25_containers_at_most():
    asked, existing = many(25)
    assert len(resolve_tables(parse_plan(plan_text(**asked)), existing)) == 25
    asked, existing = many(26)
    (fault,) = faults(parse_plan(plan_text(**asked)), existing)
    assert fault.startswith(
        "26 containers of the database shop have throughput.kind shared, and 25 can share"
    )
    (listed,) = faults_of(plan_text(tables=[{"table": f"s-{n}", **SHARED} for n in range(26)]))
    assert listed == fault


@pytest.mark.parametrize("field", ["load_ru_per_second", "after_load_ru_per_second"])
def test_a_container_that_shares_has_no_ru_of_its_own(field):
    entry = {"table": "Music", "throughput": {"kind": "shared", field: 800}}
    (fault,) = faults_of(plan_text(tables=[entry]))
    assert fault.startswith(
        f"tables.0.throughput.{field}: with throughput.kind shared the container has no RU/s"
    )
    # At the top they are for the tables that do not share.
    assert sharing({"table": "Music", **SHARED}, throughput={field: 800})


def test_throughput_of_a_database_that_nobody_shares_is_a_fault():
    (fault,) = faults_of(plan_text(database_throughput={"ru_per_second": 400}))
    assert fault.startswith("database_throughput: no table has throughput.kind shared")


def test_tables_of_one_container_share_or_do_not():
    def entry(name, **more):
        rules = {"set": {"kind": name}, "partition_key": ["Artist", "kind"]}
        return {"table": name, "container": "all", "rules": rules, **more}

    (fault,) = faults_of(plan_text(tables=[entry("Music", **SHARED), entry("Notes")]))
    assert "share the container shop/all, but only one has throughput.kind shared" in fault
