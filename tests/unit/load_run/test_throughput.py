import pytest

from d2c.load_run.throughput import LEAST_LOAD_RU, MOST_LOAD_RU, load_estimate, load_ru_per_second


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
