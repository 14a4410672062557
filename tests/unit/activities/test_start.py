from datetime import UTC, datetime, timedelta

import pytest

from activities.start import LONGEST_WAIT_SECONDS, look_at_start
from d2c.state import paths
from tests.builders import EXPORT_TIME, an_operation

from .answers import error_of, value_of


def accept(world, **plan):
    world.lake.write_json(
        paths.MigrationFiles("m").plan, {"plan": {"name": "m", **plan}, "accepted_at": EXPORT_TIME}
    )


def look(world, **operation):
    return value_of(world.answer(look_at_start, an_operation(**operation)))


def waits_for(world, **operation):
    """Return what an operation waits for, or None if it may begin."""
    seen = look(world, **operation)
    return None if seen["state"] == "succeeded" else seen["progress"]["waiting"]["for"]


def in_hours(hours):
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


def clock(hour):
    """Return a window that is open, or shut, now: it begins so many hours from now and lasts one."""
    begin = datetime.now(UTC) + timedelta(hours=hour)
    return [(begin + timedelta(hours=hours)).strftime("%H:%M") for hours in (0, 1)]


def test_an_operation_without_anything_that_holds_it_back_may_begin(world):
    accept(world)
    assert look(world) == {"state": "succeeded", "result": True}


def test_a_plan_that_is_gone_is_left_to_who_needs_it(world):
    assert waits_for(world) is None


@pytest.mark.parametrize("operation", [{}, {"operation": 1, "kind": "retry"}])
def test_a_pause_holds_a_start_and_a_retry_back(world, operation):
    accept(world)
    world.lake.write_json(paths.MigrationFiles("m").pause, {})
    assert waits_for(world, **operation) == "pause"
    world.lake.delete(paths.MigrationFiles("m").pause)
    assert waits_for(world, **operation) is None


@pytest.mark.parametrize(("hours", "reason"), [(-24, None), (24, "start")])
def test_a_migration_begins_at_its_time(world, hours, reason):
    accept(world, start_at=in_hours(hours))
    assert waits_for(world) == reason


@pytest.mark.parametrize(("hour", "reason"), [(-0.5, None), (2, "window")])
def test_a_window_that_is_shut_holds_it_back(world, hour, reason):
    accept(world, between=clock(hour))
    assert waits_for(world) == reason


def test_where_its_time_has_come_and_the_window_is_shut_the_window_is_named(world):
    accept(world, start_at=in_hours(-24), between=clock(2))
    assert waits_for(world) == "window"


def test_a_pause_is_named_only_once_the_time_has_come(world):
    accept(world, start_at=in_hours(1))
    world.lake.write_json(paths.MigrationFiles("m").pause, {})
    assert waits_for(world) == "start"


def test_it_is_told_until_when_and_when_to_look_again_at_the_latest(world):
    accept(world, start_at=in_hours(5))
    seen = look(world)
    until = datetime.fromisoformat(seen["progress"]["waiting"]["until"])
    assert timedelta(hours=4.9) < until - datetime.now(UTC) <= timedelta(hours=5)
    assert seen["look_again_in_seconds"] == LONGEST_WAIT_SECONDS


def test_the_last_look_is_at_the_time_itself(world):
    accept(world, start_at=in_hours(0.5))
    assert 1790 < look(world)["look_again_in_seconds"] <= 1800


def test_a_start_that_is_cancelled_while_it_waits_is_told(world):
    accept(world, start_at=in_hours(24))
    world.cancel()
    error_of(world.answer(look_at_start, an_operation()), "cancelled")


def test_single_tables_that_are_cancelled_do_not_stop_the_others(world):
    accept(world)
    world.cancel("Music")
    assert waits_for(world) is None


def test_a_cancelled_start_does_not_stop_its_retry(world):
    accept(world)
    world.cancel()
    assert waits_for(world, operation=1, kind="retry") is None
