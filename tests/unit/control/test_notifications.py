from contextlib import asynccontextmanager

import pytest

from d2c.clients.azure.async_lake import AsyncLake
from d2c.clients.azure.lake import Lake
from d2c.control import notifications
from tests.unit.clients.settings import local_settings
from tests.unit.file_system import SubstituteFileSystem

EVENT_ID = f"evt_{7:032x}"
PATH = f"outbox/{EVENT_ID}.json"


class Webhook:
    def __init__(self):
        self.sent = []

    async def send(self, event_id, event):
        self.sent.append((event_id, event))


class World:
    def __init__(self):
        self.webhook = Webhook()
        self.lake = Lake(SubstituteFileSystem())
        self.settings = local_settings(
            D2C_WEBHOOK_URL="https://hooks.example.com", D2C_WEBHOOK_SECRET="whsec_" + "c2VjcmV0" * 4
        )
        self.lake.write(PATH, b'{"time": "2026-06-01T12:00:00+00:00"}')

    @asynccontextmanager
    async def connect(self, settings):
        assert settings.webhook_url
        yield self.webhook

    async def written(self):
        await notifications.deliver_new(self.settings, AsyncLake(self.lake), self.connect, EVENT_ID)

    async def timer(self):
        await notifications.deliver_due(self.settings, AsyncLake(self.lake), self.connect)


@pytest.fixture
def world():
    return World()


@pytest.mark.parametrize("by", ["written", "timer"])
async def test_an_event_of_the_outbox_is_sent_as_it_is(world, by):
    event = world.lake.read(PATH)
    await getattr(world, by)()
    assert world.webhook.sent == [(EVENT_ID, event)]
    assert not world.lake.exists(PATH)


@pytest.mark.parametrize("by", ["written", "timer"])
async def test_an_event_stays_while_there_is_no_webhook(world, by):
    world.settings = local_settings()
    await getattr(world, by)()
    assert world.webhook.sent == []
    assert world.lake.exists(PATH)
