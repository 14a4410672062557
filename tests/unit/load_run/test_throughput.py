import pytest

from d2c.load_run.throughput import (
    LEAST_LOAD_RU,
    MOST_LOAD_RU,
    load_estimate,
    load_ru_per_second,
    wanted_ru_per_second,
)


@pytest.mark.parametrize(
    ("items", "size_bytes", "expected"),
    [
        (10, 1_000, LEAST_LOAD_RU),
        (3_600_000, 1_000, 10_000),  # small items: one write each
        (1_000, 3_600_000 * 1024, 10_000),  # large items: their kilobytes
        (10**10, 1_000, MOST_LOAD_RU),
    ],
)
def test_throughput_loads_a_table_in_about_an_hour_within_bounds(items, size_bytes, expected):
    assert load_ru_per_second(items, size_bytes) == expected


@pytest.mark.parametrize(
    ("settings", "items", "before", "expected"),
    [
        ({"load_ru_per_second": "auto"}, 30_000, None, 1000),
        ({"load_ru_per_second": "auto"}, 30_001, None, LEAST_LOAD_RU),
        ({"load_ru_per_second": "auto", "after_load_ru_per_second": 400}, 12_000, None, 400),
        ({"load_ru_per_second": "auto", "after_load_ru_per_second": 400}, 12_001, None, LEAST_LOAD_RU),
        ({"load_ru_per_second": "auto", "after_load_ru_per_second": 20_000}, 3_600_000, None, 20_000),
        ({"load_ru_per_second": "auto"}, 1, 700, 700),
        ({"load_ru_per_second": 8000}, 1, None, 8000),
    ],
)
def test_a_small_table_loads_with_the_throughput_that_its_container_keeps(settings, items, before, expected):
    assert wanted_ru_per_second(settings, items, 1, before) == expected


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
