from datetime import UTC, datetime, timedelta

import pytest

from d2c.state.ids import stage_instance_id, table_instance_id
from tests.unit.control.conftest import BASE, KEY
from tests.unit.control.plans import plan
from tests.unit.control.table_files import end_table, list_tables, list_units, take_units

ERROR = {
    "title": "The stage failed",
    "detail": "No recovery.",
    "next_step": "Turn it on.",
    "stage": "export",
    "transient": False,
    "busy": False,
    "another_run": False,
    "cancelled": False,
}
MUSIC = table_instance_id("music-2026", "Music")
PAUSE = "migrations/music-2026/pause.json"


@pytest.fixture
async def running(app):
    """Return the app with a running migration of the tables Music and Orders, which lanes have taken."""
    await app.start(plan())
    app.client.set("music-2026", "Running")
    list_tables(app, [["Music"], ["Orders"]])
    take_units(app, 0, 1)
    return app


async def many(app, count, **more):
    """Start a migration of many tables, each a unit; the result is their names."""
    names = [f"table-{number:03}" for number in range(count)]
    await app.start(plan("music-2026", *names, **more))
    app.client.set("music-2026", "Running")
    list_tables(app, [[name] for name in names])
    return names


async def status_of(app, **params):
    status, answer = await app.call("GET", "migrations/{id}", id="music-2026", **params)
    assert status == 200, answer
    return answer


async def tables_of(app, **params):
    return {table["table"]: table for table in (await status_of(app, **params))["tables"]}


def asked_about(app):
    """Return a list that fills with the instances that Durable is asked about."""
    asked, get_status = [], app.client.get_status

    async def noted(instance):
        asked.append(instance)
        return await get_status(instance)

    app.client.get_status = noted
    return asked


async def test_a_running_migration_tells_its_times_state_and_links(running):
    answer = await status_of(running)
    accepted_at = running.lake.read_json("migrations/music-2026/plan.json")["accepted_at"]
    assert answer["started_at"] == f"{accepted_at[:19]}+00:00"
    assert {name: answer[name] for name in ("id", "state", "finished_at", "error")} == {
        "id": "music-2026",
        "state": "running",
        "finished_at": None,
        "error": None,
    }
    assert answer["links"]["self"] == f"{BASE}/migrations/music-2026"
    assert KEY not in str(answer)


async def test_before_the_plan_is_resolved_the_tables_that_it_names_are_pending_in_its_order(app):
    await app.start(plan("music-2026", "Music", "Orders"))
    tables = await tables_of(app)
    assert list(tables) == ["Music", "Orders"]
    music = tables["Music"]
    assert (music["state"], music["stage"], music["percent"], music["error"]) == ("pending", None, 0, None)
    assert music["links"]["id"] == MUSIC


async def test_tables_are_told_in_the_order_in_which_they_run(app):
    await app.start(plan("music-2026", "Music", "Orders"))
    list_tables(app, [["Orders"], ["Music"], ["Found-by-a-pattern"]])
    assert list(await tables_of(app)) == ["Orders", "Music", "Found-by-a-pattern"]


async def test_durable_is_asked_about_tables_under_way_only(app):
    names = await many(app, 50)
    take_units(app, 0, 1, 2, 0)
    end_table(app, names[0])
    asked = asked_about(app)
    answer = await status_of(app)
    assert answer["counts"] == {"pending": 49, "running": 0, "succeeded": 1, "failed": 0, "cancelled": 0}
    assert asked == ["music-2026", *(table_instance_id("music-2026", name) for name in names[1:3])]


@pytest.mark.parametrize("told", [100, 3, 0])
async def test_tables_that_run_are_told_the_same_however_many_of_them_durable_tells_at_once(app, told):
    names = await many(app, 10)
    take_units(app, *range(10))
    for place, name in enumerate(names):
        app.client.set(table_instance_id("music-2026", name), "Running", shown={"stage": "copy"})
        stage = stage_instance_id("music-2026", name, "copy")
        app.client.set(stage, "Running", shown={"done": place, "total": 10})
    app.client.statuses_of_a_page = told
    asked = asked_about(app)
    answer = await status_of(app)
    assert [table["percent"] for table in answer["tables"]] == [30 + 15 * n // 10 for n in range(10)]
    assert len(asked) == 1 + 20 - min(told, 20)


async def test_a_running_table_tells_its_stage_and_counts(running):
    running.client.set(MUSIC, "Running", shown={"stage": "copy", "items_exported": 7})
    music = (await tables_of(running))["Music"]
    assert (music["state"], music["stage"], music["items_exported"], music["percent"]) == (
        "running",
        "copy",
        7,
        30,
    )


async def test_a_running_table_tells_how_far_its_stage_is(running):
    running.client.set(MUSIC, "Running", shown={"stage": "copy"})
    instance = stage_instance_id("music-2026", "Music", "copy")
    running.client.set(instance, "Running", shown={"done": 500, "total": 1000})
    assert (await tables_of(running))["Music"]["percent"] == 37


async def test_a_copy_that_others_make_tells_how_far_it_is(running):
    running.client.set(MUSIC, "Running", shown={"stage": "copy"})
    instance = stage_instance_id("music-2026", "Music", "arrival")
    running.client.set(instance, "Running", shown={"done": 4, "total": 8})
    assert (await tables_of(running))["Music"]["percent"] == 37


async def test_the_load_run_tells_which_of_its_stages_is_under_way_and_how_far_it_is(running):
    running.client.set(MUSIC, "Running", shown={"stage": "assess"})
    stages = [{"stage": "assess"}, {"stage": "load"}]
    progress = {"stages": stages, "done": 40, "total": 100}
    running.client.set(stage_instance_id("music-2026", "Music", "load"), "Running", shown=progress)
    music = (await tables_of(running))["Music"]
    assert (music["stage"], music["percent"]) == ("load", 70)


async def test_a_table_tells_what_it_waits_for(running):
    waiting = {"for": "slot", "until": None}
    running.client.set(MUSIC, "Running", shown={"stage": "copy", "waiting": waiting})
    assert (await tables_of(running))["Music"]["waiting"] == waiting


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
async def test_a_table_that_has_ended_tells_how(running, state):
    error = None if state == "succeeded" else ERROR
    end_table(running, "Music", state, error=error, items_written=5)
    music = (await tables_of(running))["Music"]
    assert (music["state"], music["error"], music["items_written"]) == (state, error, 5)


async def test_a_table_that_ends_during_the_look_tells_how_its_orchestration_did(running):
    output = {"table": "Music", "state": "failed", "error": ERROR}
    running.client.set(MUSIC, "Completed", output, {"stage": "report", "items_exported": 5})
    music = (await tables_of(running))["Music"]
    assert (music["state"], music["stage"], music["error"]) == ("failed", "export", ERROR)


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
    assert (await status_of(running))["counts"][state] == 1


async def test_a_table_whose_history_was_purged_tells_how_it_ended(running):
    end_table(running, "Music", items_written=5)
    music = (await tables_of(running))["Music"]
    assert (music["state"], music["items_written"], music["percent"]) == ("succeeded", 5, 100)


async def test_a_migration_that_was_terminated_tells_that_and_leaves_its_tables_as_they_are(running):
    end_table(running, "Music")
    running.client.set("music-2026", "Terminated", "by hand")
    answer = await status_of(running)
    assert (answer["state"], answer["error"]["cancelled"]) == ("cancelled", True)
    assert "by hand" in answer["error"]["detail"]
    assert [table["state"] for table in answer["tables"]] == ["succeeded", "pending"]


async def test_a_migration_that_could_not_list_its_tables_tells_why(running):
    running.client.set("music-2026", "Completed", {"state": "failed", "tables": {}, "error": ERROR})
    answer = await status_of(running)
    assert (answer["state"], answer["error"]) == ("failed", ERROR)


async def test_the_last_line_of_a_table_counts(running):
    end_table(running, "Music", items_rejected=3)
    end_table(running, "Music", items_rejected=1)
    end_table(running, "Orders", items_rejected=2)
    assert (await status_of(running))["items"]["rejected"] == 3


async def test_a_table_that_is_retried_is_told_as_it_stands_in_the_new_round(running):
    end_table(running, "Music", "failed", error=ERROR)
    end_table(running, "Orders")
    list_units(running, [["Music"]], 1)
    assert (await tables_of(running))["Music"]["state"] == "pending"
    take_units(running, 0, number=1)
    again = table_instance_id("music-2026", "Music", 1)
    running.client.set(again, "Running", shown={"stage": "copy"})
    tables = await tables_of(running)
    assert (tables["Music"]["stage"], tables["Music"]["links"]["id"]) == ("copy", again)
    assert tables["Orders"]["state"] == "succeeded"
    end_table(running, "Music", number=1)
    assert (await status_of(running))["counts"]["succeeded"] == 2


async def test_until_a_retry_has_listed_its_tables_they_are_told_as_they_ended(running):
    end_table(running, "Music", "failed", error=ERROR)
    running.lake.write_json("migrations/music-2026/retries/000001.json", {})
    assert (await tables_of(running))["Music"]["state"] == "failed"


async def test_tables_come_in_pages(app):
    names = await many(app, 25)
    seen, token = [], None
    while True:
        answer = await status_of(app, top="10", **({"token": token} if token else {}))
        assert answer["counts"]["pending"] == 25
        seen.append([table["table"] for table in answer["tables"]])
        token = answer["next"]
        if token is None:
            break
    assert seen == [names[:10], names[10:20], names[20:]]


async def test_a_page_has_100_tables_where_nothing_else_is_asked(app):
    names = await many(app, 101)
    answer = await status_of(app)
    assert [table["table"] for table in answer["tables"]] == names[:100]
    assert answer["next"]


async def test_tables_are_filtered_by_state_over_pages(app):
    names = await many(app, 30)
    for name in names[::3]:
        end_table(app, name, "failed", error=ERROR)
    first = await status_of(app, state="failed", top="6")
    assert [table["table"] for table in first["tables"]] == names[::3][:6]
    second = await status_of(app, state="failed", top="6", token=first["next"])
    assert [table["table"] for table in second["tables"]] == names[::3][6:]
    assert second["next"] is None
    assert second["counts"] == {"pending": 20, "running": 0, "succeeded": 0, "failed": 10, "cancelled": 0}


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"state": "done"}, "pending, running"),
        ({"top": "0"}, "1 to 1000"),
        ({"top": "1001"}, "1 to 1000"),
        ({"token": "-1"}, "page before"),
        ({"token": "²"}, "page before"),
    ],
)
async def test_an_impossible_page_is_refused(running, params, words):
    status, answer = await running.call("GET", "migrations/{id}", id="music-2026", **params)
    assert status == 400
    assert words in answer["next_step"]


async def test_the_percent_weighs_tables_by_their_items(app):
    await app.start(plan("music-2026", "Music", "Orders"))
    app.client.set("music-2026", "Running")
    list_tables(app, [["Music"], ["Orders"]], Music={"item_count": 900}, Orders={"item_count": 100})
    take_units(app, 0)
    end_table(app, "Music", items_exported=900)
    assert (await status_of(app))["percent"] == 90


async def test_a_migration_that_ran_for_a_while_tells_when_it_may_arrive(running):
    began = datetime.now(UTC) - timedelta(hours=1)
    running.client.set("music-2026", "Running", created=began)
    end_table(running, "Music")
    eta = datetime.fromisoformat((await status_of(running))["eta"])
    assert timedelta(minutes=59) < eta - datetime.now(UTC) < timedelta(minutes=61)


async def test_a_paused_migration_says_so_and_not_when_it_arrives(running):
    running.client.set("music-2026", "Running", created=datetime.now(UTC) - timedelta(hours=1))
    end_table(running, "Music")
    running.lake.write_json(PAUSE, {"paused_at": "2026-01-31T12:00:05+00:00"})
    answer = await status_of(running)
    assert (answer["paused"], answer["eta"]) == (True, None)


async def test_what_has_ended_is_not_paused(running):
    running.client.set("music-2026", "Completed", {"state": "succeeded", "error": None})
    running.lake.write_json(PAUSE, {"paused_at": "2026-01-31T12:00:05+00:00"})
    assert (await status_of(running))["paused"] is False


async def test_a_migration_that_may_not_start_yet_says_until_when_it_waits(app):
    start_at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=5)
    await app.start(plan(start_at=start_at.isoformat()))
    answer = await status_of(app)
    assert datetime.fromisoformat(answer["waiting_until"]) == start_at
    assert (answer["percent"], answer["eta"]) == (0, None)


async def test_of_a_mixed_unit_only_one_table_of_each_container_is_under_way(app):
    await app.start(plan("music-2026", "Music", "Orders"))
    shared = {"container": "all"}
    list_tables(app, [["Music", "Orders"]], Music=shared, Orders=shared)
    take_units(app, 0)
    asked = asked_about(app)
    await status_of(app)
    assert asked == ["music-2026", MUSIC]


async def test_a_table_waits_for_those_that_share_its_load_run(running):
    running.client.set(MUSIC, "Running", shown={"stage": "assess"})
    instance = stage_instance_id("music-2026", "Music", "load")
    running.client.set(instance, "Running", shown={"waits_for": ["Orders"]})
    assert (await tables_of(running))["Music"]["waiting"] == {"for": "group", "until": None}


def watched(number=0):
    stalled = {"stage": "copy", "since": "2026-01-31T12:00:05+00:00", "detail": "Nothing was copied."}
    tables = {"Music": {"seen": "x", "stalled": stalled}, "Orders": {"seen": "x", "stalled": None}}
    return {"round": number, "looked_at": "2026-01-31T12:00:05+00:00", "tables": tables}


async def test_a_table_that_the_watch_found_stalled_says_so_and_not_when_it_arrives(running):
    for table in ("Music", "Orders"):
        began = datetime.now(UTC) - timedelta(hours=1)
        instance = table_instance_id("music-2026", table)
        running.client.set(instance, "Running", shown={"stage": "copy"}, created=began)
    running.lake.write_json("watch/music-2026.json", watched())
    tables = await tables_of(running)
    assert tables["Music"]["stalled"] == watched()["tables"]["Music"]["stalled"]
    assert (tables["Music"]["eta"], tables["Orders"]["stalled"]) == (None, None)
    assert tables["Orders"]["eta"]


async def test_what_the_watch_found_in_an_earlier_round_does_not_count(running):
    list_units(running, [["Music"]], 1)
    take_units(running, 0, number=1)
    running.client.set(table_instance_id("music-2026", "Music", 1), "Running", shown={"stage": "copy"})
    running.lake.write_json("watch/music-2026.json", watched())
    assert (await tables_of(running))["Music"]["stalled"] is None


async def test_a_migration_whose_window_is_shut_says_until_when_and_no_table_when_it_arrives(app):
    now = datetime.now(UTC)
    opens = (now + timedelta(hours=2)).replace(second=0, microsecond=0)
    between = [f"{opens:%H:%M}", f"{opens + timedelta(hours=1):%H:%M}"]
    await app.start(plan("music-2026", between=between, time_zone="UTC"))
    app.client.set("music-2026", "Running", created=now - timedelta(days=1))
    list_tables(app, [["Music"], ["Orders"]])
    take_units(app, 0)
    app.client.set(MUSIC, "Running", shown={"stage": "copy"}, created=now - timedelta(days=1))
    answer = await status_of(app)
    assert datetime.fromisoformat(answer["waiting_until"]) == opens
    assert (answer["eta"], answer["tables"][0]["eta"]) == (None, None)
