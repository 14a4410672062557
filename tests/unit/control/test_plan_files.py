import asyncio
import json

import pytest

from d2c.errors import TransientError
from d2c.plan.model import MOST_PLAN_BYTES, parse_plan
from tests.unit.clients.settings import local_settings
from tests.unit.control.lake_world import LakeWorld, standing
from tests.unit.control.plans import plan

PATH = "plans/monday.json"
ACCEPTED, REFUSED = f"{PATH}.accepted", f"{PATH}.refused"


def json_of(value):
    return json.dumps(value).encode()


@pytest.fixture
def world():
    return LakeWorld()


async def test_a_plan_that_is_dropped_starts_as_if_it_were_posted_and_a_file_says_so(world):
    await world.drop(PATH, plan())
    assert world.started == ["music-2026"]
    accepted = world.read(ACCEPTED)
    assert accepted["id"] == "music-2026"
    assert accepted["digest"] == world.read("migrations/music-2026/plan.json")["digest"]
    assert accepted["at"].endswith("+00:00")
    assert world.read(REFUSED) is None


@pytest.mark.parametrize("path", ["plans/team/of the north/ä.json", "plans/.json", "plans/a.json.json"])
async def test_a_plans_file_may_have_any_plain_name_in_any_folder(world, path):
    await world.drop(path, plan())
    assert world.started == ["music-2026"]
    assert world.read(f"{path}.accepted")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b"[]", "the plan"),
        (plan(colour=1), "colour: unknown field"),
        (plan("../evil"), "name: '../evil' is not"),
        (plan("m", "../Music"), "tables.0.table: '../Music' is not"),
        (plan(tables=[{"table": "Music", "container": "../music"}]), "tables.0.container: '../music' is not"),
        (b'{"name": "../../evil", "tables": []}', "name: '../../evil' is not"),
    ],
)
async def test_a_plan_with_faults_is_refused_beside_it_and_nothing_else_is_written(world, content, fault):
    await world.drop(PATH, content)
    assert world.paths() == {PATH, REFUSED}
    assert world.started == []
    refused = world.read(REFUSED)
    assert set(refused) == {"title", "detail", "next_step", "faults", "at"}
    assert [text for text in refused["faults"] if fault in text], refused["faults"]
    assert "put it under the same name again" in refused["next_step"]


async def test_all_faults_are_told_at_once(world):
    await world.drop(PATH, {**plan(colour=1, verify="some"), "max_parallel_tables": 0})
    assert len(world.read(REFUSED)["faults"]) == 3


async def test_a_plan_of_ten_megabytes_is_refused_without_being_read_whole(world, monkeypatch):
    world.put_plan(PATH, b" " * 10_000_000)
    read, lengths = world.file_system.download_blob, []
    monkeypatch.setattr(
        world.file_system,
        "download_blob",
        lambda path, **part: lengths.append(part["length"]) or read(path, **part),
    )
    await world.plan_event(PATH)
    assert "more than 1,048,576 bytes" in world.read(REFUSED)["detail"]
    assert lengths[0] == MOST_PLAN_BYTES + 1
    assert world.started == []


async def test_a_plan_that_cannot_be_read_is_refused_beside_it(world):
    world.put_plan(PATH, plan())
    world.archive(PATH)
    await world.plan_event(PATH)
    assert "archive tier" in world.read(REFUSED)["detail"]
    assert world.started == []


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff", b'"text"'])
async def test_whatever_is_in_the_place_of_an_outcome_the_outcome_is_written(world, content):
    for outcome in (ACCEPTED, REFUSED):
        world.lake.write(outcome, content)
    await world.drop(PATH, plan())
    assert world.read(ACCEPTED)["id"] == "music-2026"
    assert REFUSED not in world.paths()


async def test_the_largest_plan_that_is_read_has_a_mebibyte(world):
    text = json_of(plan()) + b" " * MOST_PLAN_BYTES
    await world.drop(PATH, text[:MOST_PLAN_BYTES])
    assert world.started


@pytest.mark.parametrize("content", [plan(), b"{", standing()])
async def test_the_same_event_a_hundred_times_changes_nothing_after_the_first(world, content):
    await world.drop(PATH, content)
    files, started = dict(world.file_system.files), list(world.started)
    for _ in range(99):
        await world.plan_event(PATH)
    assert (world.file_system.files, world.started) == (files, started)


async def test_a_hundred_events_at_once_start_one_migration(world):
    world.put_plan(PATH, plan())
    await asyncio.gather(*(world.plan_event(PATH) for _ in range(100)))
    assert set(world.started) == {"music-2026"}
    assert world.read(ACCEPTED)


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
async def test_an_event_that_comes_when_the_migration_has_ended_is_no_refusal(world, state):
    await world.drop(PATH, plan())
    accepted = world.read(ACCEPTED)
    world.client.set("music-2026", "Completed", {"state": state})
    await world.plan_event(PATH)
    assert (world.read(ACCEPTED), world.read(REFUSED)) == (accepted, None)
    assert world.started == ["music-2026"]


async def test_a_start_that_broke_off_is_made_good_by_the_event_that_is_repeated(world):
    await world.drop(PATH, plan())
    world.client.statuses.clear()
    await world.plan_event(PATH)
    assert world.started == ["music-2026", "music-2026"]


async def test_a_plan_under_the_name_of_another_migration_is_refused(world):
    await world.drop("plans/other.json", plan())
    await world.drop(PATH, plan("music-2026", "Other"))
    refused = world.read(REFUSED)
    assert "Another plan has the name music-2026" in refused["detail"]
    assert (world.read(ACCEPTED), world.started) == (None, ["music-2026"])


async def test_a_mended_plan_under_the_same_file_name_is_accepted_and_the_refusal_gone(world):
    await world.drop(PATH, plan(colour=1))
    await world.drop(PATH, plan())
    assert world.read(ACCEPTED)["id"] == "music-2026"
    assert world.read(REFUSED) is None


async def test_an_accepted_plan_that_is_replaced_by_a_faulty_one_is_refused(world):
    await world.drop(PATH, standing())
    await world.drop(PATH, standing(colour=1))
    assert world.read(ACCEPTED) is None
    assert world.read(REFUSED)["faults"] == ["colour: unknown field"]


async def test_an_event_of_a_file_that_is_gone_leaves_nothing(world):
    await world.plan_event(PATH)
    assert world.paths() == set()


@pytest.mark.parametrize(
    "path", ["plans/../migrations/x.json", "plans/./x.json", "plans//x.json", "plans/..\\x.json"]
)
async def test_a_file_whose_name_leads_elsewhere_is_left_alone(world, path, caplog):
    world.put_plan(path, plan())
    await world.plan_event(path)
    assert world.paths() == {path}
    assert world.started == []
    assert "its name leads elsewhere" in caplog.text


async def test_a_plan_that_is_mended_while_it_is_refused_has_the_last_word(world):
    """The event of the mended file is done before the refusal of the first one is written."""
    world.put_plan(PATH, plan(colour=1))
    real, late = world.lake.write, []

    def write(path, content):
        if path == REFUSED and not late:
            late.append(path)
            real(PATH, b"%b" % json_of(plan()))
            real(ACCEPTED, b"{}")
        real(path, content)

    world.lake.write = write
    await world.plan_event(PATH)
    assert late
    assert world.read(ACCEPTED)["digest"] == parse_plan(json_of(plan())).digest()
    assert world.read(REFUSED) is None


async def test_a_file_that_changes_all_the_time_is_left_for_the_next_event(world):
    world.put_plan(PATH, plan(colour=0))
    real, turns = world.lake.write, iter(range(1, 100))

    def write(path, content):
        real(path, content)
        real(PATH, json_of(plan(**{f"colour{next(turns)}": 1})))

    world.lake.write = write
    with pytest.raises(TransientError, match="changes all the time"):
        await world.plan_event(PATH)


@pytest.mark.parametrize("kept", [plan(), standing()])
async def test_a_plan_that_the_settings_forbid_is_refused_beside_it(world, kept):
    world.settings = local_settings(D2C_ALLOWED_DATABASES="crm")
    await world.drop(PATH, kept)
    assert "D2C_ALLOWED_DATABASES (crm), not shop" in world.read(REFUSED)["faults"][0]
    assert (world.started, ACCEPTED in world.paths()) == ([], False)


async def test_a_standing_plan_is_accepted_and_starts_nothing(world):
    await world.drop(PATH, standing())
    assert world.read(ACCEPTED)["id"] == "theirs"
    assert world.started == []
    assert world.paths() == {PATH, ACCEPTED}
