import json

import pytest

from d2c.clients.azure.async_lake import AsyncLake
from d2c.control.migrations import deployment_id
from d2c.errors import PermanentError
from d2c.state.ids import lane_instance_id, unit_instance_id
from d2c.state.paths import MigrationFiles
from tests.unit.clients.settings import local_settings
from tests.unit.control.conftest import BASE, SdkError
from tests.unit.control.plans import plan
from tests.unit.control.table_files import (
    end_in_queue,
    end_table,
    list_tables,
    queue_tables,
    take,
    write_operation,
)
from tests.unit.records import FOLDER, record, without

ROUTE = "migrations/{id}/"


@pytest.fixture
async def ended(app):
    """Return the app with a migration that has ended: Music was loaded, Orders was not."""
    await app.start(plan())
    app.client.set("music-2026", "Completed", {"state": "failed"})
    app.lake.delete(MigrationFiles("music-2026").is_open)
    put_record(app, record())
    put_record(app, record(table="Orders", container="orders", stages=[], state="failed", load=None))
    app.client.started.clear()
    return app


def put_record(app, value):
    path = f"{FOLDER.replace('Music', value['table'])}/record.json"
    app.file_system.files[path] = json.dumps(value).encode()


def asked_last(app):
    """Return what the lake says of the operation that was started last."""
    _, _, value = app.client.started[-1]
    return app.lake.read_json(MigrationFiles("music-2026").operation(value["operation"]))


async def post(app, operation, body=None):
    content = b"" if body is None else json.dumps(body).encode()
    return await app.call("POST", ROUTE + operation, id="music-2026", body=content)


async def operations(app):
    _, answer = await app.call("GET", "migrations/{id}", id="music-2026")
    return answer["operations"]


async def test_a_verification_is_numbered_started_and_answered_with_links(ended):
    status, answer = await post(ended, "verify", {"tables": ["Music"], "verify": "counts"})
    assert status == 202
    assert {name: answer[name] for name in ("id", "operation", "number", "state")} == {
        "id": "music-2026",
        "operation": "verify",
        "number": 1,
        "state": "pending",
    }
    assert answer["links"]["self"] == f"{BASE}/migrations/music-2026"
    assert answer["links"]["rejected"] == f"{BASE}/migrations/music-2026/rejected"
    assert answer["links"]["id"] == "music-2026::verify-1"
    ((name, instance, value),) = ended.client.started
    assert (name, instance) == ("run_operation", "music-2026::verify-1")
    waits = {"first_seconds": 10, "factor": 1.5, "longest_seconds": 60}
    deployment = await deployment_id(AsyncLake(ended.lake))
    assert value == {
        "migration": "music-2026",
        "operation": 1,
        "kind": "verify",
        "waits": waits,
        "deployment": deployment,
    }
    asked = asked_last(ended)
    assert (asked["kind"], asked["number"], asked["migration_state"]) == ("verify", 1, "failed")
    assert asked["tables"] == [{"table": "Music", "rules": None, "verify": "counts"}]


@pytest.mark.parametrize("operation", ["verify", "replay"])
async def test_without_a_body_all_tables_are_taken_that_can_be(ended, operation):
    assert (await post(ended, operation))[0] == 202
    assert [table["table"] for table in asked_last(ended)["tables"]] == ["Music"]


async def test_without_a_body_only_tables_with_rejected_items_are_replayed(ended):
    loaded = {**record()["load"]["loaded"], "rejected": 0}
    put_record(ended, record(load={**record()["load"], "loaded": loaded}))
    status, _ = await post(ended, "replay")
    assert (status, asked_last(ended)["tables"]) == (202, [])


async def test_changed_rules_are_laid_over_those_of_before(ended):
    put_record(ended, record(rules_history=[{"drop": ["x"]}, {"drop": ["x"], "numbers": "exact"}]))
    await post(ended, "replay", {"tables": [{"table": "Music", "rules": {"numbers": "string"}}]})
    (table,) = asked_last(ended)["tables"]
    assert table["rules"] == {"drop": ["x"], "numbers": "string"}


async def test_rules_of_all_replays_that_a_load_run_cannot_read_are_refused_before_it_starts(ended):
    large = {"drop": ["x" * 60_000]}
    put_record(ended, record(rules_history=[large] * 9))
    status, answer = await post(
        ended, "replay", {"tables": [{"table": "Music", "rules": {"numbers": "exact"}}]}
    )
    assert (status, ended.client.started) == (400, [])
    assert answer["faults"][0].startswith("tables.0.rules: with those of all replays 600,")
    status, answer = await post(ended, "replay", {"tables": [{"table": "Music"}]})
    assert status == 202


async def test_rules_of_a_retry_that_a_load_run_cannot_read_are_refused_before_it_starts(ended):
    list_tables(ended, ["Music"])
    end_table(ended, "Music", "failed")
    put_record(ended, record(state="failed", load=None, rules={"drop": ["x" * 60_000]}))
    changes = {"table": "Music", "rules": {"document_id": ["x" * 60_000]}}
    status, answer = await post(ended, "retry", {"tables": [changes]})
    assert (status, ended.client.started) == (400, [])
    assert answer["faults"][0].startswith("rules of Music, with its former ones: 120,")


async def test_rules_that_move_documents_are_refused_before_anything_is_left(ended):
    body = {"tables": [{"table": "Music", "rules": {"partition_key": ["Song"], "document_id": ["Artist"]}}]}
    status, answer = await post(ended, "replay", body)
    assert status == 400
    assert ended.mimetype == "application/problem+json"
    assert [fault.split(":")[:2] for fault in answer["faults"]] == [
        ["tables.0.rules", " partition_key"],
        ["tables.0.rules", " document_id"],
    ]
    assert "docs/reference/http-api.md" in answer["next_step"]
    assert (ended.client.started, await operations(ended)) == ([], [])


async def test_faults_of_the_body_are_told_at_once(ended):
    status, answer = await post(ended, "verify", {"tables": ["Films"], "verify": "most"})
    assert (status, [fault.split(":")[0] for fault in answer["faults"]]) == (400, ["verify"])
    status, answer = await post(ended, "verify", {"tables": ["Films", "Songs"]})
    assert (status, len(answer["faults"])) == (400, 2)


@pytest.mark.parametrize("runtime", ["Pending", "Running"])
@pytest.mark.parametrize("operation", ["verify", "replay"])
async def test_a_migration_that_runs_allows_no_operation(ended, runtime, operation):
    ended.client.set("music-2026", runtime)
    status, answer = await post(ended, operation)
    assert (status, ended.client.started) == (409, [])
    assert "music-2026 is" in answer["detail"]


@pytest.mark.parametrize(("operation", "tables"), [("verify", ["Orders"]), ("replay", [{"table": "Orders"}])])
async def test_a_table_that_was_named_and_does_not_allow_it_is_told_with_the_reason(ended, operation, tables):
    status, answer = await post(ended, operation, {"tables": tables})
    assert status == 409
    assert "Orders" in answer["detail"]


async def test_a_migration_without_any_table_that_allows_it_is_told(ended):
    put_record(ended, without(record(stages=[]), "load"))
    status, answer = await post(ended, "verify")
    assert status == 409
    assert "Music" in answer["detail"]


async def test_one_operation_runs_at_a_time(ended):
    await post(ended, "verify")
    ended.client.set("music-2026::verify-1", "Running")
    status, answer = await post(ended, "replay")
    assert (status, len(ended.client.started)) == (409, 1)
    assert "verify-1 of migration music-2026 is running" in answer["detail"]


async def test_the_next_operation_has_the_next_number(ended):
    await post(ended, "verify")
    ended.client.set("music-2026::verify-1", "Completed", {"state": "failed", "error": None})
    _, answer = await post(ended, "replay")
    assert (answer["operation"], answer["number"]) == ("replay", 2)


async def test_of_two_calls_at_the_same_moment_one_is_refused(ended):
    """The other call takes the number between this one's look and its own."""
    create = ended.file_system.upload_blob

    def late(path, content, overwrite):
        ended.file_system.files.setdefault(path, b'{"kind": "replay"}')
        return create(path, content, overwrite)

    ended.file_system.upload_blob = late
    status, answer = await post(ended, "verify")
    assert (status, ended.client.started) == (409, [])
    assert "at the same moment" in answer["detail"]


async def test_an_operation_whose_call_broke_off_before_it_was_started_is_started_by_the_next(ended):
    async def broken(*_, **__):
        raise SdkError("the storage is gone")

    start_new, ended.client.start_new = ended.client.start_new, broken
    assert (await post(ended, "verify"))[0] == 500
    assert [(one["number"], one["state"]) for one in await operations(ended)] == [(1, "pending")]
    ended.client.start_new = start_new
    status, _ = await post(ended, "replay")
    assert status == 409
    assert [(name, instance) for name, instance, _ in ended.client.started] == [
        ("run_operation", "music-2026::verify-1")
    ]


async def test_the_status_tells_of_operations_newest_first(ended):
    assert await operations(ended) == []
    error = PermanentError("Table Music: d", "n").to_dict()
    for number, operation, output in (
        (1, "verify", {"state": "failed", "error": error}),
        (2, "replay", {"state": "succeeded", "error": None}),
    ):
        await post(ended, operation)
        ended.client.set(f"music-2026::{operation}-{number}", "Completed", output)
    await post(ended, "verify")
    accepted = [
        ended.lake.read_json(MigrationFiles("music-2026").operation(number))["accepted_at"]
        for number in (1, 2, 3)
    ]
    told = await operations(ended)
    assert [one.pop("started_at") for one in told] == accepted[::-1]
    finished = {"finished_at": "2026-01-31T12:30:00+00:00"}
    assert told == [
        {"operation": "verify", "number": 3, "state": "pending", "finished_at": None, "error": None},
        {"operation": "replay", "number": 2, "state": "succeeded", **finished, "error": None},
        {"operation": "verify", "number": 1, "state": "failed", **finished, "error": error},
    ]


class TestListedRetries:
    """Retries run under the migration's own id, so Durable knows the newest one only."""

    def retried(self, app, *numbers):
        for number in numbers:
            queue_tables(app, ["Music"], number)

    def run(self, app, number, status, output=None):
        app.client.set("music-2026", status, output, value={"operation": number})

    async def states(self, app):
        return [(one["operation"], one["number"], one["state"]) for one in await operations(app)]

    async def test_the_newest_one_is_as_its_orchestration(self, ended):
        self.retried(ended, 1)
        self.run(ended, 1, "Running")
        assert await self.states(ended) == [("retry", 1, "running")]
        error = PermanentError("d", "n").to_dict()
        self.run(ended, 1, "Completed", {"state": "failed", "error": error})
        (retry,) = await operations(ended)
        assert (retry["state"], retry["error"], retry["finished_at"]) == (
            "failed",
            error,
            "2026-01-31T12:30:00+00:00",
        )
        assert retry["started_at"] == "2026-01-31T12:00:05+00:00"

    async def test_one_that_has_not_started_is_pending_whatever_became_of_the_one_before(self, ended):
        self.run(ended, 0, "Completed", {"state": "failed", "error": None})
        self.retried(ended, 1)
        (retry,) = await operations(ended)
        assert (retry["state"], retry["finished_at"], retry["error"]) == ("pending", None, None)

    @pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
    async def test_an_older_one_is_as_its_tables_ended(self, ended, state):
        self.retried(ended, 1, 2)
        take(ended, "Music", number=1)
        end_in_queue(ended, "Music", state, 1)
        self.run(ended, 2, "Running")
        newer, older = await operations(ended)
        assert (newer["number"], newer["state"]) == (2, "running")
        assert (older["number"], older["state"], older["finished_at"]) == (
            1,
            state,
            "2026-01-31T12:00:05+00:00",
        )

    @pytest.mark.parametrize("operation", ["verify", "replay", "retry"])
    async def test_one_whose_call_broke_off_before_it_was_started_is_started_by_the_next(
        self, ended, operation
    ):
        self.run(ended, 0, "Completed", {"state": "failed", "error": None})
        self.retried(ended, 1)
        status, answer = await post(ended, operation)
        assert (status, "retry-1 of migration music-2026 is pending" in answer["detail"]) == (409, True)
        ((name, instance, value),) = ended.client.started
        assert (name, instance, value["operation"]) == ("run_operation", "music-2026", 1)
        assert await self.states(ended) == [("retry", 1, "pending")]

    async def test_an_older_one_of_which_no_table_ended_has_failed(self, ended):
        self.retried(ended, 1, 2)
        self.run(ended, 2, "Running")
        assert await self.states(ended) == [("retry", 2, "running"), ("retry", 1, "failed")]

    async def test_all_kinds_share_one_sequence_of_numbers(self, ended):
        await post(ended, "verify")
        ended.client.set("music-2026::verify-1", "Completed", {"state": "succeeded", "error": None})
        self.retried(ended, 2)
        self.run(ended, 2, "Completed", {"state": "succeeded", "error": None})
        assert (await post(ended, "replay"))[1]["number"] == 3
        told = await self.states(ended)
        assert told == [("replay", 3, "pending"), ("retry", 2, "succeeded"), ("verify", 1, "succeeded")]


async def test_an_operation_whose_orchestration_broke_off_has_an_error(ended):
    await post(ended, "verify")
    ended.client.set("music-2026::verify-1", "Failed", "oh no\n  at Somewhere")
    (operation,) = await operations(ended)
    assert operation["state"] == "failed"
    assert operation["error"]["detail"].endswith("oh no")


async def test_the_last_twenty_operations_are_shown(ended):
    for number in range(1, 23):
        await post(ended, "verify")
        ended.client.set(f"music-2026::verify-{number}", "Completed", {"state": "succeeded", "error": None})
    assert [one["number"] for one in await operations(ended)] == list(range(22, 2, -1))


async def test_the_status_counts_what_operations_found(ended):
    await post(ended, "replay")
    end_table(ended, "Music", items_written=8, items_rejected=1, mismatches=0)
    end_table(ended, "Music", items_written=9, items_rejected=0, mismatches=7)
    _, answer = await ended.call("GET", "migrations/{id}", id="music-2026")
    music, orders = answer["tables"]
    assert (music["items_written"], music["items_rejected"], music["mismatches"]) == (9, 0, 7)
    assert orders["items_written"] is None


async def test_cancelling_while_an_operation_runs_marks_and_wakes_that_alone(ended):
    await post(ended, "replay")
    list_tables(ended, ["Music", "Orders"])
    queue_tables(ended, ["Music"], 1, Music={"enters": "load"})
    write_operation(ended, 1, kind="replay")
    take(ended, "Music", stage="load", number=1)
    unit = unit_instance_id("music-2026", 1, "0-0", "load")
    for instance in ("music-2026::replay-1", lane_instance_id("music-2026", 1, "load", 0), unit):
        ended.client.set(instance, "Running")
    status, answer = await post(ended, "cancel")
    assert (status, answer["operation"], answer["number"], answer["state"]) == (202, "replay", 1, "running")
    assert "cancelled_at" in ended.lake.read_json("migrations/music-2026/cancel-1.json")
    assert "migrations/music-2026/cancel-0.json" not in ended.file_system.files
    assert ended.client.events == [(unit, "wake")]


async def test_an_operation_that_has_ended_cannot_be_cancelled(ended):
    await post(ended, "replay")
    ended.client.set("music-2026::replay-1", "Completed", {"state": "succeeded", "error": None})
    status, answer = await post(ended, "cancel")
    assert status == 409
    assert "nothing left" in answer["next_step"]


async def test_while_what_broke_off_is_cleaned_up_nothing_starts(ended):
    ended.lake.write(MigrationFiles("music-2026").is_open, b"")
    for operation in ("retry", "verify", "replay"):
        status, answer = await post(ended, operation)
        assert (status, "still being ended" in answer["detail"]) == (409, True)
    assert ended.client.started == []


@pytest.mark.parametrize("operation", ["verify", "replay"])
async def test_a_table_that_the_settings_no_longer_allow_is_left_alone(ended, operation):
    list_tables(ended, ["Music", "Orders"])
    ended.settings = local_settings(D2C_ALLOWED_TABLES="Orders")
    status, answer = await post(ended, operation)
    assert (status, ended.client.started) == (409, [])
    assert answer["detail"].startswith(
        "Music.table: the app may touch only those of D2C_ALLOWED_TABLES (Orders)"
    )


async def test_a_retry_of_what_the_settings_no_longer_allow_is_refused(ended):
    list_tables(ended, ["Music", "Orders"])
    end_table(ended, "Music", "failed")
    ended.settings = local_settings(D2C_ALLOWED_DATABASES="crm")
    status, answer = await post(ended, "retry")
    assert (status, ended.client.started) == (409, [])
    assert "D2C_ALLOWED_DATABASES" in answer["detail"]
