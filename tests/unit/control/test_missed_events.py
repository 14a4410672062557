"""What no event has handled is found by the watchdog."""

import base64
import json
import logging
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from d2c.clients.azure.failed_events import FailedEvents
from d2c.control.lake_events import missed_events
from d2c.control.lake_events.missed_events import MOST_FAILURES, PAGES_OF_A_TICK, find_missed
from d2c.control.lake_events.sweep import first_sweep
from d2c.errors import PermanentError, RefusedError, TransientError
from d2c.state import paths
from tests.unit.arrived import EXPORT_ID, FOLDER, put_export
from tests.unit.control.lake_world import LakeWorld, standing
from tests.unit.control.plans import plan

# The exports of these tests are as of the day before.
BEGIN = datetime(2026, 6, 2, tzinfo=UTC)
PLAN = "plans/team/music.json"
STANDING = "plans/theirs.json"
MESSAGE = f"{FOLDER}/d2c-not-loaded.json"
MUSIC = "music-2026"


class Queue:
    """The part of azure-storage-queue's client that is used."""

    def __init__(self, *messages):
        self.messages = list(messages)

    def receive_messages(self, messages_per_page, max_messages, visibility_timeout):
        assert messages_per_page == max_messages
        assert visibility_timeout
        return self.messages[:max_messages]

    def delete_message(self, message):
        self.messages.remove(message)


class NoQueue:
    def receive_messages(self, **_):
        raise ResourceNotFoundError


def message(path, container="lake"):
    told = {"Type": "BlobTrigger", "ContainerName": container, "BlobName": path, "ETag": '"0x1"'}
    return SimpleNamespace(content=base64.b64encode(json.dumps(told).encode()).decode())


class World(LakeWorld):
    """The lake of an app whose events are lost; the first tick has been."""

    def __init__(self):
        super().__init__()
        self.queue = Queue()
        self.file_system.now = BEGIN - timedelta(days=30)

    async def tick(self, minutes=5):
        self.file_system.now += timedelta(minutes=minutes)
        await find_missed(self.app, FailedEvents(self.queue, "lake"), self.file_system.now)


@pytest.fixture
async def world():
    world = World()
    world.put_plan(STANDING, standing())
    await world.plan_event(STANDING)
    await world.tick()
    return world


def fail_at(world, folder, error):
    """Let every read and write of a file in an export's folder fail."""

    def failing(call):
        def call_or_fail(path, *arguments, **named):
            if path.startswith(f"{folder}/"):
                raise error
            return call(path, *arguments, **named)

        return call_or_fail

    files = world.file_system
    files.download_blob, files.upload_blob = failing(files.download_blob), failing(files.upload_blob)


def sweep_of(world):
    return world.read(paths.SWEEP)


class TestAPlan:
    async def test_one_without_an_answer_is_started_once(self, world):
        world.put_plan(PLAN, plan())
        for _ in range(3):
            await world.tick()
        assert world.started == [MUSIC]
        assert world.read(f"{PLAN}.accepted")["id"] == MUSIC

    async def test_one_whose_name_is_in_capitals_is_one_too(self, world):
        world.put_plan("plans/music.JSON", plan())
        world.put_plan("plans/no-plan.txt", b"")
        await world.tick()
        assert world.started == [MUSIC]
        assert world.read("plans/music.JSON.accepted")["id"] == MUSIC

    async def test_one_with_faults_is_refused_beside_it(self, world):
        world.put_plan(PLAN, b"{")
        await world.tick()
        assert world.started == []
        assert world.read(f"{PLAN}.refused")["faults"]

    async def test_an_event_that_has_answered_leaves_nothing_to_do(self, world):
        await world.drop(PLAN, plan())
        reads = []
        read = world.file_system.download_blob
        world.file_system.download_blob = lambda path, **part: reads.append(path) or read(path, **part)
        await world.tick()
        assert reads
        assert PLAN not in reads

    async def test_an_event_may_take_its_time(self, world):
        world.put_plan(PLAN, plan())
        await world.tick(minutes=0.5)
        assert world.started == []
        await world.tick()
        assert world.started == [MUSIC]

    async def test_one_that_was_changed_after_its_answer_is_handled_again(self, world):
        await world.drop(PLAN, b"{")
        await world.tick()
        world.put_plan(PLAN, plan())
        await world.tick()
        assert world.started == [MUSIC]

    async def test_an_event_that_is_late_meets_what_was_started(self, world):
        world.put_plan(PLAN, plan())
        await world.tick()
        await world.plan_event(PLAN)
        assert world.started == [MUSIC]


class TestAnExport:
    async def test_one_that_no_event_told_of_is_loaded_once(self, world):
        put_export(world.lake)
        for _ in range(3):
            await world.tick()
        (migration,) = world.started
        assert migration.startswith("theirs-")
        await world.export_event(FOLDER)
        assert len(world.started) == 1

    async def test_one_without_a_plan_gets_its_message_and_waits(self, world):
        world.lake.delete(STANDING)
        put_export(world.lake)
        await world.tick()
        assert "No plan has the table" in world.read(MESSAGE)["detail"]
        await world.drop(STANDING, standing())
        assert len(world.started) == 1

    async def test_one_of_our_own_is_left_to_its_copy(self, world):
        world.lake.write_json("migrations/music-2026/plan.json", {"plan": {}})
        put_export(world.lake, f"exports/music-2026/Music/{EXPORT_ID}")
        await world.tick()
        assert (world.started, world.client.events) == ([], [])

    async def test_one_from_before_the_first_tick_is_never_loaded(self):
        """An upgrade finds the exports of years."""
        world = World()
        world.put_plan(STANDING, standing())
        put_export(world.lake)
        for _ in range(3):
            await world.tick()
        assert (world.started, world.read(MESSAGE)) == ([], None)

    async def test_one_older_than_its_plan_is_told_and_not_loaded(self, world):
        world.file_system.now = BEGIN + timedelta(days=1)
        await world.drop(STANDING, standing(verify="counts"))
        put_export(world.lake)
        await world.tick()
        assert world.started == []
        assert f"{STANDING} of 2026-06-03" in world.read(MESSAGE)["detail"]
        assert "write its manifest-summary.json again" in world.read(MESSAGE)["next_step"]
        await world.export_event(FOLDER)
        assert len(world.started) == 1
        assert world.read(MESSAGE) is None

    async def test_one_older_than_the_last_that_its_plan_has_loaded_is_told_and_not_loaded(self, world):
        younger = "exports/younger"
        put_export(world.lake, younger, export_id="01790000000000-a1b2c3d4", time="2026-06-01T13:00:00.000Z")
        await world.export_event(younger)
        put_export(world.lake)
        await world.tick()
        assert len(world.started) == 1
        assert f"{younger} of 2026-06-01T13:00:00" in world.read(MESSAGE)["detail"]


class TestASweep:
    async def test_a_large_lake_takes_many_ticks(self, world, monkeypatch):
        monkeypatch.setattr(missed_events, "FILES_OF_A_PAGE", 10)
        for number in range(200):
            world.lake.write(f"exports/a/data/{number:04d}.json.gz", b"")
        put_export(world.lake)
        ticks, pages = 0, []
        listed = world.file_system.list_blobs
        world.file_system.list_blobs = lambda **asked: pages.append(asked) or listed(**asked)
        while not world.started:
            pages.clear()
            await world.tick()
            ticks += 1
            assert len(pages) <= PAGES_OF_A_TICK + 5
        assert ticks == 5

    async def test_what_comes_behind_its_back_is_found_by_the_next(self, world, monkeypatch):
        monkeypatch.setattr(missed_events, "FILES_OF_A_PAGE", 10)
        for number in range(60):
            world.lake.write(f"exports/b/{number:04d}", b"")
        await world.tick()
        assert sweep_of(world)["token"]
        put_export(world.lake, "exports/a")
        for _ in range(3):
            await world.tick()
        assert len(world.started) == 1

    async def test_an_idle_tick_of_a_small_lake_costs_two_listings(self, world):
        calls = []
        listed = world.file_system.list_blobs
        world.file_system.list_blobs = lambda **asked: calls.append(asked) or listed(**asked)
        await world.tick()
        assert len(calls) == 2

    @pytest.mark.parametrize(
        "error", [RefusedError("no", "never"), PermanentError("no", "never"), Exception()]
    )
    async def test_a_file_that_fails_does_not_stop_the_others(self, world, caplog, error):
        put_export(world.lake, "exports/a")
        put_export(world.lake, "exports/b", export_id="01790000000000-a1b2c3d4")
        fail_at(world, "exports/a", error)
        await world.tick()
        assert len(world.started) == 1
        assert sweep_of(world)["place"] == "plans/"
        assert "'exports/a/manifest-summary.json' is left out" in caplog.text

    async def test_a_page_with_trouble_that_may_heal_is_tried_again_and_does_not_stop_the_rest_for_ever(
        self, world, monkeypatch, caplog
    ):
        put_export(world.lake, "exports/a")
        put_export(world.lake, "exports/b", export_id="01790000000000-a1b2c3d4")
        fail_at(world, "exports/a", TransientError("no", "later"))
        for _ in range(MOST_FAILURES):
            await world.tick()
            assert len(world.started) == 1
            assert sweep_of(world)["place"] == "exports/"
        await world.tick()
        assert sweep_of(world)["place"] == "plans/"
        assert "continues without what failed in exports/" in caplog.text

    @pytest.mark.parametrize(
        "content",
        [b"", b"{", b"[]", b"7", b'{"since": 7}', b"\xff", json.dumps(first_sweep(BEGIN)).encode()[:-9]],
    )
    async def test_whatever_is_in_the_place_of_its_file_a_new_one_begins(self, world, content):
        world.lake.write(paths.SWEEP, content)
        await world.tick()
        assert sweep_of(world)["place"] == "plans/"
        put_export(world.lake)
        await world.tick()
        assert len(world.started) == 1

    async def test_the_standing_plans_are_read_once_for_all_exports_that_a_tick_finds(self, world):
        for number in range(20):
            put_export(world.lake, f"exports/{number}", table="Orders")
        read, asked = world.file_system.download_blob, []
        world.file_system.download_blob = lambda path, **part: asked.append(path) or read(path, **part)
        await world.tick()
        assert asked.count(STANDING) == 1
        assert world.read("exports/19/d2c-not-loaded.json")

    async def test_a_name_that_leads_elsewhere_is_ignored(self, world, caplog):
        world.put_plan("plans/../plans/a.json", plan())
        await world.tick()
        assert world.started == []
        assert "leads elsewhere" in caplog.text


class TestFailedEvents:
    async def test_they_are_handled_again_and_removed(self, world):
        world.put_plan(PLAN, plan())
        put_export(world.lake)
        world.queue = Queue(
            message(PLAN), message(f"{FOLDER}/manifest-summary.json"), message("outbox/1.json")
        )
        await find_missed(world.app, FailedEvents(world.queue, "lake"), world.file_system.now)
        assert len(world.started) == 2
        assert world.queue.messages == []

    async def test_one_that_fails_again_stays_and_the_others_are_handled(self, world):
        world.put_plan(PLAN, plan())
        bad = message("plans/b.json")
        world.queue = Queue(bad, message(PLAN))
        read = world.file_system.download_blob

        def unreadable(path, **part):
            if path == "plans/b.json":
                raise HttpResponseError("no answer")
            return read(path, **part)

        world.file_system.download_blob = unreadable
        await world.tick()
        assert world.started == [MUSIC]
        assert world.queue.messages == [bad]

    async def test_those_of_another_file_system_are_left_and_what_is_no_event_is_deleted(self, world, caplog):
        other, nonsense = message(PLAN, container="other"), SimpleNamespace(content="no base64")
        world.put_plan(PLAN, plan())
        world.queue = Queue(other, nonsense)
        with caplog.at_level(logging.ERROR):
            await find_missed(world.app, FailedEvents(world.queue, "lake"), world.file_system.now)
        assert world.queue.messages == [other]
        assert world.started == []
        assert "no event of a blob" in caplog.text

    @pytest.mark.parametrize("queue", [NoQueue(), None])
    async def test_without_a_queue_there_are_none(self, world, queue):
        await find_missed(world.app, FailedEvents(queue, "lake"), world.file_system.now)
        assert world.started == []
