import pytest

from localcloud.cosmos.storage.charges import Budget
from localcloud.cosmos.storage.meter import Meter, Utilization


class Clock:
    """A clock that a test moves."""

    def __init__(self):
        self.now = 6000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_request_units_are_counted_by_minute_and_operation(clock):
    meter = Meter(clock)
    for seconds, operation, charge in ((0, "Batch", 5), (59, "Batch", 6), (60, "Batch", 7), (60, "Query", 2)):
        clock.now = 6000.0 + seconds
        meter.count(operation, charge)
    assert [(point["minute"], point["operation"], point["total"]) for point in meter.points()] == [
        (6000, "Batch", 11),
        (6060, "Batch", 7),
        (6060, "Query", 2),
    ]


def test_the_busiest_second_of_a_minute_counts_as_part_of_what_is_provisioned(clock):
    used = Utilization(clock)
    for seconds, charge in ((0.0, 100), (0.9, 100), (1.0, 150), (60.0, 800)):
        clock.now = 6000.0 + seconds
        used.note(charge, 400)
    assert used.by_minute == {6000: 50.0, 6060: 100.0}


def test_a_budget_notes_what_is_spent():
    budget = Budget(400)
    budget.spend(100)
    assert list(budget.utilization.by_minute.values()) == [25.0]
