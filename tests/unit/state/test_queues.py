import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2c.state.queues import has_asked, may_go, unit_number

TB = 10**12


def ask(who, **more):
    return {"ask": who, **more}


def leave(who, by=None):
    return {"leave": who, "by": by or who}


def test_the_first_to_stand_in_the_log_has_the_first_unit():
    entries = [{"lane": 1, "turn": 0}, {"lane": 0, "turn": 0}, {"lane": 1, "turn": 1}]
    assert [unit_number(entries, *taken) for taken in ((1, 0), (0, 0), (1, 1))] == [0, 1, 2]


def test_a_turn_that_stands_twice_in_the_log_is_one():
    entries = [{"lane": 0, "turn": 0}, {"lane": 0, "turn": 0}, {"lane": 1, "turn": 0}, {"lane": 0, "turn": 0}]
    assert unit_number(entries, 0, 0) == 0
    assert unit_number(entries, 1, 0) == 1


def test_a_turn_that_is_not_in_the_log_has_no_unit():
    with pytest.raises(ValueError, match="turn 1 of lane 0 is not in the log"):
        unit_number([{"lane": 0, "turn": 0}, {"lane": 1, "turn": 1}], 0, 1)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1))
def test_each_turn_has_a_unit_of_its_own_and_none_is_left_out(taken):
    entries = [{"lane": lane, "turn": turn} for lane, turn in taken]
    assert sorted(unit_number(entries, *turn) for turn in set(taken)) == list(range(len(set(taken))))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1), st.data())
def test_a_unit_stays_the_same_however_the_log_grows(taken, data):
    entries = [{"lane": lane, "turn": turn} for lane, turn in taken]
    cut = data.draw(st.integers(1, len(taken)))
    for turn in set(taken[:cut]):
        assert unit_number(entries[:cut], *turn) == unit_number(entries, *turn)


def test_who_asked_first_goes_first():
    entries = [ask("a"), ask("b"), ask("c")]
    assert [may_go(entries, who, 2) for who in "abc"] == [True, True, False]
    assert [may_go([*entries, leave("b")], who, 2) for who in "ac"] == [True, True]


@pytest.mark.parametrize(
    ("entries", "who"),
    [([], "a"), ([ask("b")], "a"), ([ask("a"), leave("a")], "a"), ([ask("a"), leave("a"), ask("a")], "a")],
)
def test_who_has_not_asked_or_has_left_has_no_slot(entries, who):
    assert not may_go(entries, who, 5)


def test_an_ask_or_a_leave_that_stands_twice_counts_once():
    entries = [ask("a"), ask("a"), ask("b"), ask("c")]
    assert may_go(entries, "b", 2)
    assert not may_go([*entries, leave("b"), leave("b"), ask("d")], "d", 2)


def test_a_leave_that_is_told_before_its_ask_counts():
    assert may_go([leave("a"), ask("a"), ask("b")], "b", 1)


def test_a_slot_is_free_once_all_that_use_it_together_have_left():
    entries = [ask("group", of=3), ask("b"), leave("group", "x"), leave("group", "y"), leave("group", "x")]
    assert not may_go(entries, "b", 1)
    assert may_go(entries, "group", 1)
    assert may_go([*entries, leave("group", "z")], "b", 1)


def test_an_ask_that_has_left_has_still_asked():
    entries = [ask("a"), leave("a"), leave("b")]
    assert has_asked(entries, "a")
    assert not has_asked(entries, "b")


def test_those_with_a_slot_have_no_more_together_than_is_allowed():
    entries = [ask("a", bytes=60 * TB), ask("b", bytes=50 * TB), ask("c", bytes=1)]
    assert [may_go(entries, who, 9, 100 * TB) for who in "abc"] == [True, False, False]
    assert [may_go([*entries, leave("a")], who, 9, 100 * TB) for who in "bc"] == [True, True]
    assert [may_go(entries, who, 9) for who in "abc"] == [True, True, True]


def test_what_is_larger_than_is_allowed_goes_alone():
    entries = [ask("a", bytes=1), ask("b", bytes=150 * TB), ask("c", bytes=0)]
    assert [may_go(entries, who, 9, 100 * TB) for who in "abc"] == [True, False, False]
    assert [may_go([*entries, leave("a")], who, 9, 100 * TB) for who in "bc"] == [True, False]


@pytest.mark.parametrize("unknown", [{}, {"bytes": None}, {"bytes": 0}])
def test_a_size_that_is_unknown_counts_as_none(unknown):
    assert may_go([ask("a", bytes=100), ask("b", **unknown)], "b", 2, 100)


asks = st.lists(
    st.fixed_dictionaries({"of": st.integers(1, 3), "bytes": st.integers(0, 150)}), min_size=1, max_size=25
)


@given(asks=asks, cap=st.integers(1, 5), most=st.none() | st.just(100), seed=st.integers(0, 10**6))
def test_in_any_run_the_caps_hold_nobody_loses_a_slot_and_everybody_gets_one(asks, cap, most, seed):
    """Members ask, look, work and leave in an order by chance; some of what they append comes twice."""
    chance = random.Random(seed)
    entries, inside, done = [], set(), set()
    members = [(f"w{number}", f"m{member}") for number, one in enumerate(asks) for member in range(one["of"])]
    sizes = {f"w{number}": one["bytes"] for number, one in enumerate(asks)}
    size_of_group = {f"w{number}": one["of"] for number, one in enumerate(asks)}

    def append(entry):
        entries.extend([entry] * chance.choice((1, 1, 2)))

    for _ in range(10_000):
        if len(done) == len(members):
            break
        who, by = chance.choice([member for member in members if member not in done])
        if (who, by) in inside:
            inside.remove((who, by))
            done.add((who, by))
            append(leave(who, by))
        elif not has_asked(entries, who):
            append(ask(who, of=size_of_group[who], bytes=sizes[who]))
        elif may_go(entries, who, cap, most):
            inside.add((who, by))
        groups = {group for group, _ in inside}
        assert len(groups) <= cap
        assert all(may_go(entries, group, cap, most) for group in groups)
        if most is not None and len(groups) > 1:
            assert sum(sizes[group] for group in groups) <= most
    assert len(done) == len(members)
