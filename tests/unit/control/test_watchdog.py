"""The watchdog over an app of substitutes."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from d2c.control import watchdog
from d2c.errors import TransientError
from d2c.state import paths
from d2c.state.ids import (
    clean_up_instance_id,
    lane_instance_id,
    stage_instance_id,
    start_instance_id,
    table_instance_id,
)
from tests.unit.clients.settings import local_settings
from tests.unit.control.conftest import user_function
from tests.unit.control.plans import plan
from tests.unit.control.table_files import end_table, list_tables, list_units, take_units
from triggers import timers

ID = "music-2026"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
LANE = lane_instance_id(ID, 0, 0)
SHOWN = {"table": "Music", "state": "running", "stage": "load"}
FOUND = {"source": {"arn": "a"}, "export": {"items": 7}, "copy": {"files": 1}, "described": {"peak": 4000}}


def music(number=0):
    return table_instance_id(ID, "Music", number)


def stage(name, number=0):
    return stage_instance_id(ID, "Music", name, number)


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
        return [self.lake.read_json(paths.orphans_path(migration)) for migration in left]

    @property
    def retries_started(self):
        return [value["round"] for name, _, value in self.client.started if name == "migrate"]

    def is_open(self):
        return self.lake.exists(paths.open_path(ID))

    def stalled(self, table="Music"):
        return self.lake.read_json(paths.watchdog_path(ID))["tables"][table]["stalled"]

    def end(self, status, output=None):
        """End the migration's orchestration and its lane."""
        self.client.statuses[ID] |= {"runtimeStatus": status, "output": output}
        self.client.set(LANE, status, output)


@pytest.fixture
async def watching(app):
    """A watchdog over a running migration: its table Music is being loaded, its table Orders has not started."""
    await app.start(plan(ID))
    list_tables(app, [["Music"], ["Orders"]])
    take_units(app, 0)
    app.client.statuses[ID]["runtimeStatus"] = "Running"
    app.client.set(LANE, "Running")
    app.client.set(music(), "Running", shown=SHOWN)
    app.client.set(stage("load"), "Running", shown={"done": 1}, value={"payload": {"migration": ID, **FOUND}})
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
        assert watching.stalled()["stage"] == "load"
        assert caplog.text.count("Table Music of migration music-2026 is stalled: No progress of load") == 1
        assert watching.client.started == []

    async def test_it_is_no_longer_stalled_once_it_moves(self, watching):
        for _ in range(12):
            await watching.look()
        watching.client.set(stage("load"), "Running", shown={"done": 2})
        await watching.look()
        assert watching.stalled() is None

    @pytest.mark.parametrize(
        ("shown", "progress", "status"),
        [
            ({**SHOWN, "waiting": {"for": "slot"}}, {}, "Running"),
            (SHOWN, {"waiting": {"for": "pause"}}, "Running"),
            (SHOWN, {"waits_for": ["Orders"]}, "Running"),
            (SHOWN, {}, "Suspended"),
        ],
    )
    async def test_who_waits_for_a_turn_a_time_others_or_a_user_is_not_stalled(
        self, watching, shown, progress, status
    ):
        watching.client.set(music(), status, shown=shown)
        watching.client.set(stage("load"), "Running", shown=progress)
        for _ in range(100):
            await watching.look()
        assert watching.stalled() is None

    async def test_the_stage_is_the_one_that_the_load_run_tells(self, watching):
        watching.client.set(stage("load"), "Running", shown={"stages": [{"stage": "verify"}]})
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
        assert told["data"]["stage"] == "load"

    async def test_what_is_kept_of_a_migration_goes_when_it_has_ended(self, watching):
        await watching.look()
        watching.lake.delete(paths.open_path(ID))
        await watching.look()
        assert watching.lake.sizes(paths.WATCHDOG) == {}


class TestWhatRuns:
    async def test_of_what_is_well_nothing_is_touched(self, watching):
        before = dict(watching.app.file_system.files)
        await watching.look()
        after = dict(watching.app.file_system.files)
        assert after.pop(paths.watchdog_path(ID))
        assert (after, watching.client.started, watching.client.events) == (before, [], [])

    async def test_a_table_that_was_ended_by_hand_is_told_with_what_it_found_and_its_waiting_stages_end(
        self, watching
    ):
        watching.client.set(music(), "Terminated", "for a test", shown=SHOWN)
        await watching.look()
        assert watching.client.statuses[stage("load")]["runtimeStatus"] == "Terminated"
        ((name, instance, value),) = watching.client.started
        assert (name, instance) == ("clean_up", clean_up_instance_id(ID))
        assert (value["tables"], value["containers"]) == (1, 0)
        (left,) = watching.cleaned_up
        (table,) = left["tables"]
        assert (table["table"], table["round"], table["state"]) == ("Music", 0, "cancelled")
        assert (table["error"]["stage"], "for a test" in table["error"]["detail"]) == ("load", True)
        assert table["found"] == FOUND
        assert left["ends"] is None

    @pytest.mark.parametrize(
        ("stages", "found"),
        [
            (
                {"export": ("Completed", {"value": {"items": 9}}, {"source": 1})},
                {"source": 1, "export": {"items": 9}},
            ),
            ({"export": ("Running", None, {"source": 1})}, {"source": 1}),
            (
                {
                    "export": ("Completed", {"value": 1}, {"source": 1}),
                    "copy": ("Running", None, {"source": 1, "export": 2}),
                },
                {"source": 1, "export": 2},
            ),
            ({"arrival": ("Completed", {"value": {"export": 1, "copy": 2}}, {})}, {"export": 1, "copy": 2}),
            ({"export": ("Completed", {"error": {"title": "t"}}, {"source": 1})}, {"source": 1}),
            ({}, {}),
        ],
    )
    async def test_what_a_table_found_is_read_from_the_last_stage_that_it_came_to(
        self, watching, stages, found
    ):
        del watching.client.statuses[stage("load")]
        watching.client.set(music(), "Failed", "Orchestrator function failed", shown={"stage": "copy"})
        for name, (status, output, payload) in stages.items():
            watching.client.set(stage(name), status, output, value={"payload": payload})
        await watching.look()
        (table,) = watching.cleaned_up[0]["tables"]
        assert (table["state"], table["found"]) == ("failed", found)

    async def test_a_table_whose_report_could_not_be_written_is_told_as_its_orchestration_ended(
        self, watching
    ):
        error = {"title": "t", "detail": "d", "next_step": "n", "stage": "report", "cancelled": False}
        output = {"table": "Music", "state": "failed", "error": error}
        watching.client.set(music(), "Completed", output, shown=SHOWN)
        await watching.look()
        (table,) = watching.cleaned_up[0]["tables"]
        assert (table["state"], table["error"]) == ("failed", error)

    async def test_a_table_that_tells_its_end_while_it_is_looked_at_is_not_left(self, watching):
        watching.client.set(music(), "Completed", {"state": "succeeded", "error": None}, shown=SHOWN)
        get_status = watching.client.get_status

        async def get_status_and_end(instance, show_input=False):
            if instance == music():
                end_table(watching.app, "Music")
            return await get_status(instance, show_input)

        watching.client.get_status = get_status_and_end
        await watching.look()
        assert watching.client.started == []

    async def test_a_clean_up_that_runs_is_not_started_again(self, watching):
        watching.client.set(music(), "Terminated", "for a test", shown=SHOWN)
        await watching.look()
        await watching.look()
        assert len(watching.client.started) == 1
        watching.client.set(clean_up_instance_id(ID), "Completed", {"state": "failed", "error": None})
        await watching.look()
        assert len(watching.client.started) == 2


class TestWhatEndedEarly:
    async def test_what_a_terminated_migration_has_running_is_cancelled_and_waited_for(self, watching):
        watching.client.statuses[ID] |= {"runtimeStatus": "Terminated", "output": "by hand"}
        watching.client.set(start_instance_id(ID, 0), "Running")
        await watching.look()
        assert watching.lake.read_json(paths.cancel_path(ID))["tables"] is None
        assert (stage("load"), "wake") in watching.client.events
        assert watching.client.statuses[start_instance_id(ID, 0)]["runtimeStatus"] == "Terminated"
        assert watching.client.started == []
        assert watching.is_open()

    async def test_once_nothing_of_it_runs_the_rest_is_told_and_it_ends(self, watching):
        watching.end("Terminated", "by hand")
        watching.client.set(music(), "Terminated", "by hand", shown=SHOWN)
        await watching.look()
        (left,) = watching.cleaned_up
        assert {table["table"]: table["state"] for table in left["tables"]} == {
            "Music": "cancelled",
            "Orders": "cancelled",
        }
        assert left["tables"][1]["error"]["detail"] == "The migration ended before the table was started."
        assert (left["ends"]["state"], "by hand" in left["ends"]["error"]["detail"]) == ("cancelled", True)
        assert datetime.fromisoformat(left["since"]).tzinfo

    async def test_tables_whose_turn_may_still_come_are_not_told_as_ended(self, watching):
        watching.client.statuses[ID] |= {"runtimeStatus": "Terminated", "output": "by hand"}
        watching.client.set(music(), "Terminated", "by hand", shown=SHOWN)
        await watching.look()
        (left,) = watching.cleaned_up
        assert ([table["table"] for table in left["tables"]], left["ends"]) == (["Music"], None)

    async def test_a_migration_that_failed_by_a_defect_ends_as_failed(self, watching):
        watching.end("Failed", "Orchestrator function 'migrate' failed: boom")
        watching.client.set(music(), "Failed", "boom", shown=SHOWN)
        await watching.look()
        (left,) = watching.cleaned_up
        assert left["ends"]["state"] == "failed"
        assert {table["state"] for table in left["tables"]} == {"failed"}

    async def test_one_that_was_purged_is_ended_and_not_started_again(self, watching):
        watching.client.statuses.clear()
        await watching.look()
        (left,) = watching.cleaned_up
        assert left["ends"]["state"] == "cancelled"
        assert watching.retries_started == []

    async def test_one_that_was_purged_before_its_tables_were_listed_is_not_started_again(self, watching):
        for path in (paths.tables_path(ID), paths.members_path(paths.operation_folder(ID, 0))):
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
        watching.client.set(music(), "Completed", {"state": "succeeded", "error": None})
        await watching.look()
        (left,) = watching.cleaned_up
        assert (left["tables"], left["ends"]) == ([], {"state": "failed", "error": None})
        assert not watching.lake.exists(paths.cancel_path(ID))

    async def test_a_retry_that_was_left_is_ended_as_that_round(self, watching):
        end_table(watching.app, "Orders")
        end_table(watching.app, "Music", "failed", error={"stage": "load"})
        list_units(watching.app, [["Music"]], 1)
        take_units(watching.app, 0, number=1)
        watching.client.set(ID, "Terminated", "by hand", value={"round": 1})
        watching.client.set(music(1), "Terminated", "by hand", shown=SHOWN)
        watching.client.set(LANE, "Completed", {})
        await watching.look()
        (left,) = watching.cleaned_up
        assert [(table["table"], table["round"]) for table in left["tables"]] == [("Music", 1)]
        assert left["round"] == 1


class TestLostStarts:
    async def test_a_plan_that_was_accepted_and_not_started_is_started_at_the_second_sight(self, watching):
        for path in list(watching.app.file_system.files):
            if "/rounds/" in path or path.endswith("tables.json"):
                watching.lake.delete(path)
        watching.client.statuses.clear()
        await watching.look()
        assert watching.client.started == []
        await watching.look()
        assert watching.retries_started == [0]
        await watching.look()
        assert watching.retries_started == [0]

    async def test_a_retry_that_was_accepted_and_not_started_is_started_without_the_old_cancel_mark(
        self, watching
    ):
        end_table(watching.app, "Music", "cancelled", error={"stage": "load"})
        end_table(watching.app, "Orders", "cancelled", error={"stage": "load"})
        watching.end("Completed", {"state": "cancelled", "tables": {}, "error": None})
        watching.lake.write_json(paths.operation_path(ID, "retry", 1), {})
        watching.lake.write_json(paths.cancel_path(ID), {"tables": None})
        await watching.look()
        await watching.look()
        assert watching.retries_started == [1]
        assert not watching.lake.exists(paths.cancel_path(ID))

    async def test_what_is_open_without_a_plan_is_closed_at_the_second_sight(self, watching):
        watching.lake.delete(paths.plan_path(ID))
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
        assert app.lake.exists(paths.open_path("crashed"))


class TestContainers:
    RECORD = "containers/x/shop/music.json"

    def hold(self, watching, migration=ID, **more):
        record = {"migration": migration, "table": "Music", "round": 0, **more}
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
            {"path": self.RECORD, "migration": "other", "table": "Music", "round": 0}
        ]

    async def test_one_that_could_not_be_put_back_is_freed_while_the_migration_goes_on(self, watching):
        self.hold(watching)
        end_table(watching.app, "Music", "failed", error={"stage": "report"})
        watching.client.set(music(), "Completed", {"state": "failed", "error": None})
        await watching.look()
        (left,) = watching.cleaned_up
        assert (len(left["containers"]), left["tables"], left["ends"]) == (1, [], None)

    async def test_one_that_was_being_put_back_when_the_app_crashed_is_freed(self, watching):
        self.hold(watching, being_put_back=True)
        await watching.look()
        assert len(watching.cleaned_up[0]["containers"]) == 1


async def test_one_migration_that_cannot_be_looked_at_does_not_keep_the_others_from_it(watching, caplog):
    watching.lake.write(paths.open_path("broken"), b"")
    watching.lake.write(paths.plan_path("broken"), b"not JSON")
    watching.client.set(music(), "Terminated", "for a test", shown=SHOWN)
    await watching.look()
    assert "could not reconcile migration broken" in caplog.text
    assert len(watching.cleaned_up) == 1


async def test_the_timer_looks_at_everything(watching):
    watching.client.set(music(), "Terminated", "for a test", shown=SHOWN)
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
