import json

import pytest

from tests.unit.control.plans import plan
from tests.unit.records import FOLDER, record


@pytest.fixture
async def rejecting(app):
    """Return the app with a migration of which Music has three rejected items."""
    await app.start(plan())
    app.client.set("music-2026", "Completed", {"state": "succeeded"})
    files = app.file_system.files
    files[f"{FOLDER}/record.json"] = json.dumps(record()).encode()
    lines = [
        json.dumps(
            {"file": "f.json.gz", "line": n, "reason": reason, "detail": "d", "keys": None, "item": {}}
        )
        for n, reason in ((1, "inexact_number"), (2, "missing_key"), (3, "inexact_number"))
    ]
    files[f"{FOLDER}/start-0-1/rejected/part-00000"] = "\n".join(lines).encode()
    return app


async def listed(app, **params):
    status, answer = await app.call("GET", "migrations/{id}/rejected", id="music-2026", **params)
    assert status == 200, answer
    return answer


async def test_rejected_items_are_listed_with_their_table_over_pages(rejecting):
    first = await listed(rejecting, top="2")
    assert [item["line"] for item in first["rejected"]] == [1, 2]
    assert set(first["rejected"][0]) == {"table", "file", "line", "reason", "detail", "keys", "item"}
    second = await listed(rejecting, top="2", token=first["next"])
    assert ([item["line"] for item in second["rejected"]], second["next"]) == ([3], None)


async def test_they_are_filtered_by_table_and_reason(rejecting):
    found = await listed(rejecting, reason="inexact_number", table="Music")
    assert [item["line"] for item in found["rejected"]] == [1, 3]
    assert await listed(rejecting, table="Orders") == {"rejected": [], "next": None}


async def test_after_a_replay_those_are_listed_that_it_left(rejecting):
    files = rejecting.file_system.files
    files[f"{FOLDER}/record.json"] = json.dumps(
        record(rejected_folder=f"{FOLDER}/replay-1-1/rejected")
    ).encode()
    assert (await listed(rejecting))["rejected"] == []


@pytest.mark.parametrize(
    ("params", "status", "word"),
    [
        ({"table": "Films"}, 404, "Films"),
        ({"reason": "bad_mood"}, 400, "bad_mood"),
        ({"token": "x"}, 400, "token"),
        ({"top": "0"}, 400, "top"),
        ({"top": "101"}, 400, "top"),
    ],
)
async def test_what_cannot_be_listed_is_refused_by_name(rejecting, params, status, word):
    answer = await rejecting.call("GET", "migrations/{id}/rejected", id="music-2026", **params)
    assert (answer[0], rejecting.mimetype) == (status, "application/problem+json")
    assert word in answer[1]["detail"]
