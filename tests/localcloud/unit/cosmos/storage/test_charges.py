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


KB = 1024


def test_a_point_read_costs_one_unit_for_1_kb_and_ten_for_100():
    assert [charges.read_charge(size) for size in (10, KB, 100 * KB)] == [1, 1, 10]


@pytest.mark.parametrize(
    ("kilobytes", "charge"), [(0.5, 5), (1, 5), (5.5, 9.5), (10, 14), (55, 32), (100, 50), (1000, 410)]
)
def test_a_write_costs_more_the_larger_it_is_and_less_for_each_kilobyte(kilobytes, charge):
    assert charges.write_charge(int(kilobytes * KB), 1.0) == pytest.approx(charge)


@pytest.mark.parametrize(
    ("policy", "factor"),
    [
        ({"indexingMode": "none"}, 1.0),
        ({"indexingMode": "consistent", "includedPaths": [{"path": "/*"}]}, 2.0),
        ({"indexingMode": "consistent", "includedPaths": [], "excludedPaths": [{"path": "/*"}]}, 1.0),
        ({"includedPaths": [{"path": "/a/?"}, {"path": "/b/?"}], "compositeIndexes": [[]]}, 1.15),
        ({"includedPaths": [{"path": f"/{n}/?"} for n in range(50)]}, 2.0),
    ],
)
def test_indexes_add_to_a_write(policy, factor):
    assert charges.index_factor(policy) == pytest.approx(factor)


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
