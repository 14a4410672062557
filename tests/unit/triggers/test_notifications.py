from contextlib import asynccontextmanager

import pytest
from azure.functions.blob import InputStream

from d2c.clients.azure.lake import Lake
from tests.unit.clients.settings import local_settings
from tests.unit.file_system import SubstituteFileSystem
from triggers import events, timers

EVENT_ID = f"evt_{7:032x}"
PATH = f"outbox/{EVENT_ID}.json"


class Webhook:
    def __init__(self):
        self.sent = []

    async def send(self, event_id, event):
        self.sent.append((event_id, event))


class World:
    def __init__(self, monkeypatch):
        self.webhook = Webhook()
        self.lake = Lake(SubstituteFileSystem())
        self.settings = local_settings(
            D2C_WEBHOOK_URL="https://hooks.example.com", D2C_WEBHOOK_SECRET="whsec_" + "c2VjcmV0" * 4
        )
        self.lake.write(PATH, b'{"time": "2026-06-01T12:00:00+00:00"}')

        @asynccontextmanager
        async def connect(settings):
            assert settings.webhook_url
            yield self.webhook

        for module in (events, timers):
            monkeypatch.setattr(module, "connect_webhook", connect)
            monkeypatch.setattr(module, "connect_lake", lambda settings: self.lake)
            monkeypatch.setattr(module, "app_settings", lambda: self.settings)

    async def written(self):
        event = InputStream(data=b"", name=f"lake/{PATH}")
        await events.deliver_notification._function.get_user_function()(event=event)

    async def timer(self):
        await timers.deliver_notifications_again._function.get_user_function()(timer=None)


@pytest.fixture
def world(monkeypatch):
    return World(monkeypatch)


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
