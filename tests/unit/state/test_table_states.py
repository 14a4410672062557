from datetime import UTC, datetime, timedelta

import pytest

from d2c.state.table_states import named_tables, states_of_tables, waiting_until
from tests.unit.state.queues import claimed, ended, passed, queue, queue_file

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)


def listed(*names):
    return [{"table": name, "database": "shop", "container": name, "item_count": 5} for name in names]


def line(table, state="succeeded", number=0):
    return {"table": table, "state": state, "operation": number}


def states(*arguments):
    return {one.table: (one.state, one.operation) for one in states_of_tables(*arguments)}


def test_a_table_is_pending_until_a_lane_takes_it():
    found = queue(queue_file("a", "b"), claimed("export", "a"))
    assert states(listed("a", "b"), 0, found, []) == {"a": ("running", 0), "b": ("pending", 0)}


def test_a_table_that_waits_between_its_stages_runs():
    found = queue(queue_file("a"), claimed("export", "a"), passed("a", "export"))
    assert states(listed("a"), 0, found, []) == {"a": ("running", 0)}


def test_a_table_ends_by_its_line_in_the_log():
    found = queue(queue_file("a"), claimed("export", "a"))
    (ended_one,) = states_of_tables(listed("a"), 0, found, [line("a", "failed")])
    assert (ended_one.state, ended_one.end, ended_one.item_count) == ("failed", line("a", "failed"), 5)


def test_the_last_line_of_a_table_counts():
    found = queue(queue_file("a"), ended("a"))
    assert states(listed("a"), 0, found, [line("a", "failed"), line("a")]) == {"a": ("succeeded", 0)}


def test_a_table_that_ended_in_the_queue_alone_has_ended():
    found = queue(queue_file("a"), claimed("export", "a"), ended("a", "cancelled"))
    assert states(listed("a"), 0, found, []) == {"a": ("cancelled", 0)}


def test_a_line_of_an_earlier_operation_is_not_the_end_of_a_table_that_is_retried():
    before = [line("a", "failed"), line("b")]
    file = queue_file("a")
    assert states(listed("a", "b"), 1, queue(file), before) == {"a": ("pending", 1), "b": ("succeeded", 0)}
    again = queue(file, claimed("export", "a"))
    assert states(listed("a", "b"), 1, again, before)["a"] == ("running", 1)
    assert states(listed("a", "b"), 1, again, [*before, line("a", number=1)])["a"] == ("succeeded", 1)


def test_a_table_that_left_no_line_and_is_not_retried_broke_off():
    found = states(listed("a", "b"), 1, queue(queue_file("a")), [line("a", "failed")])
    assert found["b"] == ("failed", 0)


def test_until_a_retry_has_listed_its_tables_they_are_as_they_ended():
    assert states(listed("a", "b"), 1, None, [line("a", "failed")]) == {
        "a": ("failed", 0),
        "b": ("pending", 0),
    }


def test_tables_come_in_the_given_order():
    assert list(states(listed("b", "a"), 0, queue(queue_file("a", "b")), [])) == ["b", "a"]


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
