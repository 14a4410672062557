import json

import pytest

from d2c.api.requests import OperationRequest, RetryRequest, parse_operation, parse_retry
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


CAPS = ("max_parallel_exports", "max_parallel_copies", "max_parallel_loads", "max_parallel_tables")


class TestRetry:
    def parsed(self, value, known=TABLES):
        return parse_retry(json.dumps(value).encode(), known)

    def faults(self, value, known=TABLES):
        with pytest.raises(BodyError) as caught:
            self.parsed(value, known)
        return caught.value.faults

    @pytest.mark.parametrize("body", [b"", b" \n", b"{}"])
    def test_no_body_means_all_tables_with_the_plans_caps(self, body):
        assert parse_retry(body, TABLES) == RetryRequest(None, {})

    def test_a_retry_names_tables_and_just_what_changes(self):
        changes = {"table": "Music", "rules": {"drop": []}, "verify": "counts"}
        assert self.parsed({"tables": [changes, {"table": "Orders"}]}).tables == [
            changes,
            {"table": "Orders"},
        ]

    def test_a_retry_changes_just_the_caps_that_it_names(self):
        request = self.parsed({"max_parallel_copies": 7, "max_parallel_tables": None})
        assert request == RetryRequest(None, {"max_parallel_copies": 7})

    @pytest.mark.parametrize("field", CAPS)
    @pytest.mark.parametrize("value", [0, -1, 1001, 1.5, "4", True])
    def test_a_cap_is_held_to_the_bounds_of_the_plan(self, field, value):
        (fault,) = self.faults({field: value})
        assert fault.startswith(f"{field}:")

    def test_aws_allows_no_more_exports_at_once(self):
        assert self.parsed({"max_parallel_exports": 300}).caps == {"max_parallel_exports": 300}
        assert len(self.faults({"max_parallel_exports": 301})) == 1

    def test_before_the_tables_were_listed_caps_may_change_and_no_table_is_named(self):
        assert self.parsed({"max_parallel_loads": 1}, None) == RetryRequest(None, {"max_parallel_loads": 1})
        (fault,) = self.faults({"tables": [{"table": "Music"}]}, None)
        assert "ended before its tables were listed" in fault

    def test_other_caps_of_the_plan_are_not_changed(self):
        assert len(self.faults({"max_tables_per_load_run": 1})) == 1
