import inspect

import pytest

from triggers import timers
from triggers.app import sends_telemetry


class Sent(list):
    """Counts how often telemetry was sent."""

    async def send(self):
        self.append("all")


async def works(timer):
    return timer


async def breaks(timer):
    raise ValueError("broken")


async def test_a_function_sends_its_telemetry_when_it_has_run():
    sent = Sent()
    assert await sends_telemetry(works, sent.send)("timer") == "timer"
    assert sent == ["all"]


async def test_a_function_that_fails_sends_it_too():
    sent = Sent()
    with pytest.raises(ValueError, match="broken"):
        await sends_telemetry(breaks, sent.send)("timer")
    assert sent == ["all"]


@pytest.mark.parametrize("function", [timers.watch, timers.deliver_notifications_again])
def test_each_timer_sends_its_telemetry_before_its_instance_may_end(function):
    built = function._function.get_user_function()
    layers = []
    inspect.unwrap(built, stop=layers.append)
    assert sends_telemetry(works).__code__ in [layer.__code__ for layer in layers]
