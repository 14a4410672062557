import json

import pytest

from d2c.mapping import KeySchema, RulesError, parse_rules

PK_SK = KeySchema("pk", "sk")


def faults_of(given, key_schema=PK_SK, **options):
    with pytest.raises(RulesError) as caught:
        parse_rules(given, key_schema, **options)
    return caught.value.faults


@pytest.mark.parametrize(
    ("key_schema", "given", "partition_key", "document_id"),
    [
        (KeySchema("pk"), {}, ("pk",), ("pk",)),
        (PK_SK, {}, ("pk",), ("sk",)),
        (PK_SK, {"partition_key": ["pk"]}, ("pk",), ("sk",)),
        (PK_SK, {"partition_key": ["sk"]}, ("sk",), ("pk", "sk")),
        (PK_SK, {"partition_key": ["pk", "x"]}, ("pk", "x"), ("pk", "sk")),
        (PK_SK, {"partition_key": ["pk", "sk"], "document_id": ["pk"]}, ("pk", "sk"), ("pk",)),
    ],
)
def test_defaults_come_from_the_key_schema(key_schema, given, partition_key, document_id):
    rules = parse_rules(given, key_schema)
    assert (rules.partition_key, rules.document_id) == (partition_key, document_id)


def test_time_to_live_is_converted_where_the_table_has_it_on():
    assert parse_rules({}, PK_SK).ttl_attribute is None
    rules = parse_rules({}, PK_SK, ttl_attribute="t")
    assert (rules.ttl_attribute, rules.container_has_ttl) == ("t", True)
    off = parse_rules({"ttl": "off"}, PK_SK, ttl_attribute="t")
    assert (off.ttl_attribute, off.container_has_ttl) == (None, False)


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ([], "rules"),
        ("x", "rules"),
        (None, "rules"),
        ({"partition_keys": ["a"]}, "partition_keys"),
        ({"partition_key": "pk"}, "partition_key"),
        ({"partition_key": []}, "partition_key"),
        ({"partition_key": None}, "partition_key"),
        ({"partition_key": ["a", "b", "c", "d"]}, "partition_key"),
        ({"partition_key": ["pk", "pk"]}, "partition_key"),
        ({"partition_key": [""]}, "partition_key"),
        ({"partition_key": [5]}, "partition_key"),
        ({"partition_key": [["pk"]]}, "partition_key"),
        ({"partition_key": ["pk", 'a"b']}, "partition_key"),
        ({"partition_key": ["pk", "a\\b"]}, "partition_key"),
        ({"partition_key": ["pk", "t"], "set": {"t": {"a": 1}}}, "partition_key"),
        ({"partition_key": ["pk", "t"], "set": {"t": ""}}, "partition_key"),
        ({"partition_key": ["pk", "t"], "set": {"t": "x"}, "rename": {"t": "u"}}, "partition_key"),
        ({"document_id": []}, "document_id"),
        ({"document_id": ["sk", "other"]}, "document_id"),
        ({"document_id": ["pk"]}, "document_id"),
        ({"partition_key": ["t"], "document_id": ["sk"]}, "document_id"),
        ({"partition_key": ["t"], "document_id": ["sk"], "set": {"t": "x"}}, "document_id"),
        ({"drop": "a"}, "drop"),
        ({"drop": ["pk"]}, "drop"),
        ({"drop": ["sk"]}, "drop"),
        ({"drop": ["t"], "partition_key": ["t", "pk"]}, "drop"),
        ({"drop": ["a", "a"]}, "drop"),
        ({"rename": ["a"]}, "rename"),
        ({"rename": {"a": ""}}, "rename"),
        ({"rename": {"a": "b", "": "c"}}, "rename"),
        ({"rename": {"a": 5}}, "rename"),
        ({"rename": {"a": "id"}}, "rename"),
        ({"rename": {"a": "_etag"}}, "rename"),
        ({"rename": {"a": "\ud800"}}, "rename"),
        ({"rename": {"a": "b"}, "drop": ["a"]}, "rename"),
        ({"rename": {"pk": "sk"}}, "rename"),
        ({"rename": {"pk": "t"}, "set": {"t": "x"}}, "rename"),
        ({"set": {"sk": "x"}}, "rename"),
        ({"set": ["a"]}, "set"),
        ({"set": {"id": "x"}}, "set"),
        ({"set": {"_ts": 1}}, "set"),
        ({"set": {"a": 2**53 + 1}}, "set"),
        ({"set": {"a": -(2**53) - 1}}, "set"),
        ({"set": {"a": float("nan")}}, "set"),
        ({"set": {"a": [float("inf")]}}, "set"),
        ({"set": {"a": "\ud800"}}, "set"),
        ({"set": {"a": {"\ud800": 1}}}, "set"),
        ({"set": {"a": {1, 2}}}, "set"),
        ({"set": {"a": (1, 2)}}, "set"),
        ({"set": {"a": {1: 2}}}, "set"),
        ({"set": {"a": float("-inf")}}, "set"),
        ({"set": {"a": 1, "b": float("nan")}}, "set"),
        ({"set": {"a": [1, float("nan")]}}, "set"),
        ({"set": {"a": {"x": 1, "y": float("nan")}}}, "set"),
        ({"set": {"a": 1, "": 2}}, "set"),
        ({"set": {"": 1}}, "set"),
        ({"set": {"a": json.loads("[" * 40 + "]" * 40)}}, "set"),
        ({"numbers": "round"}, "numbers"),
        ({"numbers": []}, "numbers"),
        ({"ttl": True}, "ttl"),
        ({"ttl": "convert"}, "ttl"),
    ],
)
def test_an_unknown_or_impossible_rule_is_refused_by_its_name(given, rule):
    assert [fault.partition(":")[0] for fault in faults_of(given)] == [rule]


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("x", "rules: must be a JSON object"),
        (
            {"colour": 1},
            "colour: unknown rule; known rules are document_id, drop, numbers, partition_key, rename, set, ttl",
        ),
        ({"document_id": []}, "document_id: must be a list of one or two different key attributes"),
        ({"numbers": 5}, "numbers: must be one of exact, reject, string"),
        ({"ttl": 5}, "ttl: must be one of convert, off"),
    ],
)
def test_a_fault_of_form_says_what_a_rule_must_be(given, fault):
    assert faults_of(given) == (fault,)


@pytest.mark.parametrize("nest", [lambda inner: [inner], lambda inner: {"a": inner}])
def test_a_constant_nests_as_deep_as_values_of_dynamodb_do(nest):
    constant = 1
    for _ in range(32):
        constant = nest(constant)
    assert parse_rules({"set": {"a": constant}}, PK_SK).constants == {"a": constant}
    assert faults_of({"set": {"a": nest(constant)}})


@pytest.mark.parametrize(
    "constant", [None, True, False, "", 0, 2**53, -(2**53), 1.5, -1e308, [], {}, [None], {"": None}]
)
def test_a_constant_may_be_any_json_that_is_stored_unchanged(constant):
    assert parse_rules({"set": {"a": constant}}, PK_SK).constants == {"a": constant}


def test_a_constant_called_like_a_key_attribute_of_the_partition_key_is_told_as_such():
    faults = faults_of({"partition_key": ["pk"], "set": {"pk": "x"}})
    assert faults[0].startswith("partition_key: `pk` is an attribute and a constant")


def test_the_error_has_all_faults_in_its_text():
    with pytest.raises(RulesError, match=r"^numbers: must be .*; ttl: must be "):
        parse_rules({"numbers": 5, "ttl": 5}, PK_SK)


def test_all_faults_of_form_are_reported_at_once():
    faults = faults_of({"numbers": "round", "colour": 1, "drop": 5})
    assert {fault.partition(":")[0] for fault in faults} == {"numbers", "colour", "drop"}


def test_all_impossible_rules_are_reported_at_once():
    faults = faults_of(
        {"drop": ["pk"], "rename": {"a": "_ts"}, "set": {"id": 1}, "document_id": ["pk"], "ttl": "convert"}
    )
    assert {fault.partition(":")[0] for fault in faults} == {"drop", "rename", "set", "document_id", "ttl"}


def test_faults_of_form_and_impossible_rules_are_reported_together():
    faults = faults_of(
        {"numbers": "round", "colour": 1, "drop": ["pk"], "rename": {"a": "_ts"}, "document_id": ["pk"]},
        ttl_attribute="t",
        container_has_ttl=False,
    )
    told = [fault.partition(":")[0] for fault in faults]
    assert sorted(told) == ["colour", "document_id", "drop", "numbers", "rename", "ttl"]


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        # Each would be possible if the first rule were correct.
        ({"partition_key": ["sk", 5], "document_id": ["pk"]}, ["partition_key"]),
        ({"partition_key": ["t", 5], "set": {"pk": "x"}}, ["partition_key"]),
        ({"partition_key": ["/t", "pk"], "set": {"/t": {1}}}, ["set"]),
        ({"partition_key": ["t.u"], "rename": {"t.u": 5}}, ["rename"]),
        ({"partition_key": ['t"u'], "rename": {'t"u': 5}}, ["rename"]),
        ({"document_id": "sk", "partition_key": ["t", "pk"]}, ["document_id"]),
        ({"set": {"t": {1}}, "partition_key": ["t", "pk"], "drop": ["t"]}, ["set"]),
        ({"rename": {"sk": 5}, "set": {"sk": "x"}}, ["rename"]),
        ({"drop": "t", "rename": {"t": "u"}}, ["drop"]),
    ],
)
def test_a_fault_caused_by_another_is_not_reported(given, rules):
    told = faults_of(given, ttl_attribute="until")
    assert [fault.partition(":")[0] for fault in told] == rules


@pytest.mark.parametrize("container_has_ttl", [True, False])
def test_ttl_is_reserved_whether_or_not_time_to_live_is_on(container_has_ttl):
    assert faults_of({"rename": {"a": "ttl"}}, container_has_ttl=container_has_ttl)
    assert faults_of({"set": {"ttl": 5}}, container_has_ttl=container_has_ttl)


def test_converting_into_a_container_without_time_to_live_is_refused():
    assert "off" in faults_of({}, ttl_attribute="t", container_has_ttl=False)[0]


def test_a_container_without_time_to_live_takes_a_table_whose_items_do_not_expire():
    rules = parse_rules({"ttl": "off"}, PK_SK, ttl_attribute="t", container_has_ttl=False)
    assert (rules.ttl_attribute, rules.container_has_ttl) == (None, False)
    assert len(faults_of({"ttl": 5}, ttl_attribute="t", container_has_ttl=False)) == 1


def test_converting_time_to_live_may_be_said_although_it_is_the_default():
    assert parse_rules({"ttl": "convert"}, PK_SK, ttl_attribute="t").ttl_attribute == "t"


def test_a_constant_can_replace_a_dropped_attribute_in_the_partition_key():
    rules = parse_rules({"drop": ["t"], "set": {"t": "x"}, "partition_key": ["t", "pk"]}, PK_SK)
    assert rules.required_attributes == ("pk", "sk")


def test_renaming_away_makes_room_for_a_constant():
    rules = parse_rules({"rename": {"pk": "customer"}, "set": {"pk": "x"}}, KeySchema("sk", None))
    assert rules.constants == {"pk": "x"}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("/pk2", "name the attribute, 'pk2'"),
        ("/product/sku", "only one at the top of an item"),
        ("product/sku", "only one at the top of an item"),
        ("product.sku", "only one at the top of an item"),
    ],
)
def test_a_path_in_place_of_an_attribute_is_refused_with_what_was_probably_meant(name, meant):
    (fault,) = faults_of({"partition_key": [name]})
    assert repr(name) in fault
    assert meant in fault


@pytest.mark.parametrize(
    ("key_schema", "given"),
    [
        (KeySchema("/pk"), {}),
        (KeySchema("a.b"), {"partition_key": ["a.b"]}),
        (PK_SK, {"partition_key": ["a.b"], "rename": {"a.b": "a_b"}}),
        (PK_SK, {"partition_key": ["/kind", "pk"], "set": {"/kind": "x"}}),
    ],
)
def test_an_attribute_that_is_surely_called_like_a_path_is_taken(key_schema, given):
    assert parse_rules(given, key_schema)


def test_a_fault_quotes_little_of_a_long_name():
    long = "x" * 60_000
    faults = faults_of({"partition_key": [long], "drop": [long], "rename": {long: "ttl"}, long: 1})
    assert all(len(fault) < 500 for fault in faults)
