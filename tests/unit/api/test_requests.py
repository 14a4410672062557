import json

import pytest

from d2c.api.requests import OperationRequest, parse_operation
from d2c.errors import BodyError

TABLES = ("Music", "Orders")


def parsed(operation, value):
    return parse_operation(operation, json.dumps(value).encode(), TABLES)


def faults(operation, body):
    with pytest.raises(BodyError) as caught:
        parse_operation(operation, body if isinstance(body, bytes) else json.dumps(body).encode(), TABLES)
    return caught.value.faults


@pytest.mark.parametrize("operation", ["verify", "replay"])
@pytest.mark.parametrize("body", [b"", b" \n", b"{}"])
def test_no_body_means_all_tables_as_before(operation, body):
    assert parse_operation(operation, body, TABLES) == OperationRequest(None, None)


def test_a_verification_names_tables_and_a_method():
    request = parsed("verify", {"tables": ["Orders"], "verify": "sample:0.5"})
    assert request == OperationRequest({"Orders": None}, "sample:0.5")


def test_a_replay_names_tables_and_just_the_rules_that_change():
    request = parsed("replay", {"tables": [{"table": "Music", "rules": {"drop": []}}, {"table": "Orders"}]})
    assert request == OperationRequest({"Music": {"drop": []}, "Orders": None})


@pytest.mark.parametrize("operation", ["verify", "replay"])
@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'"x"', b"\xff"])
def test_what_is_no_object_is_refused_with_one_fault(operation, body):
    assert len(faults(operation, body)) == 1


def test_all_faults_are_reported_at_once():
    problems = faults("verify", {"tables": ["x"], "verify": "most", "colour": 1})
    assert {fault.split(":")[0] for fault in problems} == {"tables.0", "verify", "colour"}
    problems = faults("replay", {"tables": [{"table": "Music", "rules": {"numbers": "any", "size": 1}}, {}]})
    assert {fault.split(":")[0] for fault in problems} == {
        "tables.0.rules.numbers",
        "tables.0.rules.size",
        "tables.1.table",
    }


def test_unknown_and_repeated_tables_are_named():
    problems = faults("verify", {"tables": ["Music", "Films", "Music"]})
    assert len(problems) == 2
    assert "tables.1: Films is no table" in problems[0]
    assert "tables.2: Music is in tables.0" in problems[1]


@pytest.mark.parametrize("operation", ["verify", "replay"])
def test_an_empty_list_of_tables_is_refused(operation):
    assert faults(operation, {"tables": []})[0].startswith("tables:")
