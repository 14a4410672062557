import json

import httpx
import pytest

from tests.unit.cli.conftest import problem
from tests.unit.cli.samples import EXPORT_FAILED, arrived, migration, table

ONE = "/api/migrations/music-2026"
ACCEPTED = {"id": "music-2026", "state": "running", "links": {}}
ACTIONS = ["cancel", "suspend", "resume", "retry"]


@pytest.fixture
def steered(service):
    """Return an app that accepts all of it, with a migration of two tables."""
    for action in ACTIONS:
        service.on("POST", f"{ONE}/{action}", httpx.Response(202, json=ACCEPTED))
    service.on(
        "GET", ONE, migration("failed", table("Music", "failed", error=EXPORT_FAILED), arrived("Orders"))
    )
    return service


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "rules.json"
    path.write_text('{"numbers": "string"}')
    return str(path)


def posted(service):
    """Return the bodies of what was posted; None stands for no body."""
    return [
        json.loads(request.content) if request.content else None
        for request in service.requests
        if request.method == "POST"
    ]


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("cancel", "Cancelling migration music-2026. Follow it: d2c status music-2026 --watch"),
        ("suspend", "Resume it: d2c resume music-2026"),
        ("resume", "Resuming migration music-2026. Follow it: d2c status music-2026 --watch"),
        (
            "retry",
            "Retrying the failed and cancelled tables of migration music-2026.\n"
            "Follow it: d2c status music-2026 --watch",
        ),
    ],
)
def test_what_is_accepted_says_what_to_do_next(run, steered, action, words):
    result = run(action, "music-2026")
    assert (result.exit_code, posted(steered)) == (0, [None])
    assert words in result.stdout


@pytest.mark.parametrize("action", ACTIONS)
def test_json_gives_the_apps_answer(run, steered, action):
    result = run(action, "music-2026", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, ACCEPTED)


@pytest.mark.parametrize("action", ACTIONS)
def test_what_conflicts_is_told(run, service, action):
    conflict = problem(409, "It conflicts", "It is succeeded already.", "Nothing is left.")
    service.on("POST", f"{ONE}/{action}", conflict)
    result = run(action, "music-2026")
    assert result.exit_code == 1
    assert "It is succeeded already." in result.stderr


@pytest.mark.parametrize("action", ACTIONS)
def test_an_id_is_needed(run, action):
    assert run(action).exit_code == 2


def test_tables_are_cancelled_alone(run, steered):
    result = run("cancel", "music-2026", "--table", "Music", "--table", "Orders")
    assert posted(steered) == [{"tables": ["Music", "Orders"]}]
    assert "Cancelling tables Music, Orders of migration music-2026." in result.stdout


def test_tables_are_retried_alone(run, steered):
    result = run("retry", "music-2026", "--table", "Music", "--table", "Orders")
    assert posted(steered) == [{"tables": [{"table": "Music"}, {"table": "Orders"}]}]
    assert "Retrying tables Music, Orders of migration music-2026." in result.stdout


def test_a_table_is_retried_with_other_rules(run, steered, rules):
    assert run("retry", "music-2026", "--table", "Music", "--rules", rules).exit_code == 0
    assert posted(steered) == [{"tables": [{"table": "Music", "rules": {"numbers": "string"}}]}]


def test_rules_without_a_table_are_for_the_only_one(run, steered, rules):
    assert run("retry", "music-2026", "--rules", rules).exit_code == 2
    steered.on("GET", ONE, migration("failed", table("Music", "failed")))
    assert run("retry", "music-2026", "--rules", rules).exit_code == 0
    assert posted(steered) == [{"tables": [{"table": "Music", "rules": {"numbers": "string"}}]}]


def test_rules_for_two_tables_are_wrong_use(run, steered, rules):
    assert (
        run("retry", "music-2026", "--table", "Music", "--table", "Orders", "--rules", rules).exit_code == 2
    )
    assert posted(steered) == []


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (migration("succeeded", arrived()), 0),
        (migration("succeeded", arrived(items_rejected=1)), 3),
        (migration("failed", table("Music", "failed", error=EXPORT_FAILED)), 1),
    ],
)
def test_a_watched_retry_is_followed_to_its_end_and_tells_by_the_exit_status(run, steered, end, status):
    steered.on("GET", ONE, migration("pending"), migration("running"), end)
    assert run("retry", "music-2026", "--watch").exit_code == status
    assert len(steered.requests) == 4


def test_a_watched_retry_gives_the_last_status_as_one_json_object(run, steered):
    end = migration("succeeded", arrived())
    steered.on("GET", ONE, migration("running"), end)
    assert json.loads(run("retry", "music-2026", "--watch", "--json").stdout) == end
