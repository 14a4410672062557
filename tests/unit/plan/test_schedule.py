from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2c.plan.schedule import seconds_until_open

NIGHT = ["22:00", "06:00"]
DAY = ["08:00", "18:30"]
BERLIN = "Europe/Berlin"


def hours_until_open(text, between, time_zone):
    return seconds_until_open(datetime.fromisoformat(text), between, time_zone) / 3600


def test_a_plan_without_a_window_may_go_on_at_any_time():
    assert seconds_until_open(datetime(2026, 11, 6, 12, tzinfo=UTC), None, None) == 0


@pytest.mark.parametrize(
    ("now", "between", "hours"),
    [
        ("2026-11-06T21:59:00+01:00", NIGHT, 1 / 60),
        ("2026-11-06T22:00:00+01:00", NIGHT, 0),
        ("2026-11-07T00:00:00+01:00", NIGHT, 0),
        ("2026-11-07T05:59:59+01:00", NIGHT, 0),
        ("2026-11-07T06:00:00+01:00", NIGHT, 16),
        ("2026-11-07T12:00:00+01:00", NIGHT, 10),
        ("2026-11-07T07:59:30+01:00", DAY, 0.5 / 60),
        ("2026-11-07T08:00:00+01:00", DAY, 0),
        ("2026-11-07T18:29:59+01:00", DAY, 0),
        ("2026-11-07T18:30:00+01:00", DAY, 13.5),
        ("2026-12-31T23:00:00+01:00", DAY, 9),
        ("2026-11-07T00:00:00+01:00", ["00:00", "23:59"], 0),
        ("2026-11-07T23:59:00+01:00", ["00:00", "23:59"], 1 / 60),
        ("2026-11-07T23:59:00+01:00", ["23:59", "00:00"], 0),
        ("2026-11-07T00:00:00+01:00", ["23:59", "00:00"], 24 - 1 / 60),
    ],
)
def test_a_window_opens_at_its_first_time_and_shuts_at_its_second(now, between, hours):
    assert hours_until_open(now, between, BERLIN) == pytest.approx(hours)


@pytest.mark.parametrize("time_zone", ["Asia/Kathmandu", "America/St_Johns", "Pacific/Auckland", None])
def test_a_window_is_in_its_own_time_zone(time_zone):
    opens = datetime(2026, 7, 1, 22, tzinfo=ZoneInfo(time_zone or "UTC"))
    for elsewhere in ("UTC", "America/Los_Angeles", "Asia/Tokyo"):
        now = (opens - timedelta(hours=3)).astimezone(ZoneInfo(elsewhere))
        assert seconds_until_open(now, NIGHT, time_zone) == 3 * 3600


@pytest.mark.parametrize(
    ("now", "between", "hours"),
    [
        # On 2026-03-29 it is 03:00 after 01:59, by UTC at 01:00.
        ("2026-03-28T20:00:00+01:00", NIGHT, 2),
        ("2026-03-29T06:00:00+02:00", NIGHT, 16),
        ("2026-03-28T06:00:00+01:00", ["07:00", "08:00"], 1),
        ("2026-03-28T08:00:00+01:00", ["07:00", "08:00"], 22),
        ("2026-03-29T00:00:00+01:00", ["02:30", "04:00"], 2),
        ("2026-03-29T00:00:00+01:00", ["02:15", "02:45"], 25.25),
        ("2026-03-29T00:00:00+01:00", ["01:00", "02:30"], 1),
        ("2026-03-29T03:00:00+02:00", ["01:00", "02:30"], 22),
    ],
)
def test_a_window_where_summer_time_begins(now, between, hours):
    assert hours_until_open(now, between, BERLIN) == pytest.approx(hours)


@pytest.mark.parametrize(
    ("now", "between", "hours"),
    [
        # On 2026-10-25 it is 02:00 again after 02:59, by UTC at 01:00.
        ("2026-10-24T08:00:00+02:00", ["07:00", "08:00"], 24),
        ("2026-10-25T00:00:00+02:00", ["03:00", "04:00"], 4),
        ("2026-10-25T02:30:00+02:00", ["01:00", "02:30"], 0.5),
        ("2026-10-25T02:29:00+01:00", ["01:00", "02:30"], 0),
        ("2026-10-25T02:30:00+01:00", ["01:00", "02:30"], 22.5),
    ],
)
def test_a_window_where_summer_time_ends(now, between, hours):
    assert hours_until_open(now, between, BERLIN) == pytest.approx(hours)


def test_hours_are_counted_correctly_across_a_clock_change():
    now = datetime(2026, 3, 28, 8, tzinfo=ZoneInfo(BERLIN))
    assert seconds_until_open(now, ["07:00", "08:00"], BERLIN) == 22 * 3600


times_of_day = st.times().map(lambda time: time.strftime("%H:%M"))


@given(
    now=st.floats(0, 15 * 365 * 86400).map(
        lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    ),
    between=st.lists(times_of_day, min_size=2, max_size=2, unique=True),
    time_zone=st.sampled_from(
        ["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"]
    ),
)
def test_it_is_open_then_and_was_shut_the_moment_before(now, between, time_zone):
    seconds = seconds_until_open(now, between, time_zone)
    opens = now + timedelta(seconds=seconds)
    assert seconds_until_open(opens, between, time_zone) == 0
    assert 0 <= seconds <= 50 * 3600
    if seconds:
        before = opens - timedelta(microseconds=1)
        assert seconds_until_open(before, between, time_zone) == pytest.approx(1e-6)
