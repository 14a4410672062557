import pytest

from d2c.export_format import DataFile
from d2c.load_run.counting.item_counts import VERIFY_OVER_ASSESS, VERIFY_OVER_LOAD, ItemCounts, OnTheirWay


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def counts(clock):
    return ItemCounts(clock)


FILES = [DataFile(f"p/data/{name}", name, items, "m") for name, items in (("a", 1000), ("b", 3000))]
SIZES = {"a": 500, "b": 700}


def begin(counts, stage="load", **more):
    counts.begin(stage)
    counts.expect(FILES, SIZES, **more)


def seen(counts, *names):
    found = counts.look()
    return tuple(found.get(name) for name in names)


def test_before_a_stage_knows_its_files_there_is_nothing_to_tell(counts):
    counts.begin("assess")
    counts.report("a", 5)
    assert counts.look() == {}


def test_items_within_files_count_and_their_bytes_in_proportion(counts):
    begin(counts)
    counts.report("a", 500)
    counts.report("b", 1500)
    assert seen(counts, "done", "total", "bytes", "bytes_total") == (2000, 4000, 600, 1200)


def test_a_file_never_counts_more_than_the_manifest_has_and_other_names_not_at_all(counts):
    begin(counts)
    counts.report("a", 10**12)
    counts.report("no such file", 77)
    assert seen(counts, "done", "bytes") == (1000, 500)


def test_a_task_that_runs_again_counts_its_file_anew(counts):
    begin(counts)
    counts.report("b", 2000)
    counts.report("b", 100)
    assert seen(counts, "done") == (100,)


def test_a_file_that_is_done_counts_though_no_report_came(counts):
    begin(counts)
    counts.finish(["b"])
    assert seen(counts, "done", "bytes") == (3000, 700)


def test_a_report_that_comes_late_takes_nothing_from_a_file_that_is_done(counts):
    begin(counts)
    counts.finish(["a"])
    counts.report("a", 10)
    assert seen(counts, "done") == (1000,)


@pytest.mark.parametrize(
    ("a", "b", "tasks", "done"),
    [
        (0, 2000, 2, 1700),
        (800, 2000, 2, 2200),
        (800, 2000, 1, 2500),
        (100, 150, 2, 0),
    ],
)
def test_what_is_on_its_way_is_not_done(counts, a, b, tasks, done):
    begin(counts, on_their_way=OnTheirWay(300, tasks))
    counts.report("a", a)
    counts.report("b", b)
    assert seen(counts, "done") == (done,)


def test_of_a_file_that_is_done_nothing_is_on_its_way(counts):
    begin(counts, on_their_way=OnTheirWay(300, 2))
    counts.finish(["a"])
    counts.report("b", 1500)
    assert seen(counts, "done", "bytes") == (2200, 500 + 700 * 1200 // 3000)


def test_once_all_is_on_its_way_the_time_left_runs_down_at_the_rate_until_then(counts, clock):
    begin(counts, on_their_way=OnTheirWay(1000, 1), done=["a"])
    for seconds, items in ((0, 0), (10, 1500), (20, 2000), (30, 2500), (34, 3000)):
        clock.now = seconds
        counts.report("b", items)
        found = counts.look()
    assert (found["done"], found["items_per_second"], found["seconds_left"]) == (3000, 50.0, 26.0)
    clock.now = 50
    assert seen(counts, "done", "items_per_second", "seconds_left") == (3000, 50.0, 10.0)
    clock.now = 70
    assert seen(counts, "seconds_left") == (0.0,)
    counts.finish(["b"])
    assert seen(counts, "done", "seconds_left") == (4000, 0.0)


def test_of_two_sides_each_counts_half(counts):
    begin(counts, "verify", sides=2)
    counts.finish(["a", "b"])
    counts.report("documents 0", 1000)
    counts.report("documents 1", 1000)
    assert seen(counts, "done", "total", "bytes") == (3000, 4000, 900)
    counts.report("documents 1", 10**9)
    assert seen(counts, "done", "bytes") == (4000, 1200)


def test_the_rate_is_that_of_the_last_minutes(counts, clock):
    begin(counts)
    for seconds, items in ((0, 0), (10, 100), (200, 200), (260, 800), (320, 1400)):
        clock.now = seconds
        counts.report("b", items)
        found = counts.look()
    assert (found["items_per_second"], found["seconds_left"]) == (10.0, 260.0)
    assert found["bytes_per_second"] == round(700 * 1200 / 3000 / 120)


def test_the_time_before_the_first_item_does_not_count(counts, clock):
    begin(counts)
    for seconds, items in ((0, 0), (50, 0), (60, 1000)):
        clock.now = seconds
        counts.report("b", items)
        found = counts.look()
    assert found["items_per_second"] == 100.0


def test_what_an_earlier_run_has_done_counts_and_makes_no_rate(counts, clock):
    begin(counts, done=["b"])
    assert seen(counts, "done") == (3000,)
    clock.now = 10
    counts.report("a", 500)
    assert seen(counts, "done", "items_per_second", "seconds_left") == (3500, 50.0, 10.0)


def test_a_stage_that_stands_still_tells_no_time_that_is_left(counts, clock):
    begin(counts)
    for seconds, items in ((0, 0), (10, 10), (70, 10), (140, 10), (270, 10)):
        clock.now = seconds
        counts.report("b", items)
        found = counts.look()
    assert found["items_per_second"] == 0.0
    assert "seconds_left" not in found


def test_after_a_load_comes_a_verify_as_long_as_the_rate_of_assess_tells(counts, clock):
    begin(counts, "assess")
    counts.look()
    clock.now = 10
    counts.report("b", 2000)
    assert "seconds_after" not in counts.look()
    begin(counts)
    counts.look()
    clock.now = 20
    counts.report("b", 1000)
    assert seen(counts, "seconds_left", "seconds_after") == (30.0, VERIFY_OVER_ASSESS * 4000 / 200)


def test_after_a_load_that_goes_on_it_is_a_part_of_the_load(counts, clock):
    begin(counts)
    counts.look()
    clock.now = 10
    counts.report("b", 1000)
    assert seen(counts, "seconds_after") == (VERIFY_OVER_LOAD * 40,)


def test_after_verify_nothing_takes_long(counts, clock):
    begin(counts, "verify", sides=2)
    counts.look()
    clock.now = 10
    counts.report("b", 1000)
    assert seen(counts, "seconds_left", "seconds_after") == (70.0, 0.0)


@pytest.mark.parametrize("elapsed", [30.0, 60.0, 150.0, 290.0])
def test_after_the_first_tenth_the_time_left_is_within_a_fifth_whatever_the_steps_are(counts, clock, elapsed):
    """Four tasks report every 2 s in steps of 50 items, read every 3 s: 4,000 items take 300 s after a start of 4 s."""
    begin(counts)
    now = 0.0
    while now < elapsed:
        now += 3.0
        clock.now = now + 4.0
        for name, items in (("a", 1000), ("b", 3000)):
            counts.report(name, int(items * min((now - now % 2.0) / 300.0, 1.0)) // 50 * 50)
        found = counts.look()
    assert found["seconds_left"] == pytest.approx(300.0 - now, rel=0.2, abs=4.0)


def test_a_table_without_items_is_told_without_a_rate(counts):
    counts.begin("load")
    counts.expect([DataFile("p/data/e", "e", 0, "m")], {"e": 20})
    assert seen(counts, "done", "total") == (0, 0)
