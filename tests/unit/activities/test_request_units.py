"""What Azure Monitor counted is asked for once, after the loads of an operation, and fails nothing."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from activities.request_units import look_at_request_units
from d2c.errors import TransientError
from d2c.state import paths
from tests.builders import a_census, a_load, a_load_run_result, a_record, a_stage, an_operation
from tests.unit.clients.settings import local_settings

from .answers import value_of
from .fakes import World
from .queues import put_queue, some_tables

NOT_COUNTED = {"counted_ru": None, "used_part": None, "highest_use_percent": None}


@pytest.fixture
def world():
    return World()


def put_loaded(world, *names, seconds_ago=600.0, **changes):
    """Put tables that were loaded for ten minutes."""
    began = datetime.now(UTC) - timedelta(seconds=seconds_ago + 600)
    stage = {**a_stage("load"), "started_at": began.isoformat(), "seconds": 600.0}
    put_queue(world, *some_tables(*names))
    for name in names:
        load = a_load(result_path=f"{name}.json")
        record = a_record(table=name, container=name.lower(), stages=[stage], load=load, **changes)
        world.lake.write_json(f"{name}.json", a_load_run_result(census=a_census(write_ru=1000)))
        world.lake.write_json(paths.MigrationFiles("m").table(name).record, record)


def look(world):
    return value_of(world.answer(look_at_request_units, an_operation()))


def told(world, name):
    return json.loads(world.lake.files[paths.MigrationFiles("m").table(name).report])["request_units"]


def test_each_load_gets_what_was_counted_beside_its_estimate(world):
    world.metrics.counts = {"shop/orders": [240_000] * 11, "shop/music": [7]}
    put_loaded(world, "Orders", "Music", "Silent")
    assert look(world) == {"state": "succeeded", "result": 2}
    orders = told(world, "Orders")
    assert orders == {
        "estimated": 1150,
        "counted_ru": 11 * 240_000,
        "used_part": 1.0,
        "highest_use_percent": 99.0,
    }
    assert told(world, "Music")["used_part"] is None
    assert told(world, "Silent") == {"estimated": 1150, **NOT_COUNTED}
    start, end = world.metrics.asked[0]
    assert (start.second, end.second, end - start) == (0, 0, timedelta(minutes=11))


def test_it_waits_for_azure_monitor_to_have_counted_the_last_load(world):
    put_loaded(world, "Orders", seconds_ago=100)
    found = look(world)
    assert found["state"] == "running"
    assert 70 < found["look_again_within_seconds"] <= 80
    assert world.metrics.asked == []
    world.settings = local_settings(D2C_METRICS_LAG_SECONDS="0")
    assert look(world)["state"] == "succeeded"


def test_what_cannot_be_counted_stays_unknown_and_the_others_are_counted(world):
    world.metrics.counts = {"shop/orders": TransientError("busy", "wait"), "shop/music": [7]}
    put_loaded(world, "Orders", "Music")
    assert look(world) == {"state": "succeeded", "result": 1}
    assert paths.MigrationFiles("m").table("Orders").report not in world.lake.files
    assert told(world, "Music")["counted_ru"] == 7


@pytest.mark.parametrize("changes", [{"operation": 3}, {"consumed": NOT_COUNTED}])
def test_loads_of_other_operations_and_those_that_are_known_are_not_asked_for(world, changes):
    put_loaded(world, "Orders", **changes)
    assert look(world) == {"state": "succeeded", "result": 0}
    assert world.metrics.asked == []


def test_an_operation_that_listed_no_tables_has_nothing_to_count(world):
    assert look(world) == {"state": "succeeded", "result": 0}
