import pytest

from d2c.clients.azure.cosmos.resources import Throughput
from d2c.load_run.throughput.request_units import LoadSize
from d2c.load_run.throughput.sizing import (
    even_ru_per_second,
    least_ru_per_second,
    load_estimate,
    partitions_of,
    scaling_of_existing,
    scaling_of_new,
)
from d2c.shapes import LoadBounds

GB = 2**30
BOUNDS = LoadBounds(400_000, 128_000)
AUTO = {"load_ru_per_second": "auto"}
HOUR = 3600


def new(load, bounds=BOUNDS, **settings):
    scaling = scaling_of_new({**AUTO, **settings}, load, bounds)
    return scaling["create_ru_per_second"], scaling["peak_ru_per_second"], scaling["after_ru_per_second"]


def existing(load, throughput, bounds=BOUNDS, **settings):
    scaling = scaling_of_existing(
        {**AUTO, **settings}, load, bounds, throughput, throughput and throughput.ru_per_second
    )
    return scaling["peak_ru_per_second"], scaling["after_ru_per_second"]


def manual(ru_per_second, carried=10_000, minimum=400, pending=False):
    return Throughput(ru_per_second, False, minimum, pending, carried)


@pytest.mark.parametrize(
    ("size_gb", "ru_per_second", "partitions"),
    [(0, 400, 1), (0, 10_000, 1), (0, 10_100, 2), (30, 400, 1), (31, 400, 2), (1024, 10_000, 34)],
)
def test_partitions_follow_from_size_and_throughput(size_gb, ru_per_second, partitions):
    assert partitions_of(size_gb * GB, ru_per_second) == partitions


@pytest.mark.parametrize(("kept", "ru"), [({}, 400 * 300), ({"after_load_ru_per_second": 1000}, 1000 * 300)])
def test_a_small_tables_container_is_created_with_what_it_keeps_and_never_updated(kept, ru):
    after = kept.get("after_load_ru_per_second", 400)
    assert new(LoadSize(1, ru), **kept) == (after, after, after)
    assert new(LoadSize(1, ru + 1), **kept) == (4_000, 4_000, after)


@pytest.mark.parametrize(
    ("load", "create", "peak"),
    [
        (LoadSize(GB, 8_000 * HOUR), 6_000, 8_000),
        # A little more than three partitions carry.
        (LoadSize(GB, 30_001 * HOUR), 24_000, 30_100),
        # The documents need more partitions than the RU/s: what makes them is used.
        (LoadSize(200 * GB, 20_000 * HOUR), 42_000, 42_000),
        # As fast as the cluster writes.
        (LoadSize(100 * GB, 200_000 * HOUR), 78_000, 128_000),
        # The partitions need more than the cluster can use.
        (LoadSize(1024 * GB, 10**10), 204_000, 128_000),
        # The cap bounds even the creation.
        (LoadSize(10_240 * GB, 10**11), 400_000, 128_000),
    ],
)
def test_a_container_is_created_with_its_partitions_then_set_to_what_the_load_needs(load, create, peak):
    assert new(load) == (create, peak, 400)


@pytest.mark.parametrize(
    ("size_gb", "wanted", "create"), [(1, 400, 400), (1, 20_000, 12_000), (300, 20_000, 20_000)]
)
def test_the_plans_own_throughput_is_never_exceeded(size_gb, wanted, create):
    load = LoadSize(size_gb * GB, 10**12)
    assert new(load, load_ru_per_second=wanted) == (create, wanted, 400)


@pytest.mark.parametrize(
    ("load", "wanted", "expected"),
    [
        (LoadSize(1, 1), {}, (1_000, 1_000, 1_000)),
        (LoadSize(GB, 8_500 * HOUR), {}, (6_000, 9_000, 1_000)),
        (
            LoadSize(GB, 1),
            {"load_ru_per_second": 4_500, "after_load_ru_per_second": 1_100},
            (5_000, 5_000, 2_000),
        ),
    ],
)
def test_autoscale_has_maxima_in_thousands(load, wanted, expected):
    assert new(load, kind="autoscale", **wanted) == expected


def test_throughput_that_is_kept_anyway_is_used():
    assert new(LoadSize(GB, 10**9), after_load_ru_per_second=300_000) == (180_000, 300_000, 300_000)


@pytest.mark.parametrize(
    ("load", "has", "peak"),
    [
        # Small: what it has is enough.
        (LoadSize(1, 700 * 300), manual(700), 700),
        (LoadSize(1, 9_000 * HOUR), manual(700), 9_000),
        # More than its partitions carry is asked for only where the load takes a working day otherwise.
        (LoadSize(1, 10_000 * 6 * HOUR), manual(700), 10_000),
        (LoadSize(1, 10_000 * 6 * HOUR + 1), manual(700), 80_000),
        (LoadSize(1, 10**12), manual(700, carried=30_000), 120_000),
        # It never gets less than it has.
        (LoadSize(1, 10_000 * HOUR), manual(50_000, carried=50_000), 50_000),
    ],
)
def test_an_existing_container_is_raised_to_what_its_partitions_carry_or_splits_evenly(load, has, peak):
    assert existing(load, has) == (peak, has.ru_per_second)


def test_a_plan_may_ask_for_more_than_partitions_carry_and_for_less_afterwards():
    settings = {"load_ru_per_second": 25_000, "after_load_ru_per_second": 500}
    assert existing(LoadSize(1, 1), manual(700), **settings) == (25_000, 500)


def test_a_container_without_throughput_of_its_own_is_not_scaled():
    assert existing(LoadSize(1, 10**9), None) == (None, None)


@pytest.mark.parametrize(
    ("instant", "wanted", "most", "even"),
    [
        (10_000, 15_000, 400_000, 20_000),
        (30_000, 100_000, 400_000, 120_000),
        (30_000, 100_000, 100_000, 60_000),
        (30_000, 100_000, 50_000, 30_000),
    ],
)
def test_partitions_split_evenly_into_halves(instant, wanted, most, even):
    assert even_ru_per_second(instant, wanted, most) == even


@pytest.mark.parametrize(
    ("highest", "size_gb", "autoscale", "least"),
    [
        (400, 0, False, 400),
        (40_000, 0, False, 400),
        (50_100, 0, False, 600),
        (400, 900, False, 900),
        (10_000, 0, True, 1_000),
        (11_000, 0, True, 2_000),
        (1_000, 950, True, 10_000),
    ],
)
def test_a_peak_and_the_documents_leave_a_minimum_behind(highest, size_gb, autoscale, least):
    assert least_ru_per_second(highest, size_gb * GB, autoscale=autoscale) == least


def test_a_load_is_estimated_for_the_throughput_that_it_gets_among_others():
    assert load_estimate(ru=90_001, load_ru_per_second=9_000) == [
        {"ru_per_second": 4_000, "seconds": 23, "planned": False},
        {"ru_per_second": 9_000, "seconds": 11, "planned": True},
        {"ru_per_second": 10_000, "seconds": 10, "planned": False},
        {"ru_per_second": 40_000, "seconds": 3, "planned": False},
        {"ru_per_second": 100_000, "seconds": 1, "planned": False},
    ]


@pytest.mark.parametrize("gets", [None, 4_000])
def test_loads_without_own_or_with_usual_throughput_are_estimated(gets):
    choices = load_estimate(ru=8_000, load_ru_per_second=gets)
    assert [choice["ru_per_second"] for choice in choices] == [4_000, 10_000, 40_000, 100_000]
    assert [choice["planned"] for choice in choices] == [gets == 4_000, False, False, False]
