import json
from datetime import UTC, datetime

import pytest

from d2c.clients.aws.dynamodb import RecoveryWindow, TableDescription
from d2c.errors import PermanentError, PlanError
from d2c.mapping.indexing import TableIndex
from d2c.plan.model import parse_plan
from d2c.proposal.answers import with_answer
from d2c.proposal.pricing import price_of
from d2c.proposal.proposing import asked_plan, find_tables, look_at, name_for, proposal
from tests.unit.clients.settings import local_settings

ON = RecoveryWindow(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC))
OFF = RecoveryWindow(None, None)
BY_STATE = TableIndex("byState", "GSI", ("State",), ("Total",), ("S", "N"))
FOUR = TableIndex("four", "GSI", ("a", "b"), ("c", "d"), ("S",) * 4)
LSI = TableIndex("byPlace", "LSI", ("pk",), ("Place",), ("S", "S"))
LARGE = 50 * 10**9


def table(range_key="sk", size_bytes=10**6, ttl=None, items=1000, **more):
    return TableDescription("arn", "pk", range_key, items, size_bytes, ttl, **more)


class Tables:
    """DynamoDB with some tables; one that is an exception cannot be described."""

    def __init__(self, recovery=ON, **tables):
        self.tables = {name.replace("_", "-"): found for name, found in tables.items()}
        self.recovery = recovery

    def list_tables(self):
        return list(self.tables)

    def describe_table(self, name):
        if isinstance(self.tables[name], Exception):
            raise self.tables[name]
        return self.tables[name]

    def recovery_window(self, name):
        return self.recovery


def proposed(dynamodb, *names, **asked):
    plan = asked_plan(
        {"region": "eu-west-1", "database": "shop", "tables": list(names or ["shop-*"]), **asked}
    )
    tables = find_tables(plan, lambda place: dynamodb)
    seen = look_at(tables, lambda place: dynamodb)
    return proposal(plan, seen, price_of(plan, tables, seen, local_settings()))


def questions(found, field=None):
    """Return the questions about tables, all or those about a field."""
    return [each for each in found["questions"] if each["table"] and field in (None, each["field"])]


def reason(found, field, table):
    return next(each for each in found["reasons"] if (each["field"], each["table"]) == (field, table))


def answered(found, number):
    plan = found["plan"]
    for question in found["questions"]:
        if question["choices"] and question["table"]:
            plan = with_answer(plan, question["table"], question["choices"][number])
    return parse_plan(json.dumps(plan).encode())


def test_a_proposal_is_a_valid_plan_that_round_trips_through_the_plan_s_door():
    found = proposed(
        Tables(shop_a=table(), shop_b=table(), other=table()), account="111122223333", exclude=["shop-b"]
    )
    plan = parse_plan(json.dumps(found["plan"]).encode())
    assert plan.model_dump(mode="json", exclude_unset=True) == found["plan"]
    assert list(found["plan"])[:3] == ["name", "region", "database"]
    assert [each.table for each in plan.tables] == ["shop-*"]
    assert (plan.name, plan.indexing, plan.order, plan.verify) == ("shop", "keys", "largest_first", "full")
    assert {each["table"] for each in found["reasons"]} == {None, "shop-a"}


@pytest.mark.parametrize(
    ("database", "name"),
    [("shop", "shop"), ("my shop/2", "my-shop-2"), ("é", "migration"), ("a" * 80, "a" * 48)],
)
def test_a_plan_is_called_like_its_database_as_far_as_names_go(database, name):
    assert name_for(database) == name


def test_the_reasons_name_key_time_to_live_and_indexes():
    found = proposed(Tables(shop_a=table(ttl="until", indexes=(BY_STATE, LSI))))
    key = reason(found, "rules.partition_key", "shop-a")
    assert key["value"] == "/pk"
    assert "the document id is made of sk" in key["reason"]
    assert "local secondary index" in key["reason"]
    assert "attribute until" in reason(found, "rules.ttl", "shop-a")["reason"]
    indexing = reason(found, "indexing", "shop-a")
    assert indexing["value"] == "keys"
    assert (
        "GSI byState, LSI byPlace: /pk/?, /sk/?, /State/?, /Total/?, /Place/?, /ttl/?" in indexing["reason"]
    )


def test_the_price_counts_each_table_once():
    found = proposed(Tables(shop_a=table(), shop_b=table(size_bytes=LARGE, range_key=None)))
    assert [each["table"] for each in found["estimate"]["tables"]] == ["shop-b", "shop-a"]
    assert found["estimate"]["total"]["bytes"] == LARGE + 10**6


def test_a_table_that_is_as_it_should_be_raises_no_question():
    assert questions(proposed(Tables(shop_a=table(indexes=(BY_STATE,))))) == []


def test_tables_on_demand_may_be_idle():
    found = proposed(Tables(shop_a=table(), shop_b=table(read_units=5)))
    (asked,) = [each for each in found["questions"] if each["table"] is None]
    assert (asked["field"], asked["question"][:31]) == ("throughput.kind", "1 of 2 tables are on demand. Wi")
    scaled = with_answer(found["plan"], None, asked["choices"][1])
    plan = parse_plan(json.dumps(scaled).encode())
    assert (plan.throughput.kind, plan.throughput.load_ru_per_second) == ("autoscale", "auto")
    provisioned = proposed(Tables(shop_a=table(write_units=5)))
    assert [each for each in provisioned["questions"] if each["table"] is None] == []


def test_a_table_without_recovery_is_turned_on_or_left_out():
    found = proposed(Tables(recovery=OFF, shop_a=table(), shop_b=table()))
    asked = questions(found, "exclude")
    assert [each["table"] for each in asked] == ["shop-a", "shop-b"]
    assert (
        "update-continuous-backups --region eu-west-1 --table-name shop-a" in asked[0]["choices"][0]["answer"]
    )
    assert answered(found, 0).exclude == []
    out = with_answer(found["plan"], "shop-a", asked[0]["choices"][1])
    assert parse_plan(json.dumps(out).encode()).exclude == ["shop-a"]


def test_a_table_of_its_own_name_is_left_out_by_taking_its_entry_away():
    found = proposed(Tables(recovery=OFF, shop_a=table(), shop_b=table()), "shop-a", "shop-b")
    out = with_answer(found["plan"], "shop-a", questions(found)[0]["choices"][1])
    assert [each["table"] for each in out["tables"]] == ["shop-b"]
    assert "exclude" not in out


@pytest.mark.parametrize(
    ("large", "is_asked"),
    [
        (table(size_bytes=LARGE), True),
        (table(size_bytes=LARGE, range_key=None), False),
        (table(size_bytes=LARGE, indexes=(LSI,)), False),
        (table(size_bytes=10**9), False),
    ],
)
def test_a_logical_partition_that_may_be_too_large_is_asked_for(large, is_asked):
    found = proposed(Tables(shop_a=large))
    assert bool(questions(found, "rules.partition_key")) is is_asked
    if is_asked:
        assert answered(found, 0).table_inputs() == []
        (entry,) = answered(found, 1).table_inputs()
        assert entry["rules"]["partition_key"] == ["pk", "sk"]


def test_several_sort_keys_may_need_composite_indexes():
    found = proposed(Tables(shop_a=table(indexes=(FOUR,))))
    assert [each["field"] for each in questions(found)] == ["indexing"]
    (entry,) = answered(found, 1).table_inputs()
    assert [each["path"] for each in entry["indexing"]["compositeIndexes"][0]] == ["/a", "/b", "/c", "/d"]


def test_a_provisioned_table_says_what_its_application_uses():
    found = proposed(Tables(shop_a=table(read_units=100, write_units=50)), "shop-a")
    (entry,) = answered(found, 1).table_inputs()
    assert entry["throughput"]["after_load_ru_per_second"] == 700
    assert "after_load_ru_per_second" not in answered(found, 0).table_inputs()[0]["throughput"]


def test_answers_to_several_questions_of_a_table_meet_in_one_entry():
    found = proposed(Tables(shop_a=table(size_bytes=LARGE, indexes=(FOUR,), write_units=100), shop_b=table()))
    plan = answered(found, 1)
    assert [each.table for each in plan.tables] == ["shop-a", "shop-*"]
    assert plan.tables[0].model_fields_set == {"table", "rules", "indexing", "throughput"}


def test_what_cannot_be_looked_at_or_mapped_is_a_task_of_the_user():
    refused = PermanentError("DynamoDB table shop-a in eu-west-1: denied.", "Grant it.")
    odd = TableDescription("arn", 'p"k', None, 0, 0, None)
    found = proposed(Tables(shop_a=refused, shop_b=odd))
    told = {(each["table"], each["field"]): each for each in questions(found)}
    assert "denied. Grant it." in told["shop-a", "table"]["question"]
    assert "partition_key" in told["shop-b", "rules"]["question"]
    assert "counts no items" in told["shop-b", "table"]["question"]
    assert all(each["choices"] == [] for each in told.values())
    assert found["estimate"]["tables_of_unknown_size"] == ["shop-a"]


def test_a_pattern_without_tables_and_too_many_tables_are_refused():
    with pytest.raises(PlanError, match=r"no table in eu-west-1 matches crm-\*"):
        proposed(Tables(shop_a=table()), "crm-*")
    with pytest.raises(PlanError, match="1,001 tables match"):
        proposed(Tables(**{f"shop_{number}": table() for number in range(1001)}))


def small(count, **more):
    return Tables(**{f"shop_{n}": table(**more) for n in range(10, 10 + count)})


def sharing_question(found):
    (asked,) = [each for each in found["questions"] if "share" in each["question"]]
    return asked


def test_many_small_tables_may_share_their_databases_throughput():
    found = proposed(small(3))
    asked = sharing_question(found)
    assert (asked["table"], asked["field"]) == (None, "throughput.kind")
    assert "1,200 RU/s in all at least" in asked["choices"][0]["answer"]
    assert with_answer(found["plan"], None, asked["choices"][0]) == found["plan"]
    plan = parse_plan(json.dumps(with_answer(found["plan"], None, asked["choices"][1])).encode())
    kinds = {entry.table: entry.throughput and entry.throughput.kind for entry in plan.tables}
    assert kinds == {"shop-*": None, "shop-10": "shared", "shop-11": "shared", "shop-12": "shared"}


def test_more_than_25_share_several_databases():
    found = proposed(small(40))
    asked = sharing_question(found)
    assert "400 RU/s in each of the databases shop, shop-2" in asked["choices"][1]["answer"]
    plan = parse_plan(json.dumps(with_answer(found["plan"], None, asked["choices"][1])).encode())
    assert plan.shared_databases == {"shop", "shop-2"}
    assert [entry.database for entry in plan.tables].count("shop-2") == 15


@pytest.mark.parametrize(
    "third",
    [table(size_bytes=LARGE, items=10**7), table(write_units=100), PermanentError("It is gone.", "Look.")],
)
def test_few_large_and_busy_tables_are_not_asked_about(third):
    dynamodb = small(2)
    dynamodb.tables["shop-30"] = third
    assert [each for each in proposed(dynamodb)["questions"] if "share" in each["question"]] == []


def test_a_table_provisioned_for_no_more_than_the_least_is_not_asked_what_it_needs():
    assert questions(proposed(Tables(shop_a=table(read_units=5, write_units=5)))) == []
