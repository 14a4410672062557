import pytest

from d2c.throughput import LEAST_LOAD_RU, MOST_LOAD_RU, load_ru_per_second


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
