from datetime import UTC, datetime, timedelta

import pytest

from d2c.state.table_states import named_tables, states_of_tables, waiting_until

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)


def listed(*names, **containers):
    return [
        {"table": name, "database": "shop", "container": containers.get(name, name), "item_count": 5}
        for name in names
    ]


def line(table, state="succeeded", number=0):
    return {"table": table, "state": state, "round": number}


def turn(lane, number=0):
    return {"lane": lane, "turn": number}


def states(*arguments):
    return {one.table: (one.state, one.retry) for one in states_of_tables(*arguments)}


def test_a_table_is_pending_until_a_lane_takes_its_unit():
    units = [["a"], ["b"], ["c"]]
    assert states(listed("a", "b", "c"), 0, units, [turn(0), turn(1)], []) == {
        "a": ("running", 0),
        "b": ("running", 0),
        "c": ("pending", 0),
    }


def test_a_turn_that_stands_twice_takes_one_unit():
    assert states(listed("a", "b"), 0, [["a"], ["b"]], [turn(0), turn(0)], [])["b"] == ("pending", 0)


def test_more_turns_than_units_are_lanes_that_found_none():
    assert states(listed("a"), 0, [["a"]], [turn(0), turn(1), turn(2)], []) == {"a": ("running", 0)}


def test_tables_that_share_a_load_run_are_under_way_together():
    found = states(listed("a", "b"), 0, [["a", "b"]], [turn(0)], [])
    assert set(found.values()) == {("running", 0)}


def test_tables_that_share_a_container_take_turns():
    tables = listed("a", "b", "c", a="all", b="all", c="all")
    assert states(tables, 0, [["a", "b", "c"]], [turn(0)], [line("a", "failed")]) == {
        "a": ("failed", 0),
        "b": ("running", 0),
        "c": ("pending", 0),
    }


def test_a_line_of_an_earlier_round_is_not_the_end_of_a_table_that_is_retried():
    ended = [line("a", "failed"), line("b")]
    assert states(listed("a", "b"), 1, [["a"]], [], ended) == {"a": ("pending", 1), "b": ("succeeded", 0)}
    assert states(listed("a", "b"), 1, [["a"]], [turn(0)], ended)["a"] == ("running", 1)
    assert states(listed("a", "b"), 1, [["a"]], [turn(0)], [*ended, line("a", number=1)])["a"] == (
        "succeeded",
        1,
    )


def test_a_table_that_left_no_line_and_is_not_retried_is_to_be_looked_at():
    assert states(listed("a", "b"), 1, [["a"]], [], [line("a", "failed")])["b"] == ("running", 0)


def test_nothing_is_known_of_a_retry_that_has_not_listed_its_tables():
    assert states(listed("a"), 1, [], [], [line("a", "failed")]) == {"a": ("failed", 0)}


def test_a_plan_names_what_is_no_pattern():
    tables = [{"table": "*"}, {"table": "shop-*"}, {"table": "Music"}]
    assert named_tables({"tables": tables}) == [{"table": "Music"}]


def test_without_times_nothing_is_waited_for():
    assert waiting_until({}, NOW) is None


@pytest.mark.parametrize(("hours", "waits"), [(5, True), (0, False), (-5, False)])
def test_a_start_that_is_still_to_come_is_waited_for(hours, waits):
    start_at = NOW + timedelta(hours=hours)
    assert waiting_until({"start_at": start_at.isoformat()}, NOW) == (start_at if waits else None)


@pytest.mark.parametrize(
    ("between", "opens"),
    [(["10:00", "13:00"], None), (["22:00", "06:00"], "22:00"), (["14:30", "15:00"], "14:30")],
)
def test_a_window_that_is_shut_is_waited_for(between, opens):
    found = waiting_until({"between": between, "time_zone": "UTC"}, NOW)
    assert (found and f"{found:%H:%M}") == opens


def test_a_window_that_is_shut_at_the_start_is_waited_for_after_it():
    plan = {"start_at": "2026-02-03T12:00:00+00:00", "between": ["22:00", "06:00"]}
    assert waiting_until(plan, NOW) == datetime(2026, 2, 3, 22, tzinfo=UTC)
