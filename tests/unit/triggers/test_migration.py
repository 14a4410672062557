import json

import pytest

from d2c.run_keys import stage_instance_id, table_instance_id
from tests.unit.triggers.conftest import BASE, KEY
from tests.unit.triggers.plans import plan

ERROR = {
    "title": "The stage failed",
    "detail": "No recovery.",
    "next_step": "Turn it on.",
    "stage": "export",
    "transient": False,
    "another_run": False,
    "cancelled": False,
}
MUSIC = table_instance_id("music-2026", "Music")


@pytest.fixture
async def running(app):
    """Return the app with a running migration of the tables Music and Orders."""
    await app.start(plan())
    app.client.set("music-2026", "Running")
    return app


async def tables_of(app):
    _, answer = await app.call("GET", "migrations/{id}", id="music-2026")
    return {table["table"]: table for table in answer["tables"]}


async def test_a_running_migration_tells_its_times_state_and_links(running):
    status, answer = await running.call("GET", "migrations/{id}", id="music-2026")
    assert status == 200
    assert {name: answer[name] for name in ("id", "state", "started_at", "finished_at")} == {
        "id": "music-2026",
        "state": "running",
        "started_at": "2026-01-31T12:00:05+00:00",
        "finished_at": None,
    }
    assert answer["links"]["self"] == f"{BASE}/migrations/music-2026"
    assert KEY not in str(answer)


async def test_tables_whose_turn_has_not_come_are_pending_in_the_plans_order(running):
    tables = await tables_of(running)
    assert list(tables) == ["Music", "Orders"]
    music = tables["Music"]
    assert (music["state"], music["stage"], music["percent"], music["error"]) == ("pending", None, 0, None)
    assert set(music) == {
        "table",
        "state",
        "stage",
        "items_exported",
        "items_written",
        "items_rejected",
        "items_expired",
        "mismatches",
        "percent",
        "error",
        "links",
    }
    assert music["links"]["id"] == MUSIC


async def test_a_running_table_tells_its_stage_and_counts(running):
    running.client.set(MUSIC, "Running", shown={"stage": "copy", "items_exported": 7})
    music = (await tables_of(running))["Music"]
    assert (music["state"], music["stage"], music["items_exported"], music["percent"]) == (
        "running",
        "copy",
        7,
        30,
    )


async def test_the_load_run_tells_which_of_its_stages_is_under_way(running):
    running.client.set(MUSIC, "Running", shown={"stage": "assess"})
    progress = {"stages": [{"stage": "assess"}, {"stage": "load"}, {"stage": "verify"}]}
    running.client.set(stage_instance_id("music-2026", "Music", "load"), "Running", shown=progress)
    assert (await tables_of(running))["Music"]["stage"] == "verify"


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
async def test_a_table_that_has_ended_tells_how(running, state):
    error = None if state == "succeeded" else ERROR
    output = {"table": "Music", "state": state, "error": error}
    running.client.set(MUSIC, "Completed", output, {"stage": "report", "items_written": 5})
    music = (await tables_of(running))["Music"]
    assert (music["state"], music["error"], music["items_written"]) == (state, error, 5)


@pytest.mark.parametrize(("runtime", "state"), [("Failed", "failed"), ("Terminated", "cancelled")])
async def test_a_table_whose_orchestration_broke_off_has_an_error_with_stage_and_next_step(
    running, runtime, state
):
    running.client.set(
        MUSIC, runtime, "Orchestrator function failed: oh no\n  at Somewhere", {"stage": "copy"}
    )
    music = (await tables_of(running))["Music"]
    assert (music["state"], music["stage"], music["error"]["stage"]) == (state, "copy", "copy")
    assert "Orchestrator function failed: oh no" in music["error"]["detail"]
    assert "at Somewhere" not in music["error"]["detail"]
    assert music["error"]["next_step"]


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
    "name", ["other", "music-2026:Music", "music-2026?showHistory=true", "../music-2026", "a b", "x" * 200]
)
async def test_what_is_no_migration_is_not_found(running, method, route, name):
    running.client.set(MUSIC, "Completed", {"state": "succeeded", "error": None})
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
    running.file_system.files["migrations/music-2026/report.json"] = json.dumps({"id": "music-2026"}).encode()
    running.file_system.files["migrations/music-2026/report.html"] = "<p>café".encode()
    return running


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize("accept", ["application/json", "*/*", "", "application/json, text/html;q=0.5"])
async def test_the_report_is_json_for_machines(reported, accept):
    answer = await reported.call("GET", "migrations/{id}/report", id="music-2026", accept=accept)
    assert answer == (200, {"id": "music-2026"})
    assert reported.mimetype == "application/json"


@pytest.mark.parametrize("accept", ["text/html", BROWSER, "application/json;q=0.1, TEXT/HTML"])
async def test_the_report_is_a_page_where_the_caller_prefers_one(reported, accept):
    answer = await reported.call("GET", "migrations/{id}/report", id="music-2026", accept=accept)
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
    waiting = [
        stage_instance_id("music-2026", "Music", "copy"),
        stage_instance_id("music-2026", "Orders", "load"),
    ]
    for instance in waiting:
        running.client.set(instance, "Running")
    running.client.set(stage_instance_id("music-2026", "Music", "export"), "Completed", {"value": 1})
    status, answer = await running.call("POST", "migrations/{id}/cancel", id="music-2026")
    assert (status, answer["id"], answer["state"]) == (202, "music-2026", "running")
    assert "cancelled_at" in running.lake.read_json("migrations/music-2026/cancel.json")
    assert sorted(running.client.events) == [(instance, "wake") for instance in sorted(waiting)]


async def test_a_second_cancellation_is_accepted_too(running):
    for _ in range(2):
        status, _ = await running.call("POST", "migrations/{id}/cancel", id="music-2026")
        assert status == 202


async def test_what_ends_while_it_is_woken_does_not_fail_the_cancellation(running):
    instance = stage_instance_id("music-2026", "Music", "copy")
    running.client.set(instance, "Running")
    running.client.before_event = lambda: running.client.set(instance, "Completed", {"value": 1})
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
    assert "migrations/music-2026/cancel.json" not in running.file_system.files
