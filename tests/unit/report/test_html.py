import pytest

from d2c.report import html


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
    assert html.size(size_bytes) == shown


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
    assert html.duration(seconds) == shown


def test_a_bad_number_is_marked():
    assert html.number(1_234, is_bad=True) == '<span class="bad">1,234</span>'
    assert html.number(1_234) == "1,234"


def test_a_table_says_which_columns_are_numbers():
    shown = html.table(("Name", "count"), [["a", "1"]], footer=["all", "1"])
    assert '<th>Name</th><th class="number">count</th>' in shown
    assert '<td>a</td><td class="number">1</td>' in shown
    assert '<tfoot><tr><td>all</td><td class="number">1</td></tr></tfoot>' in shown
