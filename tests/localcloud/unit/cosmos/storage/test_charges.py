import pytest

from localcloud.cosmos.errors import CosmosError
from localcloud.cosmos.storage import charges


class Clock:
    """A clock that a test moves."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_point_read_costs_one_unit_per_kilobyte():
    assert [charges.read_charge(size) for size in (10, 1024, 102_400)] == [1, 1, 100]


def test_a_write_costs_more_the_larger_it_is_and_half_without_indexing():
    assert charges.write_charge(500, indexed=True) == charges.write_charge(1024, indexed=True) == 5.5
    assert charges.write_charge(102_400, indexed=True) == pytest.approx(203.5)
    assert charges.write_charge(1024, indexed=False) == 2.75


def test_a_budget_holds_one_second_and_no_more(clock):
    budget = charges.Budget(400, clock)
    clock.now += 60
    budget.check()
    assert budget.left == 400


def test_an_overdrawn_budget_refuses_until_it_has_recovered(clock):
    budget = charges.Budget(400, clock)
    budget.check()
    budget.spend(600)
    with pytest.raises(CosmosError) as caught:
        budget.check()
    assert (caught.value.status, caught.value.sub_status, caught.value.retry_after_ms) == (429, 3200, 500)
    clock.now += 0.4
    with pytest.raises(CosmosError) as caught:
        budget.check()
    assert caught.value.retry_after_ms == 100
    clock.now += 0.11
    budget.check()
    assert (budget.throttled, budget.spent) == (2, 600)


def test_another_throughput_pays_a_debt_off_at_its_own_pace(clock):
    budget = charges.Budget(400, clock)
    budget.spend(1400)
    budget.change(10_000)
    clock.now += 0.11
    budget.check()
    assert budget.spent == 1400


def test_less_throughput_takes_what_is_above_it_away(clock):
    budget = charges.Budget(10_000, clock)
    budget.change(400)
    assert budget.left == 400
