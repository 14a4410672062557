import pytest

from d2c.report import formats


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [
        (None, "–"),  # noqa: RUF001
        (0, "0 bytes"),
        (1023, "1,023 bytes"),
        (1024, "1.0 KB"),
        (20 * 2**30, "20.0 GB"),
        (3 * 2**60, "3,072.0 PB"),
    ],
)
def test_a_size_has_a_unit_that_people_read(size_bytes, shown):
    assert formats.size(size_bytes) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "–"),  # noqa: RUF001
        (2.25, "2.2 s"),
        (3, "3 s"),
        (60, "1 min 0 s"),
        (3_599.6, "1 h 0 min"),
        (360_000, "100 h 0 min"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds, shown):
    assert formats.duration(seconds) == shown


@pytest.mark.parametrize(
    ("least", "most", "shown"),
    [(0, 1024, "up to 1.0 KB"), (1024, 2048, "1.0 KB to 2.0 KB"), (1024, 1025, "1.0 KB")],
)
def test_bounds_that_read_alike_are_one_size(least, most, shown):
    assert formats.size_range(least, most) == shown


def test_money_has_four_decimals_and_unknown_values_a_dash():
    assert formats.quantity(1234.5, "USD") == "1,234.5000"
    assert formats.quantity(90, "seconds") == "1 min 30 s"
    assert formats.quantity(None, "USD") == formats.ratio(None, 2) == formats.ratio(2, 0) == formats.UNKNOWN


def test_a_long_partition_key_is_cut_off():
    assert formats.key_text(["x" * 200]) == f'"{"x" * (formats.LONGEST_KEY - 1)}…'
