import asyncio
import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from d2c.clients.threads import in_thread
from d2c.state.ids import stage_instance_id, unit_instance_id
from d2c.state.paths import MigrationFiles
from tests.unit.control.conftest import BASE, KEY
from tests.unit.control.plans import plan
from tests.unit.control.table_files import (
    end_in_queue,
    end_table,
    list_tables,
    log,
    pass_on,
    queue_tables,
    take,
    write_operation,
)

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
EXPORT = stage_instance_id("music-2026", 0, "Music", "export")
COPY = stage_instance_id("music-2026", 0, "Music", "copy")
PREPARE = unit_instance_id("music-2026", 0, "0-0", "prepare")
LOAD = unit_instance_id("music-2026", 0, "0-0", "load")
SCALE = unit_instance_id("music-2026", 0, "0-0", "scale")
INDEX = unit_instance_id("music-2026", 0, "0-0", "index")
SECOND = unit_instance_id("music-2026", 0, "0-0", "second-load")
PAUSE = "migrations/music-2026/pause.json"


@pytest.fixture
async def running(app):
    """Return the app with a running migration of the tables Music and Orders, which wait for lanes."""
    await app.start(plan())
    app.client.set("music-2026", "Running")
    list_tables(app, ["Music", "Orders"])
    return app


async def many(app, count, **more):
    """Start a migration of many tables; the result is their names."""
    names = [f"table-{number:03}" for number in range(count)]
    await app.start(plan("music-2026", *names, **more))
    app.client.set("music-2026", "Running")
    list_tables(app, names)
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

    async def noted(instance, show_input=False):
        asked.append(instance)
        return await get_status(instance, show_input)

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
    assert music["links"]["id"] == "music-2026"


async def test_tables_are_told_in_the_order_in_which_they_run(app):
    await app.start(plan("music-2026", "Music", "Orders"))
    list_tables(app, ["Orders", "Music", "Found-by-a-pattern"])
    assert list(await tables_of(app)) == ["Orders", "Music", "Found-by-a-pattern"]


async def test_durable_is_asked_only_about_tables_that_lanes_have(app):
    names = await many(app, 50)
    for lane, name in enumerate(names[:4]):
        take(app, name, lane=lane)
    end_table(app, names[0])
    pass_on(app, names[1], "export")
    asked = asked_about(app)
    answer = await status_of(app)
    assert answer["counts"] == {"pending": 46, "running": 3, "succeeded": 1, "failed": 0, "cancelled": 0}
    assert asked == [
        "music-2026",
        *(stage_instance_id("music-2026", 0, name, "export") for name in names[2:4]),
    ]


async def test_while_no_lane_has_a_table_durable_is_asked_about_the_migration_only(running):
    asked = asked_about(running)
    await status_of(running)
    assert asked == ["music-2026"]


@pytest.mark.parametrize("told", [100, 3, 0])
async def test_tables_that_run_are_told_the_same_however_many_of_them_durable_tells_at_once(app, told):
    names = await many(app, 10)
    for place, name in enumerate(names):
        take(app, name, stage="copy", lane=place)
        stage = stage_instance_id("music-2026", 0, name, "copy")
        app.client.set(stage, "Running", shown={"done": place, "total": 10})
    app.client.statuses_of_a_page = told
    asked = asked_about(app)
    answer = await status_of(app)
    assert [table["percent"] for table in answer["tables"]] == [30 + 15 * n // 10 for n in range(10)]
    assert len(asked) == 1 + 10 - min(told, 10)


def shown(table):
    return table["state"], table["stage"], table["percent"]


async def test_a_table_tells_its_stage_its_items_and_what_is_at_work_for_it(running):
    take(running, "Music")
    running.client.set(EXPORT, "Running", shown={"status": "IN_PROGRESS"})
    music = (await tables_of(running))["Music"]
    assert (shown(music), music["items_exported"]) == (("running", "export", 0), None)
    assert (music["waiting"], music["links"]["id"]) == (None, EXPORT)
    pass_on(running, "Music", "export", items=7)
    take_copy(running)
    running.client.set(COPY, "Running", shown={"done": 500, "total": 1000})
    music = (await tables_of(running))["Music"]
    assert (shown(music), music["items_exported"]) == (("running", "copy", 37), 7)
    assert music["links"]["id"] == COPY


def take_copy(app):
    """Let a copy lane take Music, whose export has passed on."""
    line = {"did": "claimed", "stage": "copy", "lane": 0, "turn": 0, "tables": ["Music"]}
    log(app, line)


async def test_a_table_that_a_lane_has_just_taken_runs_its_stage(running):
    take(running, "Music", stage="load")
    music = (await tables_of(running))["Music"]
    assert (music["state"], music["stage"], music["waiting"]) == ("running", "prepare", None)


async def test_a_units_tables_are_prepared_then_loaded(running):
    take(running, "Music", "Orders", stage="load")
    running.client.set(PREPARE, "Running", shown={"tables": 2})
    tables = await tables_of(running)
    assert [(table["stage"], table["links"]["id"]) for table in tables.values()] == [("prepare", PREPARE)] * 2
    running.client.set(PREPARE, "Completed", {"value": 2})
    running.client.set(LOAD, "Running", shown={"attempt": 1, "tables": 2})
    tables = await tables_of(running)
    assert [(table["stage"], table["links"]["id"]) for table in tables.values()] == [("assess", LOAD)] * 2


async def test_between_prepare_and_load_a_unit_is_still_being_prepared(running):
    take(running, "Music", stage="load")
    running.client.set(PREPARE, "Completed", {"value": 1})
    music = (await tables_of(running))["Music"]
    assert (music["stage"], music["links"]["id"]) == ("prepare", PREPARE)


def write_progress(app, table, content, attempt=1):
    app.lake.write(
        f"{MigrationFiles('music-2026').table(table).load_folder('start-0', attempt)}/progress.json", content
    )


async def test_a_table_that_has_been_assessed_waits_for_its_container_with_a_cluster_and_without(running):
    take(running, "Music", stage="load")
    running.client.set(LOAD, "Running", shown={"attempt": 1, "tables": 1})
    write_progress(running, "Music", b'{"stages": [{"stage": "assess"}], "is_waiting": true}')
    waiting = {"for": "throughput", "until": None, "place": None}
    music = (await tables_of(running))["Music"]
    assert (shown(music), music["waiting"]) == (("running", "load", 60), waiting)
    running.client.set(LOAD, "Completed", {"value": 1})
    running.client.set(SCALE, "Running", shown={"tables": 1})
    music = (await tables_of(running))["Music"]
    assert (shown(music), music["waiting"]) == (("running", "load", 60), waiting)
    assert music["links"]["id"] == SCALE
    folder = MigrationFiles("music-2026").table("Music").index_folder("start-0")
    running.lake.write(
        f"{folder}/progress.json", b'{"stages": [{"stage": "index"}], "done": 0, "total": 100}'
    )
    music = (await tables_of(running))["Music"]
    assert (music["stage"], music["waiting"]) == ("index", None)


async def test_a_second_load_run_tells_its_own_progress(running):
    take(running, "Music", stage="load")
    running.client.set(SECOND, "Running", shown={"attempt": 1, "tables": 1})
    music = (await tables_of(running))["Music"]
    assert (music["stage"], music["waiting"], music["links"]["id"]) == ("load", None, SECOND)
    folder = MigrationFiles("music-2026").table("Music").load_folder("start-0-second", 1)
    running.lake.write(f"{folder}/progress.json", b'{"stages": [{"stage": "load"}, {"stage": "verify"}]}')
    assert (await tables_of(running))["Music"]["stage"] == "verify"


async def test_a_container_that_gets_its_indexes_tells_how_far_they_are(running):
    take(running, "Music", stage="load")
    running.client.set(LOAD, "Completed", {"value": 1})
    running.client.set(INDEX, "Running", shown={"tables": 1})
    music = (await tables_of(running))["Music"]
    assert (shown(music), music["links"]["id"]) == (("running", "index", 95), INDEX)
    folder = MigrationFiles("music-2026").table("Music").index_folder("start-0")
    told = b'{"stages": [{"stage": "index"}], "done": 67, "total": 100}'
    running.lake.write(f"{folder}/progress.json", told)
    music = (await tables_of(running))["Music"]
    assert (shown(music), music["progress"]) == (("running", "index", 97), None)


async def test_each_table_of_a_unit_tells_by_its_own_file_how_far_it_is(running):
    take(running, "Music", "Orders", stage="load")
    running.client.set(LOAD, "Running", shown={"attempt": 2, "tables": 2})
    write_progress(running, "Music", b'{"stages": [{"stage": "verify"}], "done": 1, "total": 1}')
    stages = b'{"stages": [{"stage": "assess"}, {"stage": "load"}], "done": 40, "total": 100}'
    write_progress(running, "Music", stages, attempt=2)
    tables = await tables_of(running)
    assert shown(tables["Music"]) == ("running", "load", 70)
    assert shown(tables["Orders"])[1] == "assess"


def progress_text(**changes):
    """Return what a load run tells of a load that is at 40 of 100 items, with 10 minutes to go."""
    return json.dumps(
        {
            "stages": [{"stage": "assess"}, {"stage": "load"}],
            "done": 40,
            "total": 100,
            "bytes": 400,
            "bytes_total": 1000,
            "items_per_second": 0.1,
            "bytes_per_second": 1,
            "seconds_left": 540,
            "seconds_after": 60,
            **changes,
        }
    ).encode()


async def test_a_load_tells_items_bytes_rate_and_the_time_of_its_end_by_that_rate(running):
    take(running, "Music", "Orders", stage="load")
    running.client.set(LOAD, "Running", shown={"attempt": 1, "tables": 2})
    write_progress(running, "Music", progress_text())
    write_progress(running, "Orders", progress_text(seconds_left=1140))
    before = datetime.now(UTC).replace(microsecond=0)
    answer = await status_of(running)
    music, orders = answer["tables"]
    assert music["progress"] == {
        "items": 40,
        "items_total": 100,
        "bytes": 400,
        "bytes_total": 1000,
        "items_per_second": 0.1,
        "bytes_per_second": 1,
    }
    ends = [datetime.fromisoformat(one["eta"]) for one in (music, orders, answer)]
    late = (datetime.now(UTC) - before).total_seconds()
    for end, seconds in zip(ends, (600, 1200, 1200), strict=True):
        assert seconds <= (end - before).total_seconds() <= seconds + late


async def test_while_one_table_tells_no_rate_the_whole_is_estimated_as_before(running):
    take(running, "Music", stage="load")
    running.client.set(LOAD, "Running", shown={"attempt": 1, "tables": 1})
    write_progress(running, "Music", progress_text())
    answer = await status_of(running)
    assert answer["tables"][0]["eta"] != answer["eta"]


@pytest.mark.parametrize(
    "content", [b"", b'{"stages": [{"st', b"[]", b'{"stages": [{"stage": "brew"}]}', b" " * 2**17]
)
async def test_a_file_that_is_being_written_tells_nothing(running, content):
    take(running, "Music", stage="load")
    running.client.set(LOAD, "Running", shown={"attempt": 1, "tables": 1})
    write_progress(running, "Music", content)
    assert (await tables_of(running))["Music"]["stage"] == "assess"


async def test_of_a_unit_one_table_may_have_ended(running):
    take(running, "Music", "Orders", stage="load")
    running.client.set(LOAD, "Running", shown={"attempt": 1, "tables": 1})
    end_table(running, "Music", items_written=5)
    tables = await tables_of(running)
    assert [table["state"] for table in tables.values()] == ["succeeded", "running"]
    assert [table["links"]["id"] for table in tables.values()] == ["music-2026", LOAD]


class TestWaiting:
    async def test_a_table_that_has_not_begun_tells_what_it_waits_for(self, running):
        tables = await tables_of(running)
        assert tables["Orders"]["waiting"] == {"for": "export_lane", "until": None, "place": 2}
        assert (tables["Orders"]["state"], tables["Orders"]["stage"]) == ("pending", None)

    @pytest.mark.parametrize(
        ("done", "stage", "word"), [(1, "copy", "copy_lane"), (2, "prepare", "load_lane")]
    )
    async def test_a_table_that_waits_between_its_stages_runs_and_tells_the_next(
        self, running, done, stage, word
    ):
        take(running, "Music", stage=("export", "copy")[done - 1])
        pass_on(running, "Music", ("export", "copy")[done - 1])
        music = (await tables_of(running))["Music"]
        assert (music["state"], music["stage"]) == ("running", stage)
        assert music["waiting"] == {"for": word, "until": None, "place": 1}
        assert music["links"]["id"] == "music-2026"

    async def test_a_table_waits_for_the_one_that_loads_its_container(self, app):
        await app.start(plan())
        app.client.set("music-2026", "Running")
        shared = {"container": "all", "enters": "load"}
        list_tables(app, ["Music", "Orders"], Music=shared, Orders=shared)
        take(app, "Music", stage="load")
        assert (await tables_of(app))["Orders"]["waiting"]["for"] == "container"

    async def test_a_pause_holds_all_that_no_lane_has(self, running):
        take(running, "Music")
        running.lake.write_json(PAUSE, {"paused_at": "2026-01-31T12:00:05+00:00"})
        tables = await tables_of(running)
        assert tables["Music"]["waiting"] is None
        assert tables["Orders"]["waiting"] == {"for": "pause", "until": None, "place": None}

    @pytest.mark.parametrize("stage", ["export", "copy"])
    async def test_a_pause_holds_a_table_that_has_begun_and_waits_for_its_next_stage(self, running, stage):
        take(running, "Music", stage=stage)
        pass_on(running, "Music", stage)
        running.lake.write_json(PAUSE, {"paused_at": "2026-01-31T12:00:05+00:00"})
        music = (await tables_of(running))["Music"]
        assert (music["state"], music["waiting"]["for"]) == ("running", "pause")

    async def test_a_pause_before_the_tables_are_listed_holds_all_of_them(self, app):
        await app.start(plan("music-2026", "Music", "Orders"))
        app.lake.write_json(PAUSE, {"paused_at": "2026-01-31T12:00:05+00:00"})
        tables = (await tables_of(app)).values()
        assert [(table["state"], table["waiting"]["for"]) for table in tables] == [("pending", "pause")] * 2

    async def test_before_the_tables_are_listed_they_wait_for_the_start(self, app):
        start_at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=5)
        await app.start(plan(start_at=start_at.isoformat()))
        music = (await tables_of(app))["Music"]
        assert music["waiting"] == {"for": "start", "until": start_at.isoformat(), "place": None}

    async def test_while_nothing_holds_a_migration_that_lists_its_tables_they_wait_for_nothing(self, app):
        await app.start(plan())
        assert (await tables_of(app))["Music"]["waiting"] is None

    async def test_nothing_is_waited_for_once_the_migration_has_ended(self, running):
        running.client.set("music-2026", "Terminated", "by hand")
        running.lake.write_json(PAUSE, {"paused_at": "2026-01-31T12:00:05+00:00"})
        assert [table["waiting"] for table in (await tables_of(running)).values()] == [None, None]


class TestStages:
    async def test_a_migration_tells_how_busy_each_stage_is_and_which_one_holds_it_back(self, app):
        names = ["Music", "Orders", "Users", "Films"]
        await app.start(plan("music-2026", *names))
        app.client.set("music-2026", "Running")
        list_tables(app, names, caps={"export": 2, "copy": 1, "load": 1})
        take(app, "Music", lane=0)
        take(app, "Orders", lane=1)
        answer = await status_of(app)
        assert answer["stages"] == {
            "export": {"lanes": 2, "busy": 2, "waiting": 2},
            "copy": {"lanes": 1, "busy": 0, "waiting": 0},
            "load": {"lanes": 1, "busy": 0, "waiting": 0},
        }
        assert answer["held_back_by"] == "export"

    async def test_nothing_holds_back_where_lanes_are_idle(self, running):
        assert (await status_of(running))["held_back_by"] is None

    async def test_before_the_tables_are_listed_there_are_none(self, app):
        await app.start(plan())
        answer = await status_of(app)
        assert (answer["stages"], answer["held_back_by"]) == (None, None)

    async def test_once_it_has_ended_there_are_none(self, running):
        running.client.set("music-2026", "Completed", {"state": "failed", "error": None})
        answer = await status_of(running)
        assert (answer["stages"], answer["held_back_by"]) == (None, None)


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
async def test_a_table_that_has_ended_tells_how(running, state):
    error = None if state == "succeeded" else ERROR
    end_table(running, "Music", state, error=error, items_written=5)
    music = (await tables_of(running))["Music"]
    assert (music["state"], music["error"], music["items_written"]) == (state, error, 5)


async def test_a_table_that_the_queue_has_ended_has_ended(running):
    take(running, "Music")
    end_in_queue(running, "Music", "failed", error=ERROR)
    assert (await tables_of(running))["Music"]["state"] == "failed"


async def test_a_table_whose_orchestration_broke_off_runs_until_its_lane_ends_it(running):
    take(running, "Music", stage="copy")
    running.client.set(COPY, "Failed", "Orchestrator function failed: oh no")
    music = (await tables_of(running))["Music"]
    assert (music["state"], music["stage"], music["links"]["id"]) == ("running", "copy", COPY)


async def test_a_table_that_broke_off_and_is_not_retried_has_failed(running):
    take(running, "Music", stage="copy")
    end_table(running, "Orders", "failed", error=ERROR)
    queue_tables(running, ["Orders"], 1)
    running.client.set("music-2026", "Running", value={"operation": 1})
    answer = await status_of(running)
    assert answer["counts"] == {"pending": 1, "running": 0, "succeeded": 0, "failed": 1, "cancelled": 0}


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


async def test_a_table_that_is_retried_is_told_as_it_stands_in_the_retry(running):
    end_table(running, "Music", "failed", error=ERROR)
    end_table(running, "Orders")
    queue_tables(running, ["Music"], 1, Music={"enters": "copy"})
    running.client.set("music-2026", "Running", value={"operation": 1})
    assert (await tables_of(running))["Music"]["state"] == "pending"
    take(running, "Music", stage="copy", number=1)
    again = stage_instance_id("music-2026", 1, "Music", "copy")
    running.client.set(again, "Running", shown={"done": 1, "total": 2})
    tables = await tables_of(running)
    assert (tables["Music"]["stage"], tables["Music"]["links"]["id"]) == ("copy", again)
    assert tables["Orders"]["state"] == "succeeded"
    end_table(running, "Music", number=1)
    assert (await status_of(running))["counts"]["succeeded"] == 2


async def test_until_a_retry_has_listed_its_tables_they_are_told_as_they_ended(running):
    end_table(running, "Music", "failed", error=ERROR)
    write_operation(running, 1)
    running.client.set("music-2026", "Running", value={"operation": 1})
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
    list_tables(app, ["Music", "Orders"], Music={"item_count": 900}, Orders={"item_count": 100})
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


def watched(number=0):
    stalled = {"stage": "copy", "since": "2026-01-31T12:00:05+00:00", "detail": "Nothing was copied."}
    tables = {"Music": {"seen": "x", "stalled": stalled}, "Orders": {"seen": "x", "stalled": None}}
    return {"operation": number, "looked_at": "2026-01-31T12:00:05+00:00", "tables": tables}


async def test_a_table_that_the_watch_found_stalled_says_so_and_not_when_it_arrives(running):
    began = datetime.now(UTC) - timedelta(hours=1)
    for lane, table in enumerate(("Music", "Orders")):
        take(running, table, stage="copy", lane=lane, at=began.isoformat())
        instance = stage_instance_id("music-2026", 0, table, "copy")
        running.client.set(instance, "Running", shown={"done": 1, "total": 2})
    running.lake.write_json("watch/music-2026.json", watched())
    tables = await tables_of(running)
    assert tables["Music"]["stalled"] == watched()["tables"]["Music"]["stalled"]
    assert (tables["Music"]["eta"], tables["Orders"]["stalled"]) == (None, None)
    assert tables["Orders"]["eta"]


async def test_forty_calls_that_the_lake_does_not_answer_do_not_keep_a_status_from_being_told(running):
    answered = threading.Event()
    hanging = [asyncio.create_task(in_thread(answered.wait, 60)) for _ in range(40)]
    try:
        await asyncio.sleep(0)
        async with asyncio.timeout(30):
            assert (await status_of(running))["id"] == "music-2026"
        assert not any(task.done() for task in hanging)
    finally:
        answered.set()
        await asyncio.gather(*hanging)


async def test_what_is_wrong_with_what_a_stage_waits_for_is_told_in_place_of_when_it_arrives(running):
    take(running, "Music", stage="copy", at=(datetime.now(UTC) - timedelta(hours=1)).isoformat())
    shown = {"done": 1, "total": 2, "finding": "of 0 bytes: data/a.json.gz"}
    running.client.set(stage_instance_id("music-2026", 0, "Music", "copy"), "Running", shown=shown)
    music = (await tables_of(running))["Music"]
    assert (music["finding"], music["eta"]) == ("of 0 bytes: data/a.json.gz", None)


async def test_what_the_watch_found_in_an_earlier_operation_does_not_count(running):
    queue_tables(running, ["Music"], 1)
    running.client.set("music-2026", "Running", value={"operation": 1})
    take(running, "Music", number=1)
    running.lake.write_json("watch/music-2026.json", watched())
    assert (await tables_of(running))["Music"]["stalled"] is None


async def test_a_migration_whose_window_is_shut_says_until_when_and_no_table_when_it_arrives(app):
    now = datetime.now(UTC)
    opens = (now + timedelta(hours=2)).replace(second=0, microsecond=0)
    between = [f"{opens:%H:%M}", f"{opens + timedelta(hours=1):%H:%M}"]
    await app.start(plan("music-2026", between=between, time_zone="UTC"))
    app.client.set("music-2026", "Running", created=now - timedelta(days=1))
    list_tables(app, ["Music", "Orders"])
    take(app, "Music", stage="copy")
    app.client.set(COPY, "Running", shown={"done": 1, "total": 2})
    answer = await status_of(app)
    assert datetime.fromisoformat(answer["waiting_until"]) == opens
    music, orders = answer["tables"]
    assert (answer["eta"], music["eta"], music["waiting"]) == (None, None, None)
    assert orders["waiting"] == {"for": "window", "until": answer["waiting_until"], "place": None}
