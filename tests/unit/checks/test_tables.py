from datetime import UTC, datetime

import pytest

from d2c.checks.tables import check_allowed, check_table
from d2c.clients.aws.dynamodb import RecoveryWindow, TableDescription
from d2c.errors import PermanentError
from d2c.plan.model import parse_plan
from tests.unit.clients.settings import local_settings
from tests.unit.plan.test_model import plan_text

from .fakes import REFUSED, Answers, assert_all_ok, finding, states

TABLE = {"table": "Music", "region": "eu-west-1", "rules": {}}
DESCRIPTION = TableDescription("arn", "Artist", "SongTitle", 1234, 56_789, "until")
WINDOW = RecoveryWindow(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC))


def checked(rules=None, **changes):
    answers = {
        "describe_table": DESCRIPTION,
        "recovery_window": WINDOW,
        "try_listing_exports": None,
        "try_exporting": None,
    }
    fake = Answers(**{**answers, **changes})
    return check_table({**TABLE, "rules": rules or {}}, lambda: fake, "exports")


def test_a_table_that_can_be_exported_passes_and_tells_what_it_is():
    found = checked()
    assert_all_ok(
        found.findings, "export rights", "keys and rules", "point-in-time recovery", "table", "time to live"
    )
    assert "1,234 items" in finding(found.findings, "table").finding
    assert "2026-06-01" in finding(found.findings, "point-in-time recovery").finding
    assert "until" in finding(found.findings, "time to live").finding
    assert found.mapper.partition_key_paths == ("/Artist",)


def test_point_in_time_recovery_that_is_off_fails_with_the_command_that_turns_it_on():
    told = finding(checked(recovery_window=RecoveryWindow(None, None)).findings, "point-in-time recovery")
    assert told.state == "failed"
    assert "update-continuous-backups --region eu-west-1 --table-name Music" in told.next_step


def test_a_table_that_is_not_there_is_told_once():
    found = checked(describe_table=PermanentError("There is no table Music.", "Check the name."))
    assert states(found.findings) == {("Music", "table"): "failed"}
    assert (found.description, found.mapper) == (None, None)


def test_a_missing_right_to_export_fails_and_the_rest_is_looked_at():
    found = states(checked(try_exporting=REFUSED).findings)
    assert found["Music", "export rights"] == "failed"
    assert found["Music", "keys and rules"] == "ok"


def test_rules_that_do_not_fit_the_keys_fail_with_every_fault():
    told = finding(checked(rules={"rename": {"Artist": "id"}, "drop": ["Artist"]}).findings, "keys and rules")
    assert told.state == "failed"
    assert "rules" in told.finding


@pytest.mark.parametrize(("rules", "told"), [({}, "becomes"), ({"ttl": "off"}, "rules.ttl is off")])
def test_what_becomes_of_the_time_to_live_is_told(rules, told):
    assert told in finding(checked(rules=rules).findings, "time to live").finding


def test_a_table_that_may_be_empty_or_not_yet_counted_is_a_warning():
    told = finding(
        checked(describe_table=TableDescription("arn", "Artist", None, 0, 0, None)).findings, "table"
    )
    assert told.state == "warning"
    assert "every six hours" in told.finding


def test_a_table_larger_than_an_account_may_export_at_once_fails():
    large = TableDescription("arn", "Artist", None, 1, 200 * 10**12, None)
    assert finding(checked(describe_table=large).findings, "table").state == "failed"


@pytest.mark.parametrize("name", ["/pk", "product.sku"])
def test_a_partition_key_that_reads_as_a_path_fails_before_anything_is_exported(name):
    told = finding(checked(rules={"partition_key": [name]}).findings, "keys and rules")
    assert (told.state, "reads as a path" in told.finding) == ("failed", True)


def test_tables_that_the_settings_forbid_fail_with_the_setting():
    plan = parse_plan(plan_text())
    tables = plan.table_inputs()
    allowed = check_allowed(plan, tables, local_settings(D2C_ALLOWED_DATABASES="shop"))
    assert [found["state"] for found in allowed] == ["ok"]
    (forbidden,) = check_allowed(plan, tables, local_settings(D2C_ALLOWED_DATABASES="crm"))
    assert (forbidden["state"], "D2C_ALLOWED_DATABASES" in forbidden["finding"]) == ("failed", True)
