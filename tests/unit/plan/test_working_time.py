from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2c.plan.schedule import Window, open_seconds, time_after

NIGHT = Window("22:00", "06:00", "Europe/Berlin")
DAY = Window("09:00", "17:00", "UTC")
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def at(text):
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("window", "begin", "end", "hours"),
    [
        (DAY, "2026-02-01T10:00+00:00", "2026-02-01T12:00+00:00", 2),
        (DAY, "2026-02-01T18:00+00:00", "2026-02-02T08:00+00:00", 0),
        (DAY, "2026-02-01T16:00+00:00", "2026-02-03T10:00+00:00", 10),
        (NIGHT, "2026-02-01T00:00+00:00", "2026-02-02T00:00+00:00", 8),
        (NIGHT, "2026-02-01T20:00+01:00", "2026-02-01T23:00+01:00", 1),
        (DAY, "2026-02-02T10:00+00:00", "2026-02-01T10:00+00:00", 0),
        # The night on which summer time begins is an hour shorter.
        (NIGHT, "2026-03-28T22:00+01:00", "2026-03-29T06:00+02:00", 7),
    ],
)
def test_only_time_in_which_the_window_is_open_counts(window, begin, end, hours):
    assert open_seconds(at(begin), at(end), window) == hours * 3600


@pytest.mark.parametrize(
    ("window", "begin", "hours", "end"),
    [
        (DAY, "2026-02-01T10:00+00:00", 2, "2026-02-01T12:00+00:00"),
        (DAY, "2026-02-01T18:00+00:00", 1, "2026-02-02T10:00+00:00"),
        (DAY, "2026-02-01T16:00+00:00", 9, "2026-02-02T17:00+00:00"),
        (NIGHT, "2026-02-01T23:00+00:00", 6, "2026-02-01T05:00+00:00"),
    ],
)
def test_open_time_ends_where_the_window_has_been_open_for_so_long(window, begin, hours, end):
    expected = at(end) if window is DAY else at(end) + timedelta(days=1)
    assert time_after(at(begin), hours * 3600, window) == expected


@given(MOMENTS, st.integers(1, 10**6), st.sampled_from([DAY, NIGHT]))
def test_the_two_agree(begin, seconds, window):
    assert open_seconds(begin, time_after(begin, seconds, window), window) == pytest.approx(seconds)


def test_a_time_more_than_a_year_ahead_is_not_reported():
    assert time_after(at("2026-02-01T10:00+00:00"), 400 * 8 * 3600, DAY) is None
