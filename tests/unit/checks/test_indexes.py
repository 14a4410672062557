import json

import pytest

from d2c.checks.cosmos.indexes import check_indexes, check_shared_indexing
from d2c.clients.azure.cosmos.management import Container
from d2c.load_run.mappers import table_mapper
from d2c.mapping.container import find_concerns
from d2c.mapping.indexing import TableIndex, default_policy, policy_of, policy_with
from d2c.plan.model import parse_plan
from tests.unit.plan.test_model import plan_text

from .fakes import finding

BY_STATE = TableIndex("byState", "GSI", ("State",), ("Total",), ("S", "N"))
LOCAL = TableIndex("byPlace", "LSI", ("pk",), ("Place",), ("S", "B"))
EIGHT = TableIndex("eight", "GSI", tuple("abcd"), tuple("efgh"), ("S",) * 8)


def found(*indexes, policy=None, is_new=True, **rules):
    mapper = table_mapper("pk", "sk", None, rules)
    keys = [name for index in indexes for name in index.keys]
    policy = policy or policy_of("keys", mapper.rules, keys)
    return check_indexes("shop/all", mapper.rules, indexes, policy, is_new=is_new)


def json_in(text, after):
    """Return the first JSON value in a text after a word."""
    beginning = text.index(after) + len(after)
    return json.JSONDecoder().raw_decode(text[beginning:].lstrip(" :"))[0]


def test_the_policy_is_told_with_its_cost():
    told = finding(found(), "indexing").finding
    assert told == (
        "Its policy will index /pk/?, /sk/?: a write costs about 1.1 times as many RU as without indexes."
    )
    assert (
        "indexes every property" in finding(found(policy=default_policy(), is_new=False), "indexing").finding
    )


def test_each_secondary_index_has_its_query_its_paths_and_its_composite_index():
    told = finding(found(BY_STATE), "secondary index")
    assert (told.state, told.thing) == ("ok", "GSI byState")
    assert "WHERE c.State = @1 ORDER BY c.Total uses the indexes of /State/?, /Total/?" in told.finding
    assert "asks all partitions" in told.finding
    assert json_in(told.finding, "its composite index would be: ") == [
        {"path": "/State", "order": "ascending"},
        {"path": "/Total", "order": "ascending"},
    ]


def test_a_local_index_reads_one_partition_and_bytes_have_another_order():
    told = finding(found(LOCAL), "secondary index").finding
    assert "it reads one partition" in told
    assert "Place is base64 text" in told


def test_numbers_as_text_have_another_order():
    told = finding(found(BY_STATE, numbers="string"), "secondary index").finding
    assert "Total is text, since rules.numbers is string" in told
    assert "is text" not in finding(found(BY_STATE), "secondary index").finding


def test_names_are_those_of_the_documents():
    told = finding(found(BY_STATE, rename={"State": "the state"}), "secondary index").finding
    assert 'WHERE c["the state"] = @1' in told
    assert '/"the state"/?' in told


def test_several_sort_keys_need_a_composite_index_which_a_plan_takes_as_it_is_told():
    told = finding(found(EIGHT), "secondary index")
    assert told.state == "warning"
    assert [each["path"] for each in json_in(told.next_step, "queries sort so: ")] == [
        f"/{name}" for name in "abcdefgh"
    ]
    proposed = json_in(finding(found(EIGHT), "indexing").finding, "properties needs, it is")
    plan = parse_plan(plan_text(tables=[{"table": "Music", **proposed}]))
    policy = plan.table_inputs()[0]["indexing"]
    again = found(EIGHT, policy=policy)
    assert finding(again, "secondary index").state == "ok"
    assert "With a composite index" not in finding(again, "indexing").finding


def test_an_index_of_a_dropped_attribute_has_no_counterpart():
    told = finding(found(BY_STATE, drop=["State"]), "secondary index")
    assert (told.state, "State is dropped" in told.finding) == ("warning", True)


def test_a_policy_without_a_path_says_which_to_add():
    told = finding(found(BY_STATE, policy=policy_with(["pk", "State"]), is_new=False), "secondary index")
    assert told.state == "warning"
    assert "reads every document: the indexing policy has no path for Total" in told.finding
    assert json_in(told.next_step, "includedPaths: ") == [{"path": "/Total/?"}]


def test_all_serves_every_index():
    assert finding(found(BY_STATE, policy=default_policy()), "secondary index").state == "ok"


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        (policy_with(["pk", "sk"]), None),
        (policy_with(["pk"]), "no index for /sk/?"),
        ({"indexingMode": "none"}, "no index for /pk/?, /sk/?"),
        (default_policy(), "a write costs about 2 times"),
    ],
)
def test_an_existing_policy_that_costs_more_or_lacks_a_path_is_a_concern(policy, told):
    concerns = find_concerns(Container(("/pk",), None, indexing_policy=policy), policy_with(["pk", "sk"]))
    assert [told in concern.cause for concern in concerns] == ([] if told is None else [True])
    assert all("where it cannot be changed" in concern.next_step for concern in concerns)


def sharer(table, *indexed, container="all"):
    return {"table": table, "database": "shop", "container": container, "indexed": list(indexed) or None}


def test_tables_with_other_keys_in_one_new_container_are_told_the_policy_for_all():
    (told,) = check_shared_indexing([sharer("Music", "pk", "kind"), sharer("Orders", "pk", "kind", "State")])
    assert (told["thing"], told["state"]) == ("shop/all", "warning")
    policy = json_in(told["next_step"], "in the plan: ")["indexing"]
    assert policy == policy_with(["pk", "kind", "State"])


@pytest.mark.parametrize(
    "tables",
    [
        [sharer("Music", "pk"), sharer("Orders", "pk")],
        [sharer("Music", "pk"), sharer("Orders")],
        [sharer("Music", "pk"), sharer("Orders", "sk", container="orders")],
    ],
)
def test_tables_whose_keys_all_get_an_index_are_not(tables):
    assert check_shared_indexing(tables) == []
