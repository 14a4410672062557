import json

import pytest
from boto3.dynamodb.types import TypeSerializer

from d2c.plan.model import parse_plan
from localcloud.demo.run import demo_plan
from localcloud.demo.tables import TABLES

TYPES = {"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"}


@pytest.fixture(scope="module")
def items():
    return {table.name: list(table.items()) for table in TABLES}


def test_the_plan_is_one_that_the_app_takes():
    plan = parse_plan(json.dumps(demo_plan()).encode())
    assert [table.table for table in plan.tables] == [table.name for table in TABLES]


def test_there_is_real_data_enough_with_different_keys(items):
    assert sum(map(len, items.values())) > 50_000
    assert len({(table.hash_key, table.range_key) for table in TABLES}) == len(TABLES) >= 4


def test_keys_are_unique_so_that_no_item_replaces_another(items):
    for table in TABLES:
        names = [key[0] for key in (table.hash_key, table.range_key) if key]
        keys = {tuple(item[name] for name in names) for item in items[table.name]}
        assert len(keys) == len(items[table.name])


def test_a_sort_key_holds_what_no_document_id_may(items):
    assert all("#" in item["Strike"] and "/" in item["Strike"] for item in items["BirdStrikes"])


def test_every_type_is_there_and_in_nested_places_too(items):
    serialize = TypeSerializer().serialize
    found = set()

    def visit(tagged):
        ((tag, value),) = tagged.items()
        found.add(tag)
        for member in value.values() if tag == "M" else value if tag == "L" else ():
            visit(member)

    for item in items["EveryType"]:
        visit(serialize(item))
    assert found == TYPES
