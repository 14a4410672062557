"""Bounds of the heaviest keys, held against an exact count."""

from collections import Counter

import orjson
from hypothesis import given
from hypothesis import strategies as st

from d2c.load_run.census.heavy_hitters import GATHERED, HeavyHitters

KEPT = 3
# More keys than a summary of three gathers, a few of them heavy.
entry = st.tuples(st.integers(0, 60).map(str), st.integers(1, 50) | st.sampled_from([900, 5_000]))
entries = st.lists(entry, max_size=120)


def summary_of(rows):
    summary = HeavyHitters(kept=KEPT)
    for key, weight in rows:
        summary.add(key, weight)
    return summary


def exact_of(rows):
    exact = Counter()
    for key, weight in rows:
        exact[key] += weight
    return exact


def check_bounds(summary, exact):
    for key in exact.keys() | summary.weights.keys():
        assert summary.weights.get(key, 0) <= exact[key] <= summary.weights.get(key, 0) + summary.error


@given(entries)
def test_each_weight_is_within_its_bounds(rows):
    summary, exact = summary_of(rows), exact_of(rows)
    check_bounds(summary, exact)
    assert summary.error <= exact.total() / (KEPT + 1)
    assert len(summary.weights) <= GATHERED * KEPT


@given(st.lists(entries, max_size=5), st.randoms(use_true_random=False))
def test_merging_in_any_order_keeps_the_bounds(files, source):
    source.shuffle(files)
    summary = HeavyHitters(kept=KEPT)
    for rows in files:
        part = summary_of(rows)
        part.trim()
        summary.merge(part)
    summary.trim()
    exact = exact_of([row for rows in files for row in rows])
    check_bounds(summary, exact)
    assert summary.error <= exact.total() / (KEPT + 1)
    assert len(summary.weights) <= KEPT


def test_merging_gathers_as_many_keys_as_adding_and_then_keeps_the_heaviest():
    summary = HeavyHitters(kept=KEPT)
    for number in range(GATHERED):
        summary.merge(HeavyHitters({f"{number}-{place}": 1 for place in range(KEPT)}))
    assert (len(summary.weights), summary.error) == (GATHERED * KEPT, 0)
    summary.merge(HeavyHitters({"heavy": 9}))
    assert (summary.weights, summary.error) == ({"heavy": 8}, 1)


@given(entries, st.integers(0, 1_000))
def test_leaving_out_the_light_ones_costs_at_most_the_threshold(rows, threshold):
    summary = summary_of(rows)
    before = summary.error
    summary.leave_out(threshold)
    check_bounds(summary, exact_of(rows))
    assert summary.error <= before + threshold
    assert all(weight > threshold for weight in summary.weights.values())


@given(st.lists(entry, max_size=GATHERED * KEPT))
def test_few_keys_are_counted_exactly(rows):
    summary = summary_of(rows)
    assert (summary.weights, summary.error) == (exact_of(rows), 0)


@given(entries)
def test_a_summary_comes_back_from_its_json(rows):
    summary = summary_of(rows)
    again = HeavyHitters.from_json(orjson.loads(orjson.dumps(summary.to_json())))
    assert (again.weights, again.error) == (summary.weights, summary.error)
    assert len(again.weights) <= KEPT


def test_a_heavy_key_is_found_among_any_number_of_others():
    summary = HeavyHitters(kept=10)
    for number in range(5_000):
        summary.add(f"light {number}", 100)
        summary.add("heavy", 50)
    ((key, weight),) = summary.largest(1)
    assert key == "heavy"
    assert weight <= 5_000 * 50 <= weight + summary.error
