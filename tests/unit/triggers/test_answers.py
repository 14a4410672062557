import json

import azure.functions as func
import pytest

from d2c.errors import (
    CancelledError,
    ConflictError,
    D2CError,
    NotFoundError,
    PermanentError,
    PlanError,
    RefusedError,
    RunFailedError,
    SettingsError,
    TransientError,
)
from triggers.answers import STATUS_OF_ERROR, answers_problems, json_answer, prefers_html, problem


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (PlanError(["a: missing"]), 400),
        (RefusedError("d", "n"), 400),
        (ConflictError("d", "n"), 409),
        (NotFoundError("d", "n"), 404),
        (SettingsError("d", "n"), 500),
        (PermanentError("d", "n"), 500),
        (RunFailedError("d", "n"), 500),
        (CancelledError("m"), 500),
        (TransientError("d", "n"), 503),
        (D2CError("d", "n"), 500),
    ],
)
def test_every_kind_of_error_has_its_status_in_the_answer_and_in_the_body(error, status):
    answer = problem(error)
    body = json.loads(answer.get_body())
    assert (answer.status_code, body["status"], answer.mimetype) == (
        status,
        status,
        "application/problem+json",
    )
    assert (body["title"], body["detail"], body["next_step"]) == (error.title, error.detail, error.next_step)


def test_no_entry_of_the_table_hides_one_below_it():
    kinds = [kind for kind, _ in STATUS_OF_ERROR]
    assert all(
        not issubclass(later, kind) for place, kind in enumerate(kinds) for later in kinds[place + 1 :]
    )


def test_a_plans_faults_are_in_the_body():
    assert json.loads(problem(PlanError(["a", "b"])).get_body())["faults"] == ["a", "b"]


def test_no_part_of_an_answer_has_a_secret_of_the_settings(monkeypatch):
    monkeypatch.setenv("D2C_COSMOS_KEY", "plain words")
    answers = [problem(error) for error in (PlanError(["plain words"]), RefusedError(*["plain words"] * 3))]
    for body in [answer.get_body() for answer in answers]:
        assert b"***" in body
        assert b"plain words" not in body


async def test_an_unexpected_error_is_logged_and_its_text_is_not_answered(caplog):
    @answers_problems
    async def breaks(req):
        raise ValueError("AccountKey=secret")

    answer = await breaks(asked_for("m"))
    assert answer.status_code == 500
    assert b"secret" not in answer.get_body()
    assert "breaks failed unexpectedly" in caplog.text


def asked_for(migration, method="POST"):
    return func.HttpRequest(method, "https://app/api", body=b"", route_params={"id": migration})


async def test_what_is_logged_of_a_request_carries_the_migration_that_it_is_about(lines):
    @answers_problems
    async def cancels(req):
        if req.route_params["id"] == "gone":
            raise NotFoundError("There is no migration gone.", "See the list.")
        return json_answer({}, 202)

    await cancels(asked_for("m"))
    await cancels(asked_for("gone"))
    assert [(line["migration"], line["message"]) for line in lines()] == [
        ("m", "cancels answered 202"),
        ("gone", "cancels is refused: There is no migration gone. See the list."),
    ]


async def test_a_look_that_is_answered_is_not_worth_a_line(lines):
    @answers_problems
    async def shows(req):
        return json_answer({})

    await shows(asked_for("m", "GET"))
    assert lines() == []


def test_a_value_is_answered_as_json():
    answer = json_answer({"a": 1}, 202)
    assert (answer.status_code, answer.mimetype, answer.get_body()) == (202, "application/json", b'{"a": 1}')


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        ("text/html", True),
        ("text/html;q=0.9, application/json;q=0.8", True),
        ("text/*", True),
        ("text/html;q=0", False),
        ("text/html, application/json", False),
        ("application/json", False),
        ("*/*", False),
        ("", False),
        ("text/html;q=soon", False),
        (";;,,", False),
    ],
)
def test_html_is_preferred_where_it_is_accepted_more_than_json(accept, html):
    assert prefers_html(accept) is html
