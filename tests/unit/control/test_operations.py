import json

import pytest

from d2c.errors import PermanentError
from d2c.state.paths import operation_path
from tests.unit.control.conftest import BASE, SdkError
from tests.unit.control.plans import plan
from tests.unit.control.table_files import end_table
from tests.unit.records import FOLDER, record, without

ROUTE = "migrations/{id}/"


@pytest.fixture
async def ended(app):
    """Return the app with a migration that has ended: Music was loaded, Orders was not."""
    await app.start(plan())
    app.client.set("music-2026", "Completed", {"state": "failed"})
    put_record(app, record())
    put_record(app, record(table="Orders", container="orders", stages=[], state="failed", load=None))
    app.client.started.clear()
    return app


def put_record(app, value):
    path = f"{FOLDER.replace('Music', value['table'])}/record.json"
    app.file_system.files[path] = json.dumps(value).encode()


def asked_last(app):
    """Return what the lake says of the revisit that was started last."""
    _, _, value = app.client.started[-1]
    return app.lake.read_json(operation_path("music-2026", "verify", value["number"]))


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
    assert (name, instance) == ("revisit", "music-2026::verify-1")
    assert (value["migration_state"], asked_last(ended)["max_parallel_tables"]) == ("failed", 20)
    assert value["waits"] == {"first_seconds": 10, "factor": 1.5, "longest_seconds": 60}
    assert "tables" not in value
    assert asked_last(ended)["tables"] == [
        {"table": "Music", "database": "shop", "container": "music", "rules": None, "verify": "counts"}
    ]


@pytest.mark.parametrize("operation", ["verify", "replay"])
async def test_without_a_body_all_tables_are_revisited_that_can_be(ended, operation):
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
async def test_a_migration_that_runs_is_not_revisited(ended, runtime, operation):
    ended.client.set("music-2026", runtime)
    status, answer = await post(ended, operation)
    assert (status, ended.client.started) == (409, [])
    assert "music-2026 is" in answer["detail"]


@pytest.mark.parametrize(("operation", "tables"), [("verify", ["Orders"]), ("replay", [{"table": "Orders"}])])
async def test_a_table_that_was_named_and_cannot_be_revisited_is_told_with_the_reason(
    ended, operation, tables
):
    status, answer = await post(ended, operation, {"tables": tables})
    assert status == 409
    assert "Orders" in answer["detail"]


async def test_a_migration_without_any_table_to_revisit_is_told(ended):
    put_record(ended, without(record(stages=[]), "load"))
    status, answer = await post(ended, "verify")
    assert status == 409
    assert "Music" in answer["detail"]


async def test_one_revisit_runs_at_a_time(ended):
    await post(ended, "verify")
    ended.client.set("music-2026::verify-1", "Running")
    status, answer = await post(ended, "replay")
    assert (status, len(ended.client.started)) == (409, 1)
    assert "verify-1 of migration music-2026 is running" in answer["detail"]


async def test_the_next_revisit_has_the_next_number(ended):
    await post(ended, "verify")
    ended.client.set("music-2026::verify-1", "Completed", {"state": "failed", "error": None})
    _, answer = await post(ended, "replay")
    assert (answer["operation"], answer["number"]) == ("replay", 2)


async def test_of_two_calls_at_the_same_moment_one_is_refused(ended):
    """The other call takes the number between this one's look and its own."""
    create = ended.file_system.upload_blob

    def late(path, content, overwrite):
        ended.file_system.files.setdefault(path, b'{"operation": "replay"}')
        return create(path, content, overwrite)

    ended.file_system.upload_blob = late
    status, answer = await post(ended, "verify")
    assert (status, ended.client.started) == (409, [])
    assert "at the same moment" in answer["detail"]


async def test_a_revisit_whose_call_broke_off_before_it_was_started_is_started_by_the_next(ended):
    async def broken(*_, **__):
        raise SdkError("the storage is gone")

    start_new, ended.client.start_new = ended.client.start_new, broken
    assert (await post(ended, "verify"))[0] == 500
    assert [(one["number"], one["state"]) for one in await operations(ended)] == [(1, "pending")]
    ended.client.start_new = start_new
    status, _ = await post(ended, "replay")
    assert status == 409
    assert [(name, instance) for name, instance, _ in ended.client.started] == [
        ("revisit", "music-2026::verify-1")
    ]


async def test_the_status_tells_of_revisits_newest_first(ended):
    assert await operations(ended) == []
    error = PermanentError("Table Music: d", "n").to_dict()
    for number, operation, output in (
        (1, "verify", {"state": "failed", "error": error}),
        (2, "replay", {"state": "succeeded", "error": None}),
    ):
        await post(ended, operation)
        ended.client.set(f"music-2026::{operation}-{number}", "Completed", output)
    await post(ended, "verify")
    times = {"started_at": "2026-01-31T12:00:05+00:00", "finished_at": "2026-01-31T12:30:00+00:00"}
    assert await operations(ended) == [
        {
            "operation": "verify",
            "number": 3,
            "state": "pending",
            **times,
            "finished_at": None,
            "error": None,
        },
        {"operation": "replay", "number": 2, "state": "succeeded", **times, "error": None},
        {"operation": "verify", "number": 1, "state": "failed", **times, "error": error},
    ]


async def test_a_revisit_whose_orchestration_broke_off_has_an_error(ended):
    await post(ended, "verify")
    ended.client.set("music-2026::verify-1", "Failed", "oh no\n  at Somewhere")
    (operation,) = await operations(ended)
    assert operation["state"] == "failed"
    assert operation["error"]["detail"].endswith("oh no")


async def test_the_last_twenty_revisits_are_shown(ended):
    for number in range(1, 23):
        await post(ended, "verify")
        ended.client.set(f"music-2026::verify-{number}", "Completed", {"state": "succeeded", "error": None})
    assert [one["number"] for one in await operations(ended)] == list(range(22, 2, -1))


async def test_the_status_counts_what_revisits_found(ended):
    await post(ended, "replay")
    end_table(ended, "Music", items_written=8, items_rejected=1, mismatches=0)
    end_table(ended, "Music", items_written=9, items_rejected=0, mismatches=7)
    _, answer = await ended.call("GET", "migrations/{id}", id="music-2026")
    music, orders = answer["tables"]
    assert (music["items_written"], music["items_rejected"], music["mismatches"]) == (9, 0, 7)
    assert orders["items_written"] is None


async def test_cancelling_while_a_revisit_runs_marks_and_wakes_that_alone(ended):
    await post(ended, "replay")
    for instance in ("music-2026::replay-1", "music-2026:Music:replay-1-run"):
        ended.client.set(instance, "Running")
    status, answer = await post(ended, "cancel")
    assert (status, answer["operation"], answer["number"], answer["state"]) == (202, "replay", 1, "running")
    assert "cancelled_at" in ended.lake.read_json("migrations/music-2026/cancel-replay-1.json")
    assert "migrations/music-2026/cancel.json" not in ended.file_system.files
    assert ended.client.events == [("music-2026:Music:replay-1-run", "wake")]


async def test_a_revisit_that_has_ended_cannot_be_cancelled(ended):
    await post(ended, "replay")
    ended.client.set("music-2026::replay-1", "Completed", {"state": "succeeded", "error": None})
    status, answer = await post(ended, "cancel")
    assert status == 409
    assert "nothing left" in answer["next_step"]
