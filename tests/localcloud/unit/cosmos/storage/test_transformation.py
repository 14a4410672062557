import pytest

from localcloud.cosmos.storage.charges import Budget
from localcloud.cosmos.storage.container import TRANSFORMING, Container
from localcloud.cosmos.storage.transformation import Transformation


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def container(clock, charge=1000.0):
    offer = {"content": {"offerThroughput": 400}}
    made = Container(1, "d", {"id": "c", "partitionKey": {"paths": ["/pk"]}}, offer)
    for each in made.partitions.all:
        each.budget.clock = clock
        each.budget.filled_at = clock.now
    made.transformation = Transformation(charge)
    return made


def test_only_what_would_be_lost_is_unused():
    clock = Clock()
    budget = Budget(400, clock)
    budget.spend(300)
    clock.now += 0.5
    assert budget.take_unused() == 0
    clock.now += 1
    assert budget.take_unused() == pytest.approx(300)
    assert budget.take_unused() == 0


def test_it_takes_as_long_as_its_charge_has_seconds_of_the_ru_that_nobody_uses():
    clock = Clock()
    made = container(clock)
    assert made.transform() == 0
    clock.now += 1
    assert made.transform() == 40
    made.partitions.all[0].budget.spend(400)
    clock.now += 1
    assert made.transform() == 40
    clock.now += 1.5
    assert made.transform() == 100
    clock.now += 60
    assert made.transform() == 100
    assert made.transformation.spent == made.transformation.charge
    assert sum(point["total"] for point in made.meter.points()) == pytest.approx(1000)
    assert {point["operation"] for point in made.meter.points()} == {TRANSFORMING}


def test_it_outlives_the_process():
    clock = Clock()
    made = container(clock)
    clock.now += 1
    made.transform()
    again = Container(**{**made.saved(), "ranges": []})
    assert again.transformation == made.transformation
    assert again.transformation.percent == 40
