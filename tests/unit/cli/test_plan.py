import json

import pytest

from tests.unit.cli.conftest import problem
from tests.unit.cli.test_check import ESTIMATE

PLAN = {"name": "shop", "region": "eu-west-1", "database": "shop", "tables": [{"table": "shop-*"}]}
OUT = {
    "table": "shop-a",
    "field": "exclude",
    "question": "Is the table to be migrated?",
    "choices": [
        {"answer": "Yes: turn it on", "settings": {}, "leave_out": False},
        {"answer": "No: leave it out", "settings": {}, "leave_out": True},
    ],
}
KEY = {
    "table": "shop-a",
    "field": "rules.partition_key",
    "question": "Can one pk be more than 20 GB?",
    "choices": [
        {"answer": "No", "settings": {}, "leave_out": False},
        {"answer": "Yes", "settings": {"rules": {"partition_key": ["pk", "sk"]}}, "leave_out": False},
    ],
}
KIND = {
    "table": None,
    "field": "throughput.kind",
    "question": "Will they be idle?",
    "choices": [
        {"answer": "No", "settings": {}, "leave_out": False},
        {"answer": "Yes", "settings": {"throughput": {"kind": "autoscale"}}, "leave_out": False},
    ],
}
TASK = {"table": "shop-b", "field": "table", "question": "It could not be looked at.", "choices": []}
REASON = {"table": "shop-a", "field": "indexing", "value": "keys", "reason": "queries use /pk/?"}
ARGUMENTS = ("plan", "--region", "eu-west-1", "--database", "shop", "shop-*")


@pytest.fixture
def proposes(service):
    """Return a function that lets the app propose a plan with some questions."""

    def proposes(*questions, plan=PLAN):
        answer = {"plan": plan, "reasons": [REASON], "questions": list(questions), "estimate": ESTIMATE}
        service.on("POST", "/api/plans", answer)
        return service

    return proposes


def test_standard_output_is_the_plan_and_standard_error_has_reasons_questions_and_the_price(run, proposes):
    service = proposes(OUT, TASK)
    result = run(*ARGUMENTS)
    assert result.exit_code == 0
    assert json.loads(result.stdout) == PLAN
    assert "  indexing: keys: queries use /pk/?." in result.stderr
    assert "shop-a, exclude: Is the table to be migrated?" in result.stderr
    assert "    2. No: leave it out" in result.stderr
    assert "shop-b, table: It could not be looked at." in result.stderr
    assert "once and" in result.stderr
    assert json.loads(service.requests[0].content) == {
        "region": "eu-west-1",
        "database": "shop",
        "tables": ["shop-*"],
    }


def test_all_that_a_proposal_may_be_told_is_sent(run, proposes):
    service = proposes()
    more = (
        "--name",
        "shop-2026",
        "--account",
        "111122223333",
        "--exclude",
        "shop-x",
        "--exclude",
        "shop-t-*",
    )
    assert run(*ARGUMENTS, "Music", *more).exit_code == 0
    sent = json.loads(service.requests[0].content)
    assert sent["tables"] == ["shop-*", "Music"]
    assert (sent["name"], sent["account"], sent["exclude"]) == (
        "shop-2026",
        "111122223333",
        ["shop-x", "shop-t-*"],
    )


def test_at_a_terminal_the_user_is_asked_and_the_answers_are_in_the_plan(run, proposes):
    proposes(OUT, KEY, TASK)
    result = run(*ARGUMENTS, is_terminal=True, input="\n7\n2\n")
    own = {"table": "shop-a", "rules": {"partition_key": ["pk", "sk"]}}
    assert json.loads(result.stdout)["tables"] == [own, {"table": "shop-*"}]
    assert "It could not be looked at." in result.stderr


def test_an_answer_about_all_tables_is_at_the_top_of_the_plan(run, proposes):
    proposes(KIND)
    result = run(*ARGUMENTS, is_terminal=True, input="2\n")
    assert json.loads(result.stdout) == {**PLAN, "throughput": {"kind": "autoscale"}}
    assert "All tables, throughput.kind: Will they be idle?" in result.stderr


def test_a_table_that_is_left_out_is_asked_about_no_more(run, proposes):
    proposes(OUT, KEY)
    result = run(*ARGUMENTS, is_terminal=True, input="2\n")
    assert json.loads(result.stdout) == {**PLAN, "exclude": ["shop-a"]}
    assert "more than 20 GB" not in result.stderr


def test_a_plan_of_which_no_table_is_left_is_told_and_not_printed(run, proposes):
    proposes(OUT, plan={**PLAN, "tables": [{"table": "shop-a"}]})
    result = run(*ARGUMENTS, is_terminal=True, input="2\n")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "tables: " in result.stderr


def test_a_refusal_has_its_faults(run, service):
    fault = "tables.0.table: no table in eu-west-1 matches shop-*"
    service.on("POST", "/api/plans", problem(400, "The plan was refused", "No.", "Fix it.", faults=[fault]))
    result = run(*ARGUMENTS)
    assert (result.exit_code, result.stdout) == (1, "")
    assert fault in result.stderr
