from datetime import UTC, datetime, timedelta

import pytest

from d2c.report.consumed import Window, consumed, indexing_minutes, load_window

START = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def at(minute):
    return START + minute * MINUTE


def window(start=0.0, minutes=10.0):
    return Window(at(start), at(start + minutes))


def used(counts, of, ru_per_second=100):
    found = consumed({at(minute): ru for minute, ru in counts.items()}, of, ru_per_second, None)
    return found["used_part"]


@pytest.mark.parametrize(
    ("start", "minutes", "first", "last"),
    [(0, 10, 0, 11), (0.5, 10, 0, 11), (0.5, 0.1, 0, 1), (0.95, 0.1, 0, 2)],
)
def test_a_load_is_asked_for_by_the_whole_minutes_that_it_touches(start, minutes, first, last):
    assert window(start, minutes).minutes == (at(first), at(last))


def test_the_last_load_that_has_ended_counts():
    entry = {"stage": "load", "state": "failed", "started_at": "2026-06-01T14:00:00+02:00", "seconds": 60.0}
    later = {**entry, "state": "succeeded", "started_at": "2026-06-01T12:05:00+00:00", "seconds": 30.0}
    stages = [entry, later, {"stage": "verify", "state": "succeeded", "started_at": "x", "seconds": 1}]
    assert load_window({"stages": stages}) == Window(at(5), at(5.5))
    assert load_window({"stages": [entry, {**later, "seconds": None}]}) == Window(at(0), at(1))
    assert load_window({"stages": []}) is None


@pytest.mark.parametrize(
    ("began", "seconds", "minutes"),
    [(5, 30, (6, 7)), (6, 90, (7, 9)), (6, 10, None), (5.2, 40, (6, 7))],
)
def test_indexes_are_asked_for_by_the_minutes_in_which_nothing_is_loaded(began, seconds, minutes):
    load = {"stage": "load", "started_at": at(0).isoformat(), "seconds": 60.0 * began}
    index = {"stage": "index", "started_at": at(began + 0.8).isoformat(), "seconds": seconds}
    found = indexing_minutes({"stages": [load, index]})
    assert found == (minutes and tuple(map(at, minutes)))
    assert indexing_minutes({"stages": [load]}) is None


def test_what_was_counted_is_summed_and_nothing_counted_is_not_zero():
    counts = {at(0): 1000.4, at(1): 10.0}
    assert consumed(counts, window(), None, 97.5) == {
        "counted_ru": 1010,
        "used_part": None,
        "highest_use_percent": 97.5,
    }
    assert consumed({}, window(), 400, None)["counted_ru"] is None


def test_the_used_part_is_that_of_the_minutes_between_the_first_and_the_last_tenth():
    counts = dict.fromkeys(range(10), 6000) | {0: 0, 1: 3000, 9: 0}
    # Minutes 1 to 8 of ten, of which one was half used.
    assert used(counts, window()) == pytest.approx(7.5 / 8, abs=1e-4)
    # Only minutes that lie wholly between them count.
    assert used(counts, window(0.5, 10)) == pytest.approx(1.0)


@pytest.mark.parametrize("of", [window(0, 1), window(0.5, 1.4)])
def test_a_load_without_a_whole_minute_between_has_no_used_part(of):
    assert used({0: 6000, 1: 6000, 2: 6000}, of) is None
