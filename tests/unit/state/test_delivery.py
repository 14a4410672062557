import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from d2c.clients.azure.async_lake import AsyncLake
from d2c.clients.azure.lake import Lake
from d2c.errors import PermanentError, TransientError
from d2c.state.outbox import ATTEMPTS, FAILED, OUTBOX, SENT, SIDE_BY_SIDE, Delivery, is_due, written_at
from tests.unit.file_system import SubstituteFileSystem

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def event_id(number=0):
    return f"evt_{number:032x}"


class Receiver:
    """Refuses so many deliveries, and remembers what it was sent."""

    def __init__(self):
        self.refusals = 0
        self.sent = []

    async def send(self, event_id, event):
        self.sent.append(event_id)
        if self.refusals:
            self.refusals -= 1
            raise TransientError("The webhook answered 500.", "It is tried again.")


class World:
    """An outbox, its receiver, and a clock that a test sets."""

    def __init__(self):
        self.lake = Lake(SubstituteFileSystem())
        self.receiver = Receiver()
        self.now = START
        self.delivery = Delivery(AsyncLake(self.lake), self.receiver, lambda: self.now)

    def write(self, *numbers):
        for number in numbers or (0,):
            event = {"id": event_id(number), "time": self.now.isoformat()}
            self.lake.write_json(f"{OUTBOX}{event_id(number)}.json", event)

    def names(self, folder):
        return [name.removesuffix(".json") for name in self.lake.sizes(folder)]

    async def watch(self, minutes):
        """Let the watch run once a minute; return the minutes at which something was sent."""
        sent = []
        for minute in range(1, minutes + 1):
            self.now = START + minute * MINUTE
            before = len(self.receiver.sent)
            await self.delivery.deliver_what_is_due()
            sent += [minute] * (len(self.receiver.sent) - before)
        return sent


@pytest.fixture
def world():
    return World()


async def test_a_new_event_is_delivered_and_kept_among_the_sent(world):
    world.write()
    await world.delivery.deliver_new(event_id())
    assert (world.receiver.sent, world.names(OUTBOX), world.names(SENT)) == ([event_id()], [], [event_id()])


async def test_the_same_event_a_hundred_times_is_delivered_once(world):
    world.write()
    for _ in range(100):
        await world.delivery.deliver_new(event_id())
    assert world.receiver.sent == [event_id()]


async def test_an_event_that_was_sent_before_a_crash_could_move_it_is_moved_and_not_sent_again(world):
    world.write()
    world.lake.write(f"{SENT}{event_id()}.json", b"{}")
    await world.delivery.deliver_new(event_id())
    assert (world.receiver.sent, world.names(OUTBOX)) == ([], [])


async def test_what_fails_twice_is_sent_again_as_its_age_doubles_and_then_kept_among_the_sent(world):
    world.write()
    world.receiver.refusals = 2
    await world.delivery.deliver_new(event_id())
    assert await world.watch(100) == [1, 2]
    assert (world.names(OUTBOX), world.names(SENT)) == ([], [event_id()])
    found = [entry["found"] for entry in world.lake.read_log(f"{ATTEMPTS}{event_id()}.jsonl")]
    assert found == ["The webhook answered 500.", "The webhook answered 500.", "delivered"]


async def test_what_fails_for_a_day_is_given_up_with_a_line_in_the_log(world, caplog):
    world.write()
    world.receiver.refusals = 1000
    await world.delivery.deliver_new(event_id())
    with caplog.at_level(logging.ERROR):
        assert await world.watch(60 * 24) == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
        assert world.names(OUTBOX) == [event_id()]
        world.now = START + 2048 * MINUTE
        await world.delivery.deliver_what_is_due()
    assert (world.names(OUTBOX), world.names(FAILED)) == ([], [event_id()])
    assert f"Event {event_id()} is given up" in caplog.text
    assert "The webhook answered 500." in caplog.text


async def test_repeated_events_of_the_outbox_do_not_hasten_what_has_failed(world):
    world.write()
    world.receiver.refusals = 1000
    for _ in range(100):
        await world.delivery.deliver_new(event_id())
    assert len(world.receiver.sent) == 1


async def test_an_event_that_nobody_told_of_is_sent_by_the_watch_a_minute_later(world):
    world.write()
    assert await world.watch(3) == [1]


async def test_a_receiver_that_hangs_holds_up_only_what_it_hangs_on_and_only_so_many_at_once(world):
    release, hanging = asyncio.Event(), []

    async def hang_on_odd(event_id, event):
        if int(event_id[4:], 16) % 2:
            hanging.append(event_id)
            await release.wait()

    world.receiver.send = hang_on_odd
    world.write(*range(2 * SIDE_BY_SIDE - 2))
    world.now += MINUTE
    watch = asyncio.create_task(world.delivery.deliver_what_is_due())
    while len(world.names(SENT)) < SIDE_BY_SIDE - 1:
        await asyncio.sleep(0)
    assert len(hanging) < SIDE_BY_SIDE
    release.set()
    await watch
    assert len(world.names(SENT)) == 2 * SIDE_BY_SIDE - 2


async def test_a_lake_that_fails_for_one_event_is_told_and_keeps_no_other_from_its_delivery(world):
    world.write(1, 2, 3)
    world.now += MINUTE
    real = world.lake.write

    def write(path, content):
        if event_id(2) in path:
            raise TransientError("The lake did not answer.", "It is tried again.")
        real(path, content)

    world.lake.write = write
    with pytest.raises(TransientError, match="The lake did not answer"):
        await world.delivery.deliver_what_is_due()
    assert world.names(SENT) == [event_id(1), event_id(3)]


async def test_what_a_stranger_put_into_the_outbox_is_named_and_not_sent(world, caplog):
    world.lake.write(f"{OUTBOX}holiday.json", b"{}")
    world.lake.write(f"{OUTBOX}{event_id()}\r\nx.json", b"{}")
    world.now += MINUTE
    await world.delivery.deliver_new("holiday")
    await world.delivery.deliver_what_is_due()
    assert world.receiver.sent == []
    assert "outbox/holiday.json is no event of this app" in caplog.text


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"{}", b'{"time": "soon"}', b'{"time": 7}'])
def test_an_event_that_does_not_say_when_it_was_written_is_old(text):
    assert written_at(text).year == 1970


@pytest.mark.parametrize(
    ("age_at_last_try", "age_now", "due"),
    [
        (0, 0.5, False),
        (0, 1, True),
        (4, 7.9, False),
        (4, 8, True),
        # A clock that was set forward for one try and then back.
        (9000, 10, True),
        (-60, 10, True),
    ],
)
def test_an_event_is_due_again_once_its_age_has_doubled(age_at_last_try, age_now, due):
    attempts = [{"at": (START + age_at_last_try * MINUTE).isoformat()}]
    assert is_due(START + age_now * MINUTE, START, attempts) is due


NO_EVENTS = (b"", b"{", b"[1]", b"7", b"\xff", b"[" * 100_000, b"\xff\xfe{}")


@pytest.mark.parametrize("content", NO_EVENTS)
async def test_a_file_that_is_no_event_is_put_aside_and_the_others_are_sent(world, content):
    world.lake.write(f"{OUTBOX}{event_id(1)}.json", content)
    world.write(2)
    assert await world.watch(3) == [1]
    assert (world.names(FAILED), world.names(SENT)) == ([event_id(1)], [event_id(2)])


@pytest.mark.parametrize(
    "content", [b"{\n", b"[1]\n", b'{"at": 7}\n', b'{"at": "0001-01-01T00:00:00+14:00"}\n']
)
async def test_odd_notes_of_attempts_do_not_keep_the_others_from_being_sent(world, content):
    world.write(1, 2)
    world.lake.write(f"{ATTEMPTS}{event_id(1)}.jsonl", content)
    world.now = START + MINUTE
    with suppress(TransientError):
        await world.delivery.deliver_what_is_due()
    assert event_id(2) in world.names(SENT)


async def test_a_file_that_is_too_large_for_an_event_is_told_and_the_others_are_sent(world):
    world.lake.write(f"{OUTBOX}{event_id(1)}.json", b" " * (2**18 + 1))
    world.write(2)
    world.now = START + MINUTE
    with pytest.raises(PermanentError, match="more than 262,144 bytes"):
        await world.delivery.deliver_what_is_due()
    assert world.names(SENT) == [event_id(2)]


def test_the_time_of_an_event_that_has_none_is_that_of_long_ago():
    for odd in (b"{", b"[]", b'{"time": "0001-01-01T00:00:00+14:00"}', b'{"time": 7}'):
        assert written_at(odd).year == 1970
