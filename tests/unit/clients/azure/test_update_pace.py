from types import SimpleNamespace

import pytest
from azure.core.exceptions import HttpResponseError

from d2c.clients.azure.cosmos.update_pace import UpdatePace
from d2c.errors import BusyError, TransientError


class Clock:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self):
        return self.now


def refusal(status=429, **headers):
    """Return what the SDK raises for an answer."""
    response = SimpleNamespace(status_code=status, reason="r", headers=headers, text=lambda: "", request=None)
    return HttpResponseError("too many", response=response)


def update(pace, error=None):
    """Make an update; return whether it was made."""
    made = False
    with pace.update("Throughput"):
        made = True
        if error:
            raise error
    return made


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pace(clock):
    return UpdatePace(clock)


def test_no_update_is_made_before_the_moment_that_the_account_has_named(pace, clock):
    with pytest.raises(BusyError, match="429"):
        update(pace, refusal(**{"Retry-After": "30"}))
    clock.now += 29
    with pytest.raises(BusyError, match="for 1 seconds"):
        update(pace)
    clock.now += 1
    assert update(pace)


@pytest.mark.parametrize("value", ["", "soon", "-5"])
def test_a_refusal_that_names_no_moment_holds_nothing_back(pace, value):
    with pytest.raises(BusyError):
        update(pace, refusal(**{"Retry-After": value}))
    assert update(pace)


def test_an_account_holds_updates_back_for_five_minutes_at_most(pace, clock):
    with pytest.raises(BusyError):
        update(pace, refusal(**{"Retry-After": "86400"}))
    clock.now += 300
    assert update(pace)


def test_another_error_is_none_of_the_pace(pace):
    with pytest.raises(TransientError) as caught:
        update(pace, refusal(503))
    assert not isinstance(caught.value, BusyError)
    assert update(pace)
