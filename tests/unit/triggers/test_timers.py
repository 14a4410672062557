from types import SimpleNamespace

import pytest

from d2c.clients import telemetry
from triggers import timers


async def done(*arguments):
    return None


async def broken(*arguments):
    raise ValueError("broken")


@pytest.fixture
def flushed(monkeypatch):
    """Return the list of flushes of the process's telemetry."""
    flushes = []
    monkeypatch.setattr(telemetry, "_started", [SimpleNamespace(flush=lambda: flushes.append("all"))])
    return flushes


@pytest.mark.parametrize("work", [done, broken])
async def test_the_watchdog_sends_its_telemetry_before_its_instance_may_end(monkeypatch, flushed, work):
    monkeypatch.setattr(timers.watchdog, "reconcile_all", work)
    monkeypatch.setattr(timers.missed_events, "find_missed", done)
    monkeypatch.setattr(timers, "connect_failed_events", lambda settings: None)
    watch = timers.watch._function.get_user_function().__wrapped__.__wrapped__
    try:
        await watch(timer=None, app=SimpleNamespace(settings=None))
    except ValueError:
        assert work is broken
    assert flushed == ["all"]


async def test_so_does_the_repeated_delivery_of_notifications(monkeypatch, flushed):
    monkeypatch.setattr(timers, "app_clients", lambda: SimpleNamespace(settings=None, lake=None))
    monkeypatch.setattr(timers.notifications, "deliver_due", done)
    await timers.deliver_notifications_again._function.get_user_function()(timer=None)
    assert flushed == ["all"]
