import pytest

from d2c.mapping import KeySchema, parse_rules
from d2c.mapping.indexing import (
    TableIndex,
    composite_of,
    default_policy,
    indexed_properties,
    indexes_all,
    is_indexed,
    is_late,
    late_policy,
    missing_keys,
    named_paths,
    policy_of,
    with_composites,
    write_factor,
)

KEYS = KeySchema("CustomerId", "OrderedAt")
BY_STATE = TableIndex("byState", "GSI", ("State",), ("Total",), ("S", "N"))
EIGHT = TableIndex("eight", "GSI", ("a", "b", "c", "d"), ("e", "f", "g", "h"))


def rules(ttl_attribute=None, keys=KEYS, **given):
    return parse_rules(given, keys, ttl_attribute=ttl_attribute)


def paths(policy, part="includedPaths"):
    return [each["path"] for each in policy[part]]


def test_keys_indexes_the_keys_of_the_table_and_its_indexes_and_nothing_else():
    policy = policy_of("keys", rules(), BY_STATE.keys)
    assert paths(policy) == ["/CustomerId/?", "/OrderedAt/?", "/State/?", "/Total/?"]
    assert paths(policy, "excludedPaths") == ["/*", '/"_etag"/?']
    assert (policy["indexingMode"], policy["automatic"]) == ("consistent", True)


def test_time_to_live_adds_ttl():
    assert paths(policy_of("keys", rules(ttl_attribute="until"), ()))[-1] == "/ttl/?"


@pytest.mark.parametrize(
    ("given", "properties"),
    [
        ({"rename": {"State": "status"}}, ["CustomerId", "OrderedAt", "status", "Total"]),
        ({"drop": ["State"]}, ["CustomerId", "OrderedAt", "Total"]),
        (
            {"set": {"kind": "order"}, "partition_key": ["CustomerId", "kind"]},
            ["CustomerId", "kind", "OrderedAt", "State", "Total"],
        ),
    ],
)
def test_an_index_is_on_what_is_mapped(given, properties):
    assert indexed_properties(rules(**given), BY_STATE.keys) == properties


def test_names_of_cosmos_db_are_indexed_under_the_names_that_they_get():
    found = indexed_properties(rules(keys=KeySchema("pk", "id")), ["ttl", "_ts"])
    # `id` is always indexed.
    assert found == ["pk", "dynamodb_ttl", "dynamodb__ts"]


def test_a_name_that_is_not_plain_is_quoted_and_one_that_no_path_holds_is_left_out():
    index = TableIndex("odd", "GSI", ("a b",), ('with"quote',))
    assert paths(policy_of("keys", rules(), index.keys))[2:] == ['/"a b"/?']
    assert list(missing_keys(rules(), index)) == ['with"quote']
    assert composite_of(rules(), index) is None


def test_all_is_the_service_s_default_and_a_policy_is_taken_as_it_is():
    own = {"indexingMode": "consistent", "includedPaths": [], "excludedPaths": [{"path": "/*"}]}
    assert policy_of("all", rules(), ()) == {
        "indexingMode": "consistent",
        "automatic": True,
        "includedPaths": [{"path": "/*"}],
        "excludedPaths": [{"path": '/"_etag"/?'}],
    }
    assert policy_of(own, rules(), BY_STATE.keys) == own


def test_a_composite_index_has_the_keys_of_a_secondary_index_in_order():
    renamed = rules(rename={"Total": "total sum"})
    assert composite_of(renamed, BY_STATE) == [
        {"path": "/State", "order": "ascending"},
        {"path": '/"total sum"', "order": "ascending"},
    ]
    assert [each["path"] for each in composite_of(rules(), EIGHT)] == [f"/{name}" for name in "abcdefgh"]
    assert composite_of(rules(), TableIndex("one", "GSI", ("State",))) is None
    assert composite_of(rules(), TableIndex("nine", "GSI", tuple("abcdefghi"))) is None
    assert composite_of(rules(drop=["State"]), BY_STATE) is None


def test_composite_indexes_are_added_once():
    policy = with_composites(policy_of("keys", rules(), ()), rules(), [BY_STATE, EIGHT])
    assert len(policy["compositeIndexes"]) == 2
    assert with_composites(policy, rules(), [BY_STATE, EIGHT]) == policy


@pytest.mark.parametrize(
    ("included", "excluded", "is_it"),
    [
        (["/*"], [], True),
        (["/"], [], True),
        (["/*"], ["/State/?"], False),
        (["/*"], ['/"State"/*'], False),
        (["/State/?"], ["/*"], True),
        (["/State/?"], ["/State/*", "/*"], True),
        (["/State/*"], ["/State/?", "/*"], False),
        (["/Other/?"], ["/*"], False),
        ([], [], False),
    ],
)
def test_the_most_precise_path_decides(included, excluded, is_it):
    policy = {
        "indexingMode": "consistent",
        "includedPaths": [{"path": path} for path in included],
        "excludedPaths": [{"path": path} for path in excluded],
    }
    assert is_indexed(policy, "State") is is_it


def test_a_part_that_a_policy_lacks_has_no_path():
    assert is_indexed({"includedPaths": [{"path": "/*"}]}, "State")
    assert not is_indexed({"excludedPaths": None}, "State")
    assert named_paths({}) == []


def test_without_an_index_nothing_is_indexed_and_id_is_with_any():
    assert not is_indexed({"indexingMode": "none"}, "id")
    assert not indexes_all({**default_policy(), "indexingMode": "none"})
    assert all(is_indexed(policy_of("keys", rules(), ()), name) for name in ("id", "_ts"))


def test_a_write_costs_twice_as_much_with_all_properties_and_somewhat_more_with_each_path():
    lean = policy_of("keys", rules(), BY_STATE.keys)
    assert write_factor({"indexingMode": "none"}) == 1
    assert write_factor(policy_of("keys", rules(), ())) == pytest.approx(1.1)
    assert write_factor(lean) == pytest.approx(1.2)
    assert write_factor(with_composites(lean, rules(), [BY_STATE])) == pytest.approx(1.25)
    assert write_factor(default_policy()) == 2
    assert write_factor(with_composites(default_policy(), rules(), [BY_STATE])) == pytest.approx(2.05)
    many = [f"a{number}" for number in range(100)]
    assert write_factor(policy_of("keys", rules(), many)) == 2


def test_named_paths_are_those_of_single_properties():
    policy = {"includedPaths": [{"path": path} for path in ("/a/?", "/a/b/?", "/c/*", "/*")]}
    assert named_paths(policy) == ["/a/?"]


def test_a_container_that_is_loaded_without_indexes_is_known_by_its_policy():
    late = late_policy()
    assert (write_factor(late), late["indexingMode"], named_paths(late)) == (1, "consistent", [])
    quoted = {**late, "excludedPaths": [{"path": "/*"}, {"path": '/"d2c_indexes_after_load"/?'}]}
    assert is_late(late)
    assert is_late(quoted)
    assert not is_late(policy_of("keys", rules(), ()))
    assert not is_late({"excludedPaths": [{"path": "/*"}]})
