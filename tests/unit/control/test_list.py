import pytest

from d2c.state import paths
from tests.unit.control.plans import plan


async def start_many(app, count):
    """Start migrations whose index entries are a second apart."""
    for number in range(count):
        name = f"m-{number}"
        await app.start(plan(name))
        listed = [path for path in app.file_system.files if path.startswith(paths.MIGRATIONS_BY_TIME)]
        (entry,) = [path for path in listed if path.endswith(name)]
        del app.file_system.files[entry]
        app.file_system.files[paths.MigrationFiles(name).index(1_700_000_000_000 + number * 1000)] = b""


async def test_migrations_are_listed_newest_first_over_pages(app):
    await start_many(app, 5)
    seen, token = [], None
    while True:
        _, page = await app.call("GET", top="2", **({"token": token} if token else {}))
        seen.append([row["id"] for row in page["migrations"]])
        token = page["next"]
        if token is None:
            break
    assert seen == [["m-4", "m-3"], ["m-2", "m-1"], ["m-0"]]


async def test_a_row_tells_its_state_when_the_plan_was_accepted_and_when_it_ended(app):
    await start_many(app, 2)
    app.client.set("m-0", "Completed", {"state": "succeeded"})
    _, page = await app.call("GET")
    assert page["migrations"] == [
        {"id": "m-1", "state": "pending", "started_at": "2023-11-14T22:13:21+00:00", "finished_at": None},
        {
            "id": "m-0",
            "state": "succeeded",
            "started_at": "2023-11-14T22:13:20+00:00",
            "finished_at": "2026-01-31T12:30:00+00:00",
        },
    ]


async def test_an_app_without_migrations_lists_none(app):
    assert await app.call("GET") == (200, {"migrations": [], "next": None})


async def test_what_was_purged_is_not_listed_as_waiting(app):
    await start_many(app, 2)
    del app.client.statuses["m-1"]
    _, page = await app.call("GET")
    assert [row["id"] for row in page["migrations"]] == ["m-0"]


@pytest.mark.parametrize("top", ["0", "101", "-1", "many", "", "1.5", "²"])
async def test_an_impossible_page_size_is_refused(app, top):
    status, answer = await app.call("GET", top=top)
    assert status == 400
    assert "1 to 100" in answer["next_step"]


@pytest.mark.parametrize(
    "token",
    [
        "\x10A",
        "\x00",
        "m-1",
        "2",
        "8299999999999-",
        "8299999999999-m/1",
        "8299999999999-m-1\n",
        "9" * 100_000,
    ],
)
async def test_a_token_that_is_none_of_ours_is_refused_before_the_lake_is_asked(app, monkeypatch, token):
    monkeypatch.setattr(app.file_system, "list_blob_names", None)
    status, answer = await app.call("GET", token=token)
    assert (status, answer["detail"][:9]) == (400, "token is ")


async def test_the_next_page_begins_after_the_last_migration_even_if_that_is_gone(app):
    await start_many(app, 5)
    _, first = await app.call("GET", top="2")
    del app.file_system.files[paths.MIGRATIONS_BY_TIME + first["next"]]
    _, second = await app.call("GET", top="2", token=first["next"])
    assert [row["id"] for row in second["migrations"]] == ["m-2", "m-1"]
