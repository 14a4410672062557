import json

import httpx

from tests.unit.cli.conftest import problem

PATH = "/api/migrations/music-2026/cancel"
ACCEPTED = {"id": "music-2026", "state": "running", "links": {}}


def test_a_cancellation_that_is_accepted_says_how_to_follow_it(run, service):
    service.on("POST", PATH, httpx.Response(202, json=ACCEPTED))
    result = run("cancel", "music-2026")
    assert result.exit_code == 0
    assert "is being cancelled. Follow it: d2c status music-2026 --watch" in result.stdout


def test_json_gives_the_apps_answer(run, service):
    service.on("POST", PATH, httpx.Response(202, json=ACCEPTED))
    result = run("cancel", "music-2026", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, ACCEPTED)


def test_what_has_ended_cannot_be_cancelled(run, service):
    service.on("POST", PATH, problem(409, "It conflicts", "It is succeeded already.", "Nothing is left."))
    result = run("cancel", "music-2026")
    assert result.exit_code == 1
    assert "It is succeeded already." in result.stderr


def test_a_cancellation_needs_an_id(run):
    assert run("cancel").exit_code == 2
