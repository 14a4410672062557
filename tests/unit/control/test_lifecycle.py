import json

import pytest

from d2c.state import paths
from d2c.state.ids import lane_instance_id, stage_instance_id, start_instance_id, unit_instance_id
from tests.unit.control.conftest import SdkError
from tests.unit.control.plans import plan
from tests.unit.control.table_files import end_table, list_tables, queue_tables, take
from tests.unit.records import record, without

ID = "music-2026"
BROKEN = {"title": "t", "detail": "it broke", "next_step": "n", "stage": "load"}


@pytest.fixture
async def running(app):
    """Return the app with a migration whose tables are under way."""
    await app.start(plan())
    app.client.set(ID, "Running")
    list_tables(app, ["Music", "Orders"])
    take(app, "Music", stage="copy")
    take(app, "Orders", stage="load")
    app.client.started.clear()
    return app


@pytest.fixture
async def failed(running):
    """Return the app with a migration that has ended: Music failed, Orders succeeded."""
    end_table(running, "Music", "failed", error=BROKEN)
    end_table(running, "Orders")
    running.client.set(ID, "Completed", {"state": "failed"})
    running.lake.delete(paths.MigrationFiles(ID).is_open)
    return running


async def post(app, operation, body=None):
    content = b"" if body is None else json.dumps(body).encode()
    return await app.call("POST", f"migrations/{{id}}/{operation}", id=ID, body=content)


def mark(app, path):
    return app.lake.read_json(path)


class TestCancel:
    async def test_some_tables_are_named_in_the_mark(self, running):
        assert (await post(running, "cancel", {"tables": ["Music"]}))[0] == 202
        assert mark(running, paths.MigrationFiles(ID).cancel(0))["tables"] == ["Music"]

    async def test_tables_that_are_cancelled_later_join_them(self, running):
        await post(running, "cancel", {"tables": ["Music"]})
        await post(running, "cancel", {"tables": ["Orders"]})
        assert mark(running, paths.MigrationFiles(ID).cancel(0))["tables"] == ["Music", "Orders"]

    async def test_the_whole_migration_stays_cancelled_whatever_table_is_named_then(self, running):
        await post(running, "cancel")
        await post(running, "cancel", {"tables": ["Music"]})
        assert mark(running, paths.MigrationFiles(ID).cancel(0))["tables"] is None

    @pytest.mark.parametrize(
        "body", [{"tables": ["Films"]}, {"tables": []}, {"tables": "Music"}, {"table": ["Music"]}]
    )
    async def test_faults_of_the_body_are_told_and_nothing_is_cancelled(self, running, body):
        status, answer = await post(running, "cancel", body)
        assert (status, len(answer["faults"])) == (400, 1)
        assert mark(running, paths.MigrationFiles(ID).cancel(0)) is None


class TestSuspendAndResume:
    async def test_a_mark_lets_no_stage_begin_until_it_is_taken_away(self, running):
        assert (await post(running, "suspend"))[0] == 202
        assert "paused_at" in mark(running, paths.MigrationFiles(ID).pause)
        assert (await post(running, "resume"))[0] == 202
        assert mark(running, paths.MigrationFiles(ID).pause) is None

    async def test_what_waits_looks_at_once_when_it_may_go_on(self, running):
        idle = lane_instance_id(ID, 0, "export", 1)
        waiting = [
            start_instance_id(ID, 0),
            idle,
            stage_instance_id(ID, 0, "Music", "copy"),
            unit_instance_id(ID, 0, "0-0", "prepare"),
        ]
        for instance in [*waiting, lane_instance_id(ID, 0, "copy", 0), lane_instance_id(ID, 0, "export", 7)]:
            running.client.set(instance, "Running")
        await post(running, "suspend")
        await post(running, "resume")
        assert sorted(running.client.events) == sorted((instance, "wake") for instance in waiting)

    @pytest.mark.parametrize("operation", ["suspend", "resume"])
    async def test_what_has_ended_can_be_neither_held_back_nor_go_on(self, failed, operation):
        status, answer = await post(failed, operation)
        assert status == 409
        assert "is failed already" in answer["detail"]
        assert mark(failed, paths.MigrationFiles(ID).pause) is None

    @pytest.mark.parametrize("operation", ["suspend", "resume", "retry", "cancel"])
    async def test_what_is_not_there_is_not_found(self, app, operation):
        assert (await post(app, operation))[0] == 404


class TestRetry:
    async def test_all_tables_that_failed_are_retried(self, failed):
        status, answer = await post(failed, "retry")
        assert (status, answer["id"]) == (202, ID)
        asked = mark(failed, paths.MigrationFiles(ID).operation(1))
        assert (asked["kind"], asked["number"], asked["tables"]) == ("retry", 1, [{"table": "Music"}])
        assert asked["caps"] == {}

    async def test_the_migration_runs_again_under_its_name(self, failed):
        _, answer = await post(failed, "retry")
        ((name, instance, value),) = failed.client.started
        assert (name, instance, answer["state"]) == ("run_operation", ID, "pending")
        assert (value["operation"], value["kind"]) == (1, "retry")
        assert paths.MigrationFiles(ID).is_open in failed.file_system.files

    async def test_what_changes_for_a_table_is_kept_with_it(self, failed):
        changes = {"table": "Music", "limits": {"max_rejected_items": 9}, "verify": "counts"}
        assert (await post(failed, "retry", {"tables": [changes]}))[0] == 202
        assert mark(failed, paths.MigrationFiles(ID).operation(1))["tables"] == [changes]

    async def test_caps_may_change_for_it(self, failed):
        caps = {"max_parallel_exports": 300, "max_parallel_loads": 1, "max_parallel_tables": 7}
        assert (await post(failed, "retry", caps))[0] == 202
        asked = mark(failed, paths.MigrationFiles(ID).operation(1))
        assert (asked["caps"], asked["tables"]) == (caps, [{"table": "Music"}])

    async def test_a_cancelled_migration_is_no_longer_cancelled_once_it_is_retried(self, running):
        await post(running, "cancel")
        end_table(running, "Music", "cancelled", error=BROKEN)
        running.client.set(ID, "Completed", {"state": "cancelled"})
        running.lake.delete(paths.MigrationFiles(ID).is_open)
        assert (await post(running, "retry"))[0] == 202
        assert mark(running, paths.MigrationFiles(ID).cancel(1)) is None

    async def test_a_retry_is_cancelled_apart_from_the_start(self, failed):
        await post(failed, "retry")
        queue_tables(failed, ["Music"], 1)
        take(failed, "Music", number=1)
        export = stage_instance_id(ID, 1, "Music", "export")
        failed.client.set(export, "Running")
        failed.client.set(stage_instance_id(ID, 0, "Music", "export"), "Running")
        assert (await post(failed, "cancel", {"tables": ["Music"]}))[0] == 202
        assert mark(failed, paths.MigrationFiles(ID).cancel(1))["tables"] == ["Music"]
        assert mark(failed, paths.MigrationFiles(ID).cancel(0)) is None
        assert failed.client.events == [(export, "wake")]

    async def test_a_table_that_left_no_word_of_its_end_is_retried_too(self, running):
        end_table(running, "Orders")
        running.client.set(ID, "Terminated")
        running.lake.delete(paths.MigrationFiles(ID).is_open)
        assert (await post(running, "retry"))[0] == 202
        assert mark(running, paths.MigrationFiles(ID).operation(1))["tables"] == [{"table": "Music"}]

    async def test_a_migration_that_ended_before_its_tables_were_listed_begins_anew(self, app):
        await app.start(plan())
        app.client.set(ID, "Completed", {"state": "failed"})
        app.lake.delete(paths.MigrationFiles(ID).is_open)
        assert (await post(app, "retry"))[0] == 202
        assert mark(app, paths.MigrationFiles(ID).operation(1))["tables"] == []

    async def test_one_that_runs_is_not_retried(self, running):
        status, answer = await post(running, "retry")
        assert (status, "is running" in answer["detail"]) == (409, True)

    async def test_there_must_be_something_to_retry(self, running):
        end_table(running, "Music")
        end_table(running, "Orders")
        running.client.set(ID, "Completed", {"state": "succeeded"})
        running.lake.delete(paths.MigrationFiles(ID).is_open)
        status, answer = await post(running, "retry")
        assert (status, "nothing to retry" in answer["next_step"]) == (409, True)

    async def test_a_table_that_succeeded_is_not_retried(self, failed):
        status, answer = await post(failed, "retry", {"tables": [{"table": "Orders"}]})
        assert (status, answer["detail"]) == (409, "Table Orders is succeeded.")

    async def test_rules_may_change_only_while_nothing_was_loaded(self, failed):
        path = paths.MigrationFiles(ID).table("Music").record
        body = {"tables": [{"table": "Music", "rules": {"numbers": "exact"}}]}
        failed.lake.write_json(path, record())
        status, answer = await post(failed, "retry", body)
        assert (status, "cannot have other rules" in answer["detail"]) == (409, True)
        failed.lake.write_json(path, {**without(record(), "load"), "stages": [{"stage": "prepare"}]})
        assert (await post(failed, "retry", body))[0] == 202

    @pytest.mark.parametrize(
        ("tables", "faults"),
        [
            ([{"table": "Films"}], 1),
            ([{"table": "Music"}, {"table": "Music"}], 1),
            ([{"table": "Music", "container": "x", "verify": "most"}], 2),
            ([], 1),
        ],
    )
    async def test_faults_of_the_body_are_told_at_once(self, failed, tables, faults):
        status, answer = await post(failed, "retry", {"tables": tables})
        assert (status, len(answer["faults"])) == (400, faults)
        assert failed.client.started == []

    async def test_a_start_that_fails_is_told(self, failed):
        async def broken(*_, **__):
            raise SdkError("the storage is gone")

        failed.client.start_new = broken
        assert (await post(failed, "retry"))[0] == 500

    async def test_of_two_retries_at_once_one_gets_the_number(self, failed):
        create = failed.file_system.upload_blob

        def late(path, content, **options):
            if "operations" in path and path not in failed.file_system.files:
                failed.file_system.files[path] = b"{}"
            return create(path, content, **options)

        failed.file_system.upload_blob = late
        status, answer = await post(failed, "retry")
        assert (status, "at the same moment" in answer["detail"]) == (409, True)
        assert failed.client.started == []
