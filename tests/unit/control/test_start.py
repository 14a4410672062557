import asyncio

import pytest

from d2c.clients.azure.async_lake import AsyncLake
from d2c.control.migrations import deployment_id
from tests.unit.clients.settings import local_settings
from tests.unit.control.conftest import BASE, KEY, SdkError
from tests.unit.control.plans import plan


async def test_a_new_plan_starts_its_migration_under_its_name(app):
    status, answer = await app.start(plan(max_parallel_tables=2))
    assert (status, answer["id"], answer["state"]) == (202, "music-2026", "pending")
    (name, instance, value) = app.client.started[0]
    assert (name, instance, value["migration"]) == ("run_operation", "music-2026", "music-2026")
    assert (value["operation"], value["kind"]) == (0, "start")
    assert "migrations-open/music-2026" in app.file_system.files
    assert value["waits"] == {"first_seconds": 10, "factor": 1.5, "longest_seconds": 60}


async def test_the_links_are_our_own_and_that_of_durables_status_without_any_key(app):
    _, answer = await app.start(plan())
    links = answer["links"]
    own = f"{BASE}/migrations/music-2026"
    assert (links["self"], links["report"], links["cancel"]) == (own, f"{own}/report", f"{own}/cancel")
    status = "https://my-app.azurewebsites.net/runtime/webhooks/durabletask/instances/music-2026"
    assert links["statusQueryGetUri"] == f"{status}?taskHub=D2C&connection=Storage"
    assert "terminatePostUri" not in links
    assert KEY not in str(answer)


async def test_durables_links_have_its_key_only_where_the_settings_ask_for_them(app):
    await app.start(plan())
    _, status = await app.call("GET", "migrations/{id}", id="music-2026")
    assert "code=" not in str(status)
    app.settings = local_settings(D2C_DURABLE_LINKS="keys")
    _, status = await app.call("GET", "migrations/{id}", id="music-2026")
    for links in (status["links"], status["tables"][0]["links"]):
        assert links["terminatePostUri"].endswith("code=system")


async def test_an_account_that_the_app_has_no_role_for_is_refused_by_the_settings_name(app):
    status, answer = await app.start(plan(account="111122223333"))
    assert status == 400
    assert "tables.0.account 111122223333: D2C_AWS_ROLES" in answer["detail"]
    assert app.client.started == []
    assert not app.file_system.files


async def test_the_accepted_plan_lies_in_the_lake(app):
    await app.start(plan())
    accepted = app.lake.read_json("migrations/music-2026/plan.json")
    assert accepted["plan"]["name"] == "music-2026"
    assert (
        accepted["deployment"]
        == app.client.started[0][2]["deployment"]
        == await deployment_id(AsyncLake(app.lake))
    )
    assert accepted["accepted_at"].endswith("+00:00")


async def test_the_same_plan_again_returns_the_running_migration(app):
    await app.start(plan())
    app.client.set("music-2026", "Running")
    status, answer = await app.start(plan())
    assert (status, answer["state"]) == (202, "running")
    assert len(app.client.started) == 1


async def test_the_same_plan_at_the_same_moment_is_started_twice_alike(app):
    # Durable accepts both. That everything happens once then, the marks in the lake see to
    # (tests/localcloud/contract/functions_host/test_durable_scenarios.py).
    both, start_new = asyncio.Barrier(2), app.client.start_new

    async def at_the_same_moment(*names, **value):
        await both.wait()
        return await start_new(*names, **value)

    app.client.start_new = at_the_same_moment
    answers = await asyncio.gather(app.start(plan()), app.start(plan()))
    assert [(status, answer["state"]) for status, answer in answers] == [(202, "pending")] * 2
    first, second = app.client.started
    assert first == second


async def test_another_plan_under_the_name_is_a_conflict(app):
    await app.start(plan())
    status, answer = await app.start(plan("music-2026", "Other"))
    assert (status, answer["status"]) == (409, 409)
    assert "Another plan has the name music-2026" in answer["detail"]
    assert len(app.client.started) == 1


@pytest.mark.parametrize(
    ("runtime", "output", "state"),
    [
        ("Completed", {"state": "succeeded"}, "succeeded"),
        ("Completed", {"state": "failed"}, "failed"),
        ("Failed", "text", "failed"),
        ("Terminated", "enough", "cancelled"),
    ],
)
async def test_a_migration_that_has_ended_is_not_started_again(app, runtime, output, state):
    await app.start(plan())
    app.client.set("music-2026", runtime, output)
    status, answer = await app.start(plan())
    assert status == 409
    assert f"has run already and is {state}" in answer["detail"]
    assert "another name" in answer["next_step"]


async def test_a_plan_says_when_its_migration_may_begin(app):
    times = {
        "start_at": "2030-06-01T22:00:00+02:00",
        "between": ["22:00", "06:00"],
        "time_zone": "Europe/Berlin",
    }
    await app.start(plan(**times))
    accepted = app.lake.read_json("migrations/music-2026/plan.json")["plan"]
    assert {name: accepted[name] for name in times} == times


async def test_a_start_that_broke_off_before_its_instance_is_made_good_by_the_next_and_listed_once(app):
    await app.start(plan())
    app.client.statuses.clear()
    assert (await app.start(plan()))[0] == 202
    assert len(app.client.started) == 2
    _, listed = await app.call("GET")
    assert [row["id"] for row in listed["migrations"]] == ["music-2026"]


async def test_of_two_starts_at_once_the_later_finds_the_earlier_ones_migration(app):
    """The other start comes between this one's look and its own start."""
    await app.start(plan())
    real_status, app.client.statuses = app.client.statuses, {}
    looks = []
    get_status = app.client.get_status

    async def late(instance):
        found = await get_status(instance)
        looks.append(instance)
        app.client.statuses = real_status
        return found

    app.client.get_status = late
    status, answer = await app.start(plan())
    assert (status, answer["state"], len(app.client.started)) == (202, "pending", 1)


async def test_a_start_that_fails_for_another_reason_is_not_taken_for_done(app):
    async def broken(*_, **__):
        raise SdkError("the storage is gone")

    app.client.start_new = broken
    status, answer = await app.start(plan())
    assert (status, answer["title"]) == (500, "Unexpected error")


async def test_all_faults_of_a_plan_are_told_at_once_and_nothing_is_left(app):
    status, answer = await app.start(
        {**plan(verify="some", colour=1), "region": None, "max_parallel_tables": 0}
    )
    assert status == 400
    assert app.mimetype == "application/problem+json"
    assert set(answer) == {"status", "title", "detail", "next_step", "faults"}
    assert {fault.split(":")[0] for fault in answer["faults"]} == {
        "verify",
        "colour",
        "max_parallel_tables",
        "tables.0.region",
        "tables.1.region",
    }
    assert (app.file_system.files, app.client.started) == ({}, [])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'"text"'])
async def test_what_is_no_plan_at_all_is_refused(app, body):
    status, answer = await app.call("POST", body=body)
    assert status == 400
    assert len(answer["faults"]) == 1


async def test_a_dry_run_is_refused_and_starts_nothing(app):
    status, _ = await app.call("POST", body=b"{}", dry_run="true")
    assert (status, app.client.started) == (400, [])


async def test_of_two_that_make_the_deployments_id_at_once_the_first_to_write_it_wins(app):
    made = await asyncio.gather(*(deployment_id(AsyncLake(app.lake)) for _ in range(4)))
    assert len(set(made)) == 1
    assert await deployment_id(AsyncLake(app.lake)) == made[0]
    app.lake.delete("deployment.json")
    assert await deployment_id(AsyncLake(app.lake)) != made[0]


@pytest.mark.parametrize(
    ("limit", "allowed"),
    [("DATABASES", "crm"), ("TABLES", "shop-*"), ("ACCOUNTS", "111122223333")],
)
@pytest.mark.parametrize("start", ["now", "when_exports_arrive"])
async def test_a_plan_that_the_settings_forbid_leaves_nothing_behind(app, limit, allowed, start):
    app.settings = local_settings(**{f"D2C_ALLOWED_{limit}": allowed})
    before = set(app.file_system.files)
    status, answer = await app.start(plan(account="444455556666", start=start))
    assert (status, app.client.started, set(app.file_system.files)) == (400, [], before)
    assert all(f"D2C_ALLOWED_{limit}" in fault for fault in answer["faults"])


async def test_a_plan_that_the_settings_allow_starts(app):
    app.settings = local_settings(D2C_ALLOWED_DATABASES="shop", D2C_ALLOWED_TABLES="Mus*,Ord*")
    status, _ = await app.start(plan())
    assert status == 202


async def test_a_pattern_is_judged_by_its_database_before_its_tables_are_found(app):
    app.settings = local_settings(D2C_ALLOWED_DATABASES="crm", D2C_ALLOWED_TABLES="crm-*")
    _, answer = await app.start(plan(tables=[{"table": "*"}]))
    assert [fault.split(":")[0] for fault in answer["faults"]] == ["tables.0.database"]
