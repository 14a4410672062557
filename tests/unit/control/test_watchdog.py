"""The watchdog over an app of substitutes."""

import json
import logging
from datetime import UTC, datetime, timedelta

import pytest

from d2c.clients.azure.async_lake import AsyncLake
from d2c.control import watchdog
from d2c.control.migrations import deployment_id
from d2c.errors import TransientError
from d2c.state import paths
from d2c.state.ids import (
    clean_up_instance_id,
    lane_instance_id,
    stage_instance_id,
    start_instance_id,
    unit_instance_id,
)
from tests.unit.clients.settings import local_settings
from tests.unit.control.conftest import user_function
from tests.unit.control.plans import plan
from tests.unit.control.table_files import (
    end_in_queue,
    end_table,
    list_tables,
    pass_on,
    queue_tables,
    take,
    write_operation,
)
from triggers import timers

ID = "music-2026"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
LANE = lane_instance_id(ID, 0, "load", 0)
LOAD = unit_instance_id(ID, 0, "0-0", "load")
PREPARE = unit_instance_id(ID, 0, "0-0", "prepare")
COPY = stage_instance_id(ID, 0, "Orders", "copy")


class Watching:
    def __init__(self, app):
        self.app, self.client, self.lake, self.now = app, app.client, app.lake, NOW

    async def look(self, after=timedelta(minutes=5)):
        self.now += after
        await watchdog.reconcile_all(self.app.app, self.now)

    @property
    def cleaned_up(self):
        """What clean-ups were started with, the files that they read."""
        left = [value["migration"] for name, _, value in self.client.started if name == "clean_up"]
        return [self.lake.read_json(paths.MigrationFiles(migration).orphans) for migration in left]

    @property
    def retries_started(self):
        return [value["operation"] for name, _, value in self.client.started if name == "run_operation"]

    def is_open(self):
        return self.lake.exists(paths.MigrationFiles(ID).is_open)

    def stalled(self, table="Music"):
        return self.lake.read_json(paths.MigrationFiles(ID).watchdog)["tables"][table]["stalled"]

    def end(self, status, output=None, number=0):
        """End the migration's orchestration and its lane."""
        value = json.dumps({"migration": ID, "operation": number})
        self.client.set(ID, status, output, value=value)
        self.client.set(LANE, status, output)

    def progress(self, text):
        """Let the load run of Music tell how far it is."""
        self.lake.write(
            f"{paths.MigrationFiles(ID).table('Music').load_folder('start-0', 1)}/progress.json",
            text.encode(),
        )


@pytest.fixture
async def watching(app):
    """A watchdog over a running migration: its table Music is being loaded, its table Orders has not started."""
    await app.start(plan(ID))
    list_tables(app, ["Music", "Orders"])
    take(app, "Music", stage="load")
    app.client.statuses[ID]["runtimeStatus"] = "Running"
    app.client.set(LANE, "Running")
    app.client.set(LOAD, "Running", shown={"attempt": 1, "tables": 1})
    app.client.started.clear()
    return Watching(app)


class TestStalls:
    async def test_a_stage_that_does_not_change_is_told_once_in_the_log_and_in_the_watchs_file(
        self, watching, caplog
    ):
        caplog.set_level(logging.WARNING)
        for _ in range(10):
            await watching.look()
        assert watching.stalled() is None
        for _ in range(5):
            await watching.look()
        assert watching.stalled()["stage"] == "assess"
        assert caplog.text.count("Table Music of migration music-2026 is stalled: No progress of assess") == 1
        assert watching.client.started == []

    async def test_it_is_no_longer_stalled_once_it_moves(self, watching):
        for _ in range(12):
            await watching.look()
        assert watching.stalled()
        watching.progress('{"stages": [{"stage": "assess"}], "done": 2}')
        await watching.look()
        assert watching.stalled() is None

    async def test_a_table_that_waits_for_a_user_or_for_a_lane_is_not_stalled(self, watching):
        watching.client.set(LOAD, "Suspended", shown={"attempt": 1})
        take(watching.app, "Orders")
        pass_on(watching.app, "Orders", "export")
        for _ in range(100):
            await watching.look()
        assert (watching.stalled(), watching.stalled("Orders")) == (None, None)

    async def test_a_table_that_has_not_begun_is_not_looked_at(self, watching):
        await watching.look()
        assert set(watching.lake.read_json(paths.MigrationFiles(ID).watchdog)["tables"]) == {"Music"}

    async def test_each_stage_of_a_table_has_a_count_of_its_own(self, watching):
        take(watching.app, "Orders", stage="copy")
        for number in range(20):
            watching.client.set(COPY, "Running", shown={"done": number})
            await watching.look()
        assert watching.stalled("Orders") is None
        for _ in range(8):
            await watching.look()
        assert watching.stalled("Orders")["stage"] == "copy"

    async def test_the_stage_is_the_one_that_the_load_run_tells(self, watching):
        watching.progress('{"stages": [{"stage": "load"}, {"stage": "verify"}]}')
        for _ in range(20):
            await watching.look()
        assert watching.stalled()["stage"] == "verify"

    async def test_a_notification_is_written_once_where_there_is_a_webhook(self, watching):
        url, secret = "https://hooks.example.com/x", f"whsec_{'abcd' * 8}"
        watching.app.settings = local_settings(D2C_WEBHOOK_URL=url, D2C_WEBHOOK_SECRET=secret)
        for _ in range(15):
            await watching.look()
        (event,) = watching.lake.sizes("outbox")
        told = watching.lake.read_json(f"outbox/{event}")
        assert (told["type"], told["subject"]) == ("d2c.table.stalled", "music-2026/Music")
        assert (told["data"]["stage"], told["data"]["operation"]) == ("assess", 0)

    async def test_what_is_kept_of_a_migration_goes_when_it_has_ended(self, watching):
        await watching.look()
        watching.lake.delete(paths.MigrationFiles(ID).is_open)
        await watching.look()
        assert watching.lake.sizes(paths.WATCHDOG) == {}


class TestWhatRuns:
    async def test_of_what_is_well_nothing_is_touched(self, watching):
        before = dict(watching.app.file_system.files)
        await watching.look()
        after = dict(watching.app.file_system.files)
        assert after.pop(paths.MigrationFiles(ID).watchdog)
        assert (after, watching.client.started, watching.client.events) == (before, [], [])

    @pytest.mark.parametrize("lost", [LOAD, LANE])
    async def test_what_its_own_orchestrations_see_to_is_left_to_them(self, watching, lost):
        """A lane ends the tables of a unit that is lost, and another lane those of a lane that is lost."""
        watching.client.set(lost, "Terminated", "for a test")
        await watching.look()
        assert (watching.client.started, watching.client.events) == ([], [])
        assert not watching.lake.exists(paths.MigrationFiles(ID).cancel(0))


class TestWhatEndedEarly:
    async def test_what_a_terminated_migration_has_running_is_cancelled_and_waited_for(self, watching):
        watching.client.statuses[ID] |= {"runtimeStatus": "Terminated", "output": "by hand"}
        watching.client.set(start_instance_id(ID, 0), "Running")
        await watching.look()
        assert watching.lake.read_json(paths.MigrationFiles(ID).cancel(0))["tables"] is None
        assert (LOAD, "wake") in watching.client.events
        assert watching.client.statuses[start_instance_id(ID, 0)]["runtimeStatus"] == "Terminated"
        assert watching.client.statuses[LOAD]["runtimeStatus"] == "Running"
        assert watching.client.started == []
        assert watching.is_open()

    @pytest.mark.parametrize("status", ["Pending", "Running", "Suspended"])
    async def test_any_lane_that_has_not_ended_is_waited_for(self, watching, status):
        watching.end("Terminated", "by hand")
        watching.client.set(lane_instance_id(ID, 0, "export", 1), status)
        await watching.look()
        assert watching.client.started == []

    async def test_once_no_lane_of_it_runs_the_rest_is_told_and_it_ends(self, watching):
        watching.end("Terminated", "by hand")
        await watching.look()
        ((name, instance, value),) = watching.client.started
        assert (name, instance) == ("clean_up", clean_up_instance_id(ID))
        assert (value["tables"], value["containers"]) == (2, 0)
        (left,) = watching.cleaned_up
        assert {table["table"]: (table["state"], table["operation"]) for table in left["tables"]} == {
            "Music": ("cancelled", 0),
            "Orders": ("cancelled", 0),
        }
        music, orders = (table["error"] for table in left["tables"])
        assert (music["stage"], music["cancelled"], "by hand" in music["detail"]) == ("load", True, True)
        assert orders["detail"] == "The migration ended before the table was started."
        assert (left["operation"], left["ends"]["state"]) == (0, "cancelled")
        assert "by hand" in left["ends"]["error"]["detail"]
        assert datetime.fromisoformat(left["since"]).tzinfo
        assert left["deployment"] == await deployment_id(AsyncLake(watching.lake))

    @pytest.mark.parametrize("waiting", [LOAD, PREPARE])
    async def test_what_still_waits_for_something_outside_is_terminated(self, watching, waiting):
        watching.client.set(waiting, "Running")
        watching.end("Terminated", "by hand")
        await watching.look()
        assert watching.client.statuses[waiting]["runtimeStatus"] == "Terminated"

    @pytest.mark.parametrize(("passed", "stage"), [("export", "copy"), ("copy", "prepare")])
    async def test_a_table_that_no_lane_had_ended_before_its_next_stage(self, watching, passed, stage):
        take(watching.app, "Orders", stage=passed)
        pass_on(watching.app, "Orders", passed)
        watching.end("Terminated", "by hand")
        await watching.look()
        assert watching.cleaned_up[0]["tables"][1]["error"]["stage"] == stage

    async def test_a_migration_that_failed_by_a_defect_ends_as_failed(self, watching):
        watching.end("Failed", "Orchestrator function 'run_operation' failed: boom")
        await watching.look()
        (left,) = watching.cleaned_up
        assert left["ends"]["state"] == "failed"
        assert {table["state"] for table in left["tables"]} == {"failed"}

    async def test_a_table_that_has_ended_is_not_told_again(self, watching):
        end_table(watching.app, "Music")
        watching.end("Terminated", "by hand")
        await watching.look()
        assert [table["table"] for table in watching.cleaned_up[0]["tables"]] == ["Orders"]

    @pytest.mark.parametrize("ended_in", [end_in_queue, end_table])
    async def test_neither_is_one_that_has_ended_in_one_log_alone(self, watching, ended_in):
        ended_in(watching.app, "Music")
        watching.end("Terminated", "by hand")
        await watching.look()
        assert [table["table"] for table in watching.cleaned_up[0]["tables"]] == ["Orders"]

    async def test_a_clean_up_that_runs_is_not_started_again(self, watching):
        watching.end("Terminated", "by hand")
        await watching.look()
        await watching.look()
        assert len(watching.client.started) == 1
        watching.client.set(clean_up_instance_id(ID), "Completed", {"state": "failed", "error": None})
        await watching.look()
        assert len(watching.client.started) == 2

    async def test_one_that_was_purged_is_ended_and_not_started_again(self, watching):
        watching.client.statuses.clear()
        await watching.look()
        (left,) = watching.cleaned_up
        assert left["ends"]["state"] == "cancelled"
        assert watching.retries_started == []

    async def test_one_that_was_purged_before_its_tables_were_listed_is_not_started_again(self, watching):
        for path in (paths.MigrationFiles(ID).tables, paths.MigrationFiles(ID).work(0).queue):
            watching.lake.delete(path)
        await watching.look()
        watching.client.statuses.clear()
        for _ in range(3):
            await watching.look()
        assert watching.retries_started == []
        assert watching.cleaned_up[0]["tables"] == []

    async def test_one_that_ended_without_its_report_gets_it(self, watching):
        end_table(watching.app, "Music")
        end_table(watching.app, "Orders", "failed", error={"stage": "copy"})
        watching.end("Completed", {"state": "failed", "tables": {}, "error": None})
        await watching.look()
        (left,) = watching.cleaned_up
        assert (left["tables"], left["ends"]) == ([], {"state": "failed", "error": None})
        assert not watching.lake.exists(paths.MigrationFiles(ID).cancel(0))

    async def test_a_retry_that_was_left_is_ended_as_that_operation(self, watching):
        end_table(watching.app, "Orders")
        end_table(watching.app, "Music", "failed", error={"stage": "load"})
        queue_tables(watching.app, ["Music"], 1)
        take(watching.app, "Music", number=1)
        watching.end("Terminated", "by hand", number=1)
        await watching.look()
        (left,) = watching.cleaned_up
        assert [(table["table"], table["operation"]) for table in left["tables"]] == [("Music", 1)]
        assert left["operation"] == 1
        assert watching.lake.exists(paths.MigrationFiles(ID).cancel(1))
        assert not watching.lake.exists(paths.MigrationFiles(ID).cancel(0))


class TestLostStarts:
    async def test_a_plan_that_was_accepted_and_not_started_is_started_at_the_second_sight(self, watching):
        for path in list(watching.app.file_system.files):
            if "/work/" in path or path.endswith("tables.json"):
                watching.lake.delete(path)
        watching.client.statuses.clear()
        await watching.look()
        assert watching.client.started == []
        await watching.look()
        assert watching.retries_started == [0]
        await watching.look()
        assert watching.retries_started == [0]

    async def test_a_retry_that_was_accepted_and_not_started_is_started_and_not_cancelled(self, watching):
        end_table(watching.app, "Music", "cancelled", error={"stage": "load"})
        end_table(watching.app, "Orders", "cancelled", error={"stage": "load"})
        watching.end("Completed", {"state": "cancelled", "tables": {}, "error": None})
        write_operation(watching.app, 1)
        watching.lake.write_json(paths.MigrationFiles(ID).cancel(0), {"tables": None})
        await watching.look()
        await watching.look()
        assert watching.retries_started == [1]
        assert not watching.lake.exists(paths.MigrationFiles(ID).cancel(1))
        ((name, instance, value),) = watching.client.started
        assert (name, instance, value["kind"]) == ("run_operation", ID, "retry")

    async def test_a_retry_whose_start_was_seen_late_is_not_started_twice(self, watching):
        watching.end("Completed", {"state": "cancelled", "tables": {}, "error": None})
        write_operation(watching.app, 1)
        await watching.look()
        watching.end("Running", number=1)
        await watching.look()
        assert watching.retries_started == []

    async def test_a_verify_is_no_retry(self, watching):
        write_operation(watching.app, 1, kind="verify")
        for _ in range(2):
            await watching.look()
        assert watching.client.started == []

    async def test_what_is_open_without_a_plan_is_closed_at_the_second_sight(self, watching):
        watching.lake.delete(paths.MigrationFiles(ID).plan)
        await watching.look()
        assert watching.is_open()
        await watching.look()
        assert not watching.is_open()

    async def test_a_crash_before_the_plan_is_accepted_leaves_the_migration_open(self, app):
        def crash(*_):
            raise RuntimeError

        app.lake.create = crash
        status, _ = await app.start(plan("crashed"))
        assert status == 500
        assert app.lake.exists(paths.MigrationFiles("crashed").is_open)


class TestContainers:
    RECORD = "containers/x/shop/music.json"

    def hold(self, watching, migration=ID, **more):
        record = {"migration": migration, "table": "Music", "operation": 0, **more}
        watching.lake.write_json(self.RECORD, record)

    async def test_one_whose_holder_is_under_way_is_left_alone(self, watching):
        self.hold(watching)
        await watching.look()
        assert watching.client.started == []

    async def test_one_whose_holder_has_ended_is_freed_although_the_migration_has_ended_too(self, watching):
        self.hold(watching, "other")
        await watching.look()
        ((_, instance, value),) = watching.client.started
        assert (instance, value["containers"]) == (clean_up_instance_id("other"), 1)
        assert watching.cleaned_up[0]["containers"] == [
            {"path": self.RECORD, "migration": "other", "table": "Music", "operation": 0}
        ]

    async def test_one_that_could_not_be_put_back_is_freed_while_the_migration_goes_on(self, watching):
        self.hold(watching)
        end_table(watching.app, "Music", "failed", error={"stage": "report"})
        await watching.look()
        (left,) = watching.cleaned_up
        assert (len(left["containers"]), left["tables"], left["ends"]) == (1, [], None)

    async def test_one_whose_holder_is_retried_is_left_alone(self, watching):
        end_table(watching.app, "Music", "failed", error={"stage": "load"})
        self.hold(watching, operation=1)
        await watching.look()
        assert watching.client.started == []

    async def test_those_of_a_migration_that_ended_early_wait_for_its_lanes(self, watching):
        self.hold(watching)
        watching.client.statuses[ID] |= {"runtimeStatus": "Terminated", "output": "by hand"}
        await watching.look()
        assert watching.client.started == []
        watching.client.set(LANE, "Completed", {"error": None})
        await watching.look()
        assert [one["path"] for one in watching.cleaned_up[0]["containers"]] == [self.RECORD]

    async def test_one_that_was_being_put_back_when_the_app_crashed_is_freed(self, watching):
        self.hold(watching, being_put_back=True)
        await watching.look()
        assert len(watching.cleaned_up[0]["containers"]) == 1


async def test_one_migration_that_cannot_be_looked_at_does_not_keep_the_others_from_it(watching, caplog):
    watching.lake.write(paths.MigrationFiles("broken").is_open, b"")
    watching.lake.write(paths.MigrationFiles("broken").plan, b"not JSON")
    watching.end("Terminated", "for a test")
    await watching.look()
    assert "could not reconcile migration broken" in caplog.text
    assert len(watching.cleaned_up) == 1


ODD = (b"", b"{", b"[1]", b"7", b"null", b"\xff", b"[" * 100_000, b'{"migration": "../x", "operation": 0}')


@pytest.mark.parametrize(
    "path",
    [
        "containers/x/odd.json",
        "containers/x/shop/odd.json",
        "watch/odd.json",
        "migrations-open/..\\odd",
        "migrations-open/a/b",
        "migrations-open/odd",
        "migrations/odd/plan.json",
        f"{paths.MigrationFiles(ID).operations_prefix}odd.json",
        f"{paths.MigrationFiles(ID).operations_prefix}000001.json.bak",
    ],
)
@pytest.mark.parametrize("content", ODD)
async def test_one_odd_file_does_not_keep_the_watchdog_from_the_others(watching, path, content):
    watching.lake.write(path, content)
    watching.lake.write(paths.MigrationFiles("odd").is_open, b"")
    TestContainers().hold(watching, "other")
    watching.end("Terminated", "for a test")
    await watching.look()
    assert {one["migration"] for one in watching.cleaned_up} == {ID, "other"}


async def test_a_log_of_ended_tables_that_cannot_be_read_does_not_keep_the_watchdog_from_other_migrations(
    watching,
):
    for migration in ("odd", "other"):
        watching.lake.write(paths.MigrationFiles(migration).is_open, b"")
        TestContainers().hold(watching, migration)
    watching.lake.write(paths.MigrationFiles("odd").ended_tables, b'{"table": 1}\n[]\n')
    watching.end("Terminated", "for a test")
    await watching.look()
    assert [one["migration"] for one in watching.cleaned_up] == [ID]


async def test_what_nobody_foresaw_in_the_watchdog_does_not_keep_missed_events_from_being_found(
    watching, caplog
):
    sizes = watching.lake.sizes

    def fail(folder):
        if folder == paths.MIGRATIONS_OPEN:
            raise ValueError
        return sizes(folder)

    watching.lake.sizes = fail
    watching.lake.write_json("plans/b.json", plan("b"))
    await user_function(timers.watch)(None, app=watching.app.app)
    assert watching.lake.read_json("sweep.json")
    assert "The watchdog failed" in caplog.text


async def test_the_timer_looks_at_everything(watching):
    watching.end("Terminated", "for a test")
    await user_function(timers.watch)(None, app=watching.app.app)
    assert len(watching.cleaned_up) == 1


async def test_a_lake_that_does_not_answer_is_told_in_the_log_and_tried_again(watching, caplog):
    def refuse(folder):
        raise TransientError("Lake file lake/x: no whole answer", "It is tried again.")

    watching.lake.sizes = refuse
    await user_function(timers.watch)(None, app=watching.app.app)
    assert "The watchdog failed, and tries again at its next time: Lake file lake/x" in caplog.text


def test_the_timer_has_its_schedule_from_the_settings():
    (trigger,) = [
        binding for binding in timers.watch._function.get_bindings() if binding.type == "timerTrigger"
    ]
    assert trigger.schedule == "%D2C_WATCH_SCHEDULE%"
