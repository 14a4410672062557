import json

import pytest

from tests.unit.control.plans import plan

FOUND = {
    "checked_at": "2026-06-01T12:00:08+00:00",
    "checks": [
        {
            "system": "Lake",
            "thing": "lake",
            "check": "can be read",
            "state": "failed",
            "finding": "It cannot.",
            "next_step": "Grant it.",
        }
    ],
    "estimate": None,
}
COUNTS = {"ok": 0, "skipped": 0, "warning": 0, "failed": 1}


def ends_at_once(app, output):
    """Let a check's orchestration have ended when it is looked at."""
    start = app.client.start_new

    async def start_new(name, instance_id, client_input):
        await start(name, instance_id, client_input)
        app.client.set(instance_id, "Completed", output=output, shown={"done": 8, "total": 8})
        return instance_id

    app.client.start_new = start_new


async def dry_run(app, asked, **params):
    return await app.call("POST", body=json.dumps(asked).encode(), dry_run="true", **params)


async def test_a_dry_run_checks_the_plan_and_starts_no_migration(app):
    app.file_system.files["result"] = json.dumps(FOUND).encode()
    ends_at_once(app, {"state": "failed", "counts": COUNTS, "result": {"path": "result"}})
    status, answer = await dry_run(app, plan())
    assert (status, answer["state"], answer["counts"]) == (200, "failed", COUNTS)
    assert answer["checks"] == FOUND["checks"]
    ((name, instance, value),) = app.client.started
    assert (name, instance) == ("check_plan", answer["id"])
    assert json.loads(app.file_system.files[value["plan"]["path"]])["name"] == "music-2026"
    assert not any(path.startswith(("migrations", "plans")) for path in app.file_system.files)


async def test_a_plan_with_faults_is_refused_as_at_a_start(app):
    status, answer = await dry_run(app, {"name": "music-2026", "colour": "red"})
    assert status == 400
    assert "colour: unknown field" in answer["faults"]
    assert app.client.started == []


@pytest.mark.parametrize("wait", ["61", "-1", "soon", "1.5"])
async def test_a_wait_out_of_bounds_is_refused(app, wait):
    status, answer = await dry_run(app, plan(), wait=wait)
    assert (status, app.client.started) == (400, [])
    assert answer["detail"].startswith("wait")


async def test_a_check_that_goes_on_is_answered_with_its_place_and_progress(app):
    status, answer = await dry_run(app, plan(), wait="0")
    assert (status, answer["state"], answer["checks"]) == (202, "running", [])
    app.client.set(answer["id"], "Running", shown={"done": 3, "total": 8})
    status, answer = await app.call("GET", "checks/{id}", id=answer["id"])
    assert (status, answer["state"], answer["progress"]) == (200, "running", {"done": 3, "total": 8})


async def test_what_the_lake_could_not_keep_comes_from_the_orchestration(app):
    ends_at_once(app, {"state": "failed", "counts": COUNTS, "result": {"value": FOUND}})
    _, answer = await dry_run(app, plan())
    assert answer["checks"] == FOUND["checks"]


async def test_a_check_that_came_to_no_end_says_why(app):
    error = {"detail": "sum_up_check: out of memory", "next_step": "Check again."}
    ends_at_once(app, {"state": "failed", "error": error, "result": None})
    status, answer = await dry_run(app, plan())
    assert (status, answer["state"], answer["error"]) == (200, "failed", error)


async def test_a_check_that_was_ended_by_hand_says_so(app):
    _, started = await dry_run(app, plan(), wait="0")
    app.client.set(started["id"], "Terminated", output="enough")
    _, answer = await app.call("GET", "checks/{id}", id=started["id"])
    assert answer["state"] == "cancelled"
    assert "enough" in answer["error"]["detail"]


@pytest.mark.parametrize("name", ["check-music-2026.0123456789ab", "music-2026", "check-x", "..%2Fplan"])
async def test_a_check_that_there_is_not_and_a_migrations_id_are_not_found(app, name):
    app.client.set("music-2026", "Running")
    status, _ = await app.call("GET", "checks/{id}", id=name)
    assert status == 404


async def test_findings_that_were_deleted_from_the_lake_are_not_found(app):
    _, started = await dry_run(app, plan(), wait="0")
    app.client.set(
        started["id"],
        "Completed",
        output={"state": "succeeded", "counts": COUNTS, "result": {"path": "gone"}},
    )
    status, answer = await app.call("GET", "checks/{id}", id=started["id"])
    assert status == 404
    assert "Check the plan again" in answer["next_step"]
