import json

import pytest

from d2c.report.contents import assemble_report
from d2c.state.ids import lane_instance_id, stage_instance_id, unit_instance_id
from tests.unit.control.plans import plan
from tests.unit.control.table_files import list_tables, take

COPY = stage_instance_id("music-2026", 0, "Music", "copy")
REPORT = assemble_report(
    "music-2026", "succeeded", {"plan": plan(), "accepted_at": "2026-01-31T12:00:05.678+00:00"}, []
)


@pytest.fixture
async def running(app):
    """Return the app with a running migration of the tables Music and Orders."""
    await app.start(plan())
    app.client.set("music-2026", "Running")
    return app


ROUTES = [
    ("GET", "migrations/{id}"),
    ("GET", "migrations/{id}/report"),
    ("POST", "migrations/{id}/cancel"),
    ("POST", "migrations/{id}/verify"),
    ("POST", "migrations/{id}/replay"),
    ("GET", "migrations/{id}/rejected"),
]


@pytest.mark.parametrize(("method", "route"), ROUTES)
@pytest.mark.parametrize(
    "name",
    ["other", COPY, "music-2026::verify-1", "music-2026?showHistory=true", "../music-2026", "a b", "x" * 200],
)
async def test_what_is_no_migration_is_not_found(running, method, route, name):
    for instance in (COPY, "music-2026::verify-1"):
        running.client.set(instance, "Completed", {"state": "succeeded", "error": None})
    status, answer = await running.call(method, route, id=name)
    assert status == 404
    assert running.mimetype == "application/problem+json"
    assert set(answer) == {"status", "title", "detail", "next_step"}
    assert "GET /api/migrations" in answer["next_step"]


async def test_an_id_never_reads_another_file_as_a_report(running):
    running.file_system.files["migrations/music-2026/tables/Music/report.json"] = b"{}"
    status, _ = await running.call("GET", "migrations/{id}/report", id="music-2026/tables/Music")
    assert status == 404


@pytest.fixture
def reported(running):
    running.client.set("music-2026", "Completed", {"state": "succeeded"})
    running.file_system.files["migrations/music-2026/report.json"] = json.dumps(REPORT).encode()
    running.file_system.files["migrations/music-2026/report.html"] = "<p>café".encode()
    return running


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize("accept", ["application/json", "*/*", "", "application/json, text/html;q=0.5"])
async def test_the_report_is_json_for_machines(reported, accept):
    answer = await reported.call("GET", "migrations/{id}/report", id="music-2026", headers={"Accept": accept})
    assert answer == (200, REPORT)
    assert reported.mimetype == "application/json"


@pytest.mark.parametrize("accept", ["text/html", BROWSER, "application/json;q=0.1, TEXT/HTML"])
async def test_the_report_is_a_page_where_the_caller_prefers_one(reported, accept):
    answer = await reported.call("GET", "migrations/{id}/report", id="music-2026", headers={"Accept": accept})
    assert answer == (200, "<p>café")
    assert reported.mimetype == "text/html"


async def test_a_report_outlives_the_purge_of_the_migrations_history(reported):
    reported.client.statuses.clear()
    assert (await reported.call("GET", "migrations/{id}/report", id="music-2026"))[0] == 200


async def test_a_migration_that_runs_has_no_report_yet(running):
    status, answer = await running.call("GET", "migrations/{id}/report", id="music-2026")
    assert status == 404
    assert "is running and has no report yet" in answer["detail"]


async def test_a_cancellation_leaves_its_mark_and_wakes_what_waits(running):
    list_tables(running, ["Music", "Orders"])
    take(running, "Music", stage="copy")
    take(running, "Orders", stage="load", turn=3)
    waiting = [
        COPY,
        unit_instance_id("music-2026", 0, "0-3", "load"),
        lane_instance_id("music-2026", 0, "export", 1),
        lane_instance_id("music-2026", 0, "load", 1),
    ]
    for instance in waiting:
        running.client.set(instance, "Running")
    running.client.set(lane_instance_id("music-2026", 0, "copy", 0), "Running")
    running.client.set(stage_instance_id("music-2026", 0, "Music", "export"), "Completed", {"value": 1})
    status, answer = await running.call("POST", "migrations/{id}/cancel", id="music-2026")
    assert (status, answer["id"], answer["state"]) == (202, "music-2026", "running")
    assert "cancelled_at" in running.lake.read_json("migrations/music-2026/cancel-0.json")
    assert sorted(running.client.events) == [(instance, "wake") for instance in sorted(waiting)]


async def test_a_second_cancellation_is_accepted_too(running):
    for _ in range(2):
        status, _ = await running.call("POST", "migrations/{id}/cancel", id="music-2026")
        assert status == 202


async def test_what_ends_while_it_is_woken_does_not_fail_the_cancellation(running):
    list_tables(running, ["Music", "Orders"])
    take(running, "Music", stage="copy")
    running.client.set(COPY, "Running")
    running.client.before_event = lambda: running.client.set(COPY, "Completed", {"value": 1})
    status, _ = await running.call("POST", "migrations/{id}/cancel", id="music-2026")
    assert status == 202


@pytest.mark.parametrize(
    ("runtime", "output", "state"),
    [("Completed", {"state": "succeeded"}, "succeeded"), ("Terminated", None, "cancelled")],
)
async def test_what_has_ended_cannot_be_cancelled(running, runtime, output, state):
    running.client.set("music-2026", runtime, output)
    status, answer = await running.call("POST", "migrations/{id}/cancel", id="music-2026")
    assert status == 409
    assert f"is {state} already" in answer["detail"]
    assert "migrations/music-2026/cancel-0.json" not in running.file_system.files
