"""Whatever a blob is called, its event changes nothing but what lies next to it, and stops no other."""

import asyncio
import base64
import json
from datetime import timedelta
from types import SimpleNamespace

from hypothesis import strategies as st

from d2c.clients.azure.failed_events import FailedEvents
from d2c.control.lake_events.missed_events import find_missed
from d2c.state.paths import is_plain
from tests.fuzz.fuzzing import fuzzed, odd_texts, odd_values, spoilt, torn, within_bounds
from tests.unit.arrived import FOLDER, put_export
from tests.unit.control.lake_world import LakeWorld, standing
from tests.unit.control.test_missed_events import BEGIN, Queue
from triggers.events import path_in_lake

NAMES = (
    *(
        "b.json",
        "a/b.json",
        "B.JSON",
        ".json",
        "a b.json",
        "ä.json",
        "\U0001f600.json",
        "a+b%2F.json",
        "a;b.json",
    ),
    *(
        "../b.json",
        "a/../b.json",
        "./b.json",
        "a//b.json",
        "a\\b.json",
        "q\\..\\b.json",
        "..\\b.json",
        "/b.json",
    ),
    *(
        "%2e%2e/b.json",
        "a?b.json",
        "a#b.json",
        "a*b.json",
        "[b].json",
        "{b}.json",
        "a:b.json",
        "b.json/",
        "\x00.json",
    ),
    *(
        "\n.json",
        "\x1b[31m.json",
        "\u202e.json",
        "b.json.accepted",
        "b.json.refused",
        "a" * 1000 + ".json",
        "b..json",
    ),
)
names = st.one_of(
    st.sampled_from(NAMES), odd_texts, st.lists(odd_texts, min_size=1, max_size=4).map("/".join)
)
MESSAGE = {"Type": "BlobTrigger", "ContainerName": "lake", "BlobName": "plans/a.json", "ETag": "x"}


def changed(world, before):
    """Return the paths of what was written or deleted."""
    after = world.file_system.files
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


@fuzzed(names)
def test_a_path_that_is_taken_has_its_neighbours_in_its_own_folder(name):
    with within_bounds():
        path = path_in_lake(f"lake/plans/{name}")
    if path is not None:
        assert path == f"plans/{name}"
        assert {"", ".", ".."}.isdisjoint(path.split("/"))


@fuzzed(names, st.one_of(st.just(json.dumps(standing("b")).encode()), st.binary(max_size=20)))
def test_an_event_of_a_plan_writes_its_outcome_next_to_it_alone(name, content):
    world, path = LakeWorld(), f"plans/{name}"
    world.put_plan(path, content)
    before = dict(world.file_system.files)
    with within_bounds():
        asyncio.run(world.plan_event(path))
    allowed = {f"{path}.accepted", f"{path}.refused"} if is_plain(path) else set()
    assert changed(world, before) <= allowed


@fuzzed(names)
def test_an_event_of_an_export_writes_next_to_it_and_into_the_folder_of_those_that_wait(name):
    world, folder = LakeWorld(), f"exports/{name}"
    put_export(world.lake, folder)
    before = dict(world.file_system.files)
    with within_bounds():
        asyncio.run(world.export_event(folder))
    others = {
        path
        for path in changed(world, before)
        if not path.startswith(("exports-waiting/", f"{folder}/d2c-not-loaded"))
    }
    assert others == set()


@fuzzed(
    st.lists(names, max_size=3),
    st.lists(st.one_of(spoilt(st.just(MESSAGE)), odd_values), max_size=3),
    torn(st.just(b"e30=")),
)
def test_a_tick_finds_the_sound_export_whatever_else_there_is(odd, told, bare):
    world = LakeWorld()
    world.put_plan("plans/theirs.json", standing())
    messages = [base64.b64encode(json.dumps(each).encode()).decode() for each in told]
    queue = Queue(*(SimpleNamespace(content=content) for content in (*messages, bare)))
    with within_bounds():
        asyncio.run(_ticks(world, queue, odd))
    assert len(world.started) == 1


async def _ticks(world, queue, odd):

    failed = FailedEvents(queue, "lake")
    world.file_system.now = BEGIN
    await find_missed(world.app, failed, world.file_system.now)
    for name in odd:
        world.lake.write(f"plans/{name}.json", b"{")
        world.lake.write(f"exports/{name}/manifest-summary.json", b"{")
    put_export(world.lake, FOLDER)
    world.file_system.now += timedelta(minutes=5)
    for _ in range(2):
        await find_missed(world.app, failed, world.file_system.now)
