import json

import pytest

from d2c.api.requests import Asked, parse_body
from d2c.errors import BodyError
from d2c.mapping.rule_changes import faults_of_rules

TABLES = ("Music", "Orders")
SOURCE = {"hash_key": "Artist", "range_key": "Song", "ttl_attribute": "until"}


def parsed(operation, value):
    return parse_body(operation, json.dumps(value).encode(), TABLES)


def faults(operation, body):
    with pytest.raises(BodyError) as caught:
        parse_body(operation, body if isinstance(body, bytes) else json.dumps(body).encode(), TABLES)
    return caught.value.faults


@pytest.mark.parametrize("operation", ["verify", "replay"])
@pytest.mark.parametrize("body", [b"", b" \n", b"{}"])
def test_no_body_asks_for_all_tables_as_before(operation, body):
    assert parse_body(operation, body, TABLES) == Asked(None, None)


def test_a_verification_names_tables_and_a_method():
    asked = parsed("verify", {"tables": ["Orders"], "verify": "sample:0.5"})
    assert asked == Asked({"Orders": None}, "sample:0.5")


def test_a_replay_names_tables_and_just_the_rules_that_change():
    asked = parsed("replay", {"tables": [{"table": "Music", "rules": {"drop": []}}, {"table": "Orders"}]})
    assert asked == Asked({"Music": {"drop": []}, "Orders": None})


@pytest.mark.parametrize("operation", ["verify", "replay"])
@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'"x"', b"\xff"])
def test_what_is_no_object_is_refused_with_one_fault(operation, body):
    assert len(faults(operation, body)) == 1


def test_all_faults_are_told_at_once():
    found = faults("verify", {"tables": ["x"], "verify": "most", "colour": 1})
    assert {fault.split(":")[0] for fault in found} == {"tables.0", "verify", "colour"}
    found = faults("replay", {"tables": [{"table": "Music", "rules": {"numbers": "any", "size": 1}}, {}]})
    assert {fault.split(":")[0] for fault in found} == {
        "tables.0.rules.numbers",
        "tables.0.rules.size",
        "tables.1.table",
    }


def test_tables_that_are_not_the_migrations_and_that_stand_twice_are_named():
    found = faults("verify", {"tables": ["Music", "Films", "Music"]})
    assert len(found) == 2
    assert "tables.1: Films is no table" in found[0]
    assert "tables.2: Music is in tables.0" in found[1]


@pytest.mark.parametrize("operation", ["verify", "replay"])
def test_an_empty_list_of_tables_is_refused(operation):
    assert faults(operation, {"tables": []})[0].startswith("tables:")


BEFORE = {"partition_key": ["kind", "Artist"], "set": {"kind": "song", "by": "us"}, "rename": {"a": "b"}}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"partition_key": ["kind", "Song"]}, "partition_key"),
        ({"partition_key": ["Artist"]}, "partition_key"),
        ({"rename": {"Artist": "by_whom"}}, "rename"),
        ({"set": {"kind": "tune", "by": "us"}}, "set"),
        ({"document_id": ["Song"]}, "document_id"),
        ({"ttl": "off"}, "ttl"),
    ],
)
def test_rules_that_decide_where_documents_lie_stay_as_they_are(change, rule):
    found = faults_of_rules(BEFORE, {**BEFORE, **change}, SOURCE)
    assert found[0].startswith(f"{rule}: a replay may not change")


@pytest.mark.parametrize(
    "change",
    [
        {"numbers": "string"},
        {"drop": ["x"]},
        {"rename": {}},
        {"rename": {"c": "d"}},
        {"set": {"kind": "song"}},
        {"ttl": "convert"},
        {"document_id": ["Artist", "Song"]},
        {"partition_key": ["kind", "Artist"]},
    ],
)
def test_other_rules_may_change_and_what_says_the_same_in_other_words_does_not(change):
    assert faults_of_rules(BEFORE, {**BEFORE, **change}, SOURCE) == []


def test_true_and_one_are_two_constants():
    before = {"partition_key": ["kind"], "set": {"kind": 1}, "document_id": ["Artist", "Song"]}
    assert faults_of_rules(before, {**before, "set": {"kind": True}}, SOURCE)


def test_impossible_rules_are_refused_with_their_own_faults():
    found = faults_of_rules(BEFORE, {**BEFORE, "drop": ["Artist"], "rename": {"x": "id"}}, SOURCE)
    assert {fault.split(":")[0] for fault in found} == {"drop", "rename"}
