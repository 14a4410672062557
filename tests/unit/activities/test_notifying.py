"""What the stage report puts into the outbox, and how long it took."""

import pytest

from activities import report
from d2c.clients.azure.lake import Lake
from d2c.state import paths
from d2c.state.outbox import OUTBOX
from tests.builders import EXPORT_TIME, a_load, a_record, some_sums
from tests.unit.clients.settings import local_settings
from tests.unit.file_system import SubstituteFileSystem

from .answers import value_of
from .fakes import World

SETTINGS = local_settings(
    D2C_WEBHOOK_URL="https://hooks.example.com", D2C_WEBHOOK_SECRET="whsec_" + "c2VjcmV0" * 4
)
STAGES = [{"stage": "report", "state": "running", "started_at": EXPORT_TIME}]
TABLE = {"table": "Music", "container": "music", "database": "shop", "region": "eu-west-1"}
ENDED = a_record(stages=STAGES, load=a_load(loaded=some_sums(documents=5, rejected=2)))


@pytest.fixture
def world():
    world = World(Lake(SubstituteFileSystem()))
    world.settings = SETTINGS
    plan = {"name": "m", "tables": [TABLE]}
    world.lake.write_json(paths.plan_path("m"), {"plan": plan, "accepted_at": EXPORT_TIME})
    world.lake.write_json(paths.tables_path("m"), {"tables": [TABLE]})
    return world


@pytest.fixture
def lake(world):
    return world.lake


def told(lake):
    events = [lake.read_json(f"{OUTBOX}{name}") for name in lake.sizes(OUTBOX)]
    return {event["type"]: event["data"] for event in events}


def test_a_table_that_ended_is_told_once_with_its_rejected_items(world, lake):
    for _ in range(3):
        value_of(world.answer(report.write_table_report, ENDED))
    assert len(lake.sizes(OUTBOX)) == 2
    ended = told(lake)["d2c.table.ended"]
    assert (ended["table"], ended["state"], ended["round"]) == ("Music", "succeeded", 0)
    assert (ended["items_exported"], ended["items_written"], ended["items_rejected"]) == (7, 5, 2)
    assert told(lake)["d2c.items.rejected"]["items_rejected"] == 2


def test_a_report_that_began_by_a_clock_ahead_of_this_one_took_no_time(world, lake):
    stages = [{**STAGES[0], "started_at": "2999-01-01T00:00:00+00:00"}]
    value_of(world.answer(report.write_table_report, {**ENDED, "stages": stages}))
    (stage,) = lake.read_json(paths.table_report_path("m", "Music"))["stages"]
    assert (stage["state"], stage["seconds"]) == ("succeeded", 0)


def test_a_table_that_is_retried_ends_again(world, lake):
    for number in (0, 1):
        value_of(world.answer(report.write_table_report, {**ENDED, "round": number}))
    assert len(lake.sizes(OUTBOX)) == 4


def test_a_revisit_ends_no_table(world, lake):
    value_of(
        world.answer(report.write_table_report, {**ENDED, "revisits": [{"operation": "verify", "number": 1}]})
    )
    assert told(lake) == {}


def test_a_migration_that_ended_is_told_once_with_its_tables_states(world, lake):
    value_of(world.answer(report.write_table_report, ENDED))
    for _ in range(3):
        value_of(world.answer(report.write_report, {"migration": "m", "state": "succeeded", "error": None}))
    assert told(lake)["d2c.migration.ended"] == {
        "migration": "m",
        "round": 0,
        "state": "succeeded",
        "counts": {"succeeded": 1},
    }
    assert len(lake.sizes(OUTBOX)) == 3


def test_the_end_of_a_retry_is_told_too(world, lake):
    for number in (0, 1):
        if number:
            lake.write_json(paths.operation_path("m", "retry", number), {})
        value_of(world.answer(report.write_table_report, {**ENDED, "round": number}))
        value_of(world.answer(report.write_report, {"migration": "m", "state": "succeeded", "error": None}))
    events = [lake.read_json(f"{OUTBOX}{name}") for name in lake.sizes(OUTBOX)]
    ends = [event["data"]["round"] for event in events if event["type"] == "d2c.migration.ended"]
    assert sorted(ends) == [0, 1]
