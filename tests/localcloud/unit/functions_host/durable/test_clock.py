import pytest

from tests.localcloud.unit.functions_host.hands import Hands


@pytest.fixture
def hands():
    return Hands(wall=1000.0)


def test_a_clock_shows_the_machines_time(hands):
    clock = hands.clock()
    hands.pass_by(5)
    assert clock() == 1005


def test_a_clock_that_is_set_forward_goes_forward(hands):
    clock = hands.clock()
    hands.set_clock(7200)
    assert clock() == 8200


def test_a_clock_that_is_set_back_goes_on_by_what_has_passed(hands):
    clock = hands.clock()
    hands.set_clock(-7200)
    assert clock() == 1000
    hands.pass_by(60)
    assert clock() == 1060


def test_a_clock_can_begin_later_than_the_machines(hands):
    clock = hands.clock()
    clock.not_before(5000.0)
    hands.pass_by(10)
    assert clock() == 5010
    clock.not_before(10.0)
    assert clock() == 5010
