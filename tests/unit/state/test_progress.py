from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2c.plan.schedule import Window
from d2c.state.progress import (
    LONGEST_SECONDS,
    STAGE_BEGINS_AT,
    estimated_end,
    percent_of_all,
    percent_of_table,
    progress_of_stage,
    seconds_to_the_end,
)

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
PERCENTS = st.floats(0, 100)
TABLES = st.lists(st.tuples(st.none() | st.integers(0, 10**12), PERCENTS), min_size=1, max_size=20)


def ran(**duration):
    return NOW - timedelta(**duration)


@pytest.mark.parametrize(
    ("state", "stage", "progress", "percent"),
    [
        ("pending", None, None, 0),
        ("running", "export", None, 0),
        ("running", "copy", {"done": 1, "total": 2}, 37.5),
        ("running", "copy", {"done": 0, "total": 0}, 30),
        ("running", "copy", {"done": 5, "total": None}, 30),
        ("running", "load", {"done": 7, "total": 5}, 85),
        ("running", "report", {"done": 1, "total": 2}, 99),
        ("failed", "load", None, 60),
        ("failed", "replay", None, 60),
        ("succeeded", "report", None, 100),
    ],
)
def test_a_table_is_as_far_as_its_stage_and_what_that_has_done(state, stage, progress, percent):
    assert percent_of_table(state, stage, progress) == percent


@given(st.sampled_from(sorted(STAGE_BEGINS_AT)), st.integers(0, 10**15), st.integers(0, 10**15))
def test_a_table_gets_on_with_its_stages_progress_and_never_past_the_stage(stage, done, total):
    now = percent_of_table("running", stage, {"done": done, "total": total})
    later = percent_of_table("running", stage, {"done": done + 1, "total": total})
    following = [begin for begin in (*STAGE_BEGINS_AT.values(), 100) if begin > STAGE_BEGINS_AT[stage]]
    assert STAGE_BEGINS_AT[stage] <= now <= later <= min(following)


COUNTS = {"done": 40, "total": 100, "bytes": 4000, "bytes_total": 9000, "items_per_second": 2.5}


@pytest.mark.parametrize("stage", ["assess", "load", "verify"])
def test_a_stage_of_the_load_run_tells_items_bytes_and_its_rate(stage):
    assert progress_of_stage(stage, {**COUNTS, "bytes_per_second": 250}) == {
        "items": 40,
        "items_total": 100,
        "bytes": 4000,
        "bytes_total": 9000,
        "items_per_second": 2.5,
        "bytes_per_second": 250,
    }


def test_a_copy_tells_bytes():
    found = progress_of_stage("copy", {"done": 4, "total": 9, "files": 1})
    assert {name: value for name, value in found.items() if value is not None} == {
        "bytes": 4,
        "bytes_total": 9,
    }


@pytest.mark.parametrize("progress", [None, {}, {"stages": []}, {"total": 0}, {"total": "9"}])
def test_a_stage_without_a_total_tells_nothing(progress):
    assert progress_of_stage("load", progress) is None


@pytest.mark.parametrize("odd", ["5", None, True, -1, float("nan"), float("inf"), 10**30, [], {}])
def test_what_is_no_number_in_the_file_of_a_run_is_not_told(odd):
    found = progress_of_stage("load", {**COUNTS, "done": odd, "items_per_second": odd})
    assert (found["items"], found["items_per_second"], found["items_total"]) == (None, None, 100)
    assert percent_of_table("running", "load", {"done": odd, "total": odd}) == 60
    assert seconds_to_the_end({"seconds_left": odd, "seconds_after": 0}) is None


def test_a_table_still_takes_what_its_stage_takes_and_those_that_follow():
    assert seconds_to_the_end({"seconds_left": 60, "seconds_after": 9.5}) == 69.5
    assert seconds_to_the_end({"seconds_left": 60}) is None
    assert seconds_to_the_end(None) is None
    assert seconds_to_the_end({"seconds_left": 10**15, "seconds_after": 0}) == LONGEST_SECONDS


def test_tables_weigh_as_much_as_they_have_items():
    assert percent_of_all([(900, 100), (100, 0)]) == 90


def test_a_table_whose_items_are_not_known_weighs_like_the_others():
    assert percent_of_all([(900, 100), (100, 100), (None, 0)]) == pytest.approx(100 * 2 / 3)
    assert percent_of_all([(None, 100), (None, 0)]) == 50


def test_tables_without_items_count_too_and_no_tables_are_nowhere():
    assert percent_of_all([(0, 100), (0, 0)]) == 50
    assert percent_of_all([]) == 0


@given(TABLES, st.data())
def test_the_whole_gets_on_when_a_table_does_and_stays_between_0_and_100(tables, data):
    place = data.draw(st.integers(0, len(tables) - 1))
    items, percent = tables[place]
    later = [*tables]
    later[place] = (items, data.draw(st.floats(percent, 100)))
    assert -1e-6 <= percent_of_all(tables) <= percent_of_all(later) + 1e-6 <= 100.001


def test_the_rest_takes_as_long_as_what_is_behind_did():
    assert estimated_end(ran(hours=1), NOW, 25) == NOW + timedelta(hours=3)


@pytest.mark.parametrize(
    ("began", "percent"), [(ran(seconds=29), 50), (ran(hours=5), 1.9), (NOW + timedelta(hours=1), 50)]
)
def test_nobody_knows_when_it_arrives_who_has_seen_too_little(began, percent):
    assert estimated_end(began, NOW, percent) is None


@given(st.integers(30, 10**8), st.floats(2, 100), st.floats(2, 100))
def test_who_is_further_after_the_same_time_arrives_earlier_and_nobody_in_the_past(seconds, one, other):
    less, more = sorted((one, other))
    early, late = (estimated_end(ran(seconds=seconds), NOW, percent) for percent in (more, less))
    assert NOW <= early <= late


def test_hours_in_which_the_window_is_shut_do_not_count():
    window = Window("22:00", "06:00", "UTC")
    began = datetime(2026, 1, 31, 22, tzinfo=UTC)
    # Eight open hours brought a quarter; 24 more are open until three nights later.
    assert estimated_end(began, NOW, 25, window) == datetime(2026, 2, 4, 6, tzinfo=UTC)


def test_work_of_years_of_nights_has_no_estimate():
    window = Window("22:00", "22:05", "UTC")
    assert estimated_end(ran(days=900), NOW, 2, window) is None
