from tests.unit.control.lake_world import standing


async def test_a_standing_plan_that_is_posted_is_kept_in_the_lake_and_starts_nothing(app):
    for _ in range(2):
        status, answer = await app.start(standing())
        assert (status, answer["id"], answer["state"]) == (202, "theirs", "pending")
    assert app.client.started == []
    assert list(app.file_system.files) == ["plans/theirs.json"]
    assert app.lake.read_json("plans/theirs.json") == standing()


async def test_another_standing_plan_under_the_name_is_a_conflict(app):
    await app.start(standing())
    status, answer = await app.start(standing("theirs", {"table": "Orders"}))
    assert status == 409
    assert "plans/theirs.json is another plan" in answer["detail"]
    assert app.lake.read_json("plans/theirs.json") == standing()
