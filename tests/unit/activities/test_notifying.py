"""What the end of tables and of operations puts into the outbox."""

import pytest

from activities.report import write_report
from activities.table_end import write_record
from d2c.clients.azure.lake import Lake
from d2c.state import paths
from d2c.state.outbox import OUTBOX
from tests.builders import EXPORT_TIME, a_load, a_record, a_verification, some_sums
from tests.unit.clients.settings import local_settings
from tests.unit.file_system import SubstituteFileSystem

from .answers import value_of
from .fakes import SubstituteClients, World

SETTINGS = local_settings(
    D2C_WEBHOOK_URL="https://hooks.example.com", D2C_WEBHOOK_SECRET="whsec_" + "c2VjcmV0" * 4
)
STAGES = [{"stage": "report", "state": "running", "started_at": EXPORT_TIME}]
TABLE = {"table": "Music", "container": "music", "database": "shop", "region": "eu-west-1"}
ENDED = a_record(stages=STAGES, load=a_load(loaded=some_sums(documents=5, rejected=2)))

OPERATION = {"number": 1, "finished_at": EXPORT_TIME, "items": None, "verification": a_verification()}


@pytest.fixture
def world():
    world = World(Lake(SubstituteFileSystem()))
    world.settings = SETTINGS
    plan = {"name": "m", "tables": [TABLE]}
    world.lake.write_json(paths.MigrationFiles("m").plan, {"plan": plan, "accepted_at": EXPORT_TIME})
    world.lake.write_json(paths.MigrationFiles("m").tables, {"tables": [TABLE]})
    return world


@pytest.fixture
def lake(world):
    return world.lake


def told(lake):
    events = [lake.read_json(f"{OUTBOX}{name}") for name in lake.sizes(OUTBOX)]
    return {event["type"]: event["data"] for event in events}


def end_table(world, **changes):
    write_record(SubstituteClients(world), {**ENDED, **changes})


def end(world, operation=0, kind="start"):
    payload = {"migration": "m", "operation": operation, "kind": kind, "error": None}
    value_of(world.answer(write_report, payload))


def test_a_table_that_ended_is_told_once_with_its_rejected_items(world, lake):
    for _ in range(3):
        end_table(world)
    assert len(lake.sizes(OUTBOX)) == 2
    ended = told(lake)["d2c.table.ended"]
    assert (ended["table"], ended["state"], ended["operation"]) == ("Music", "succeeded", 0)
    assert (ended["items_exported"], ended["items_written"], ended["items_rejected"]) == (7, 5, 2)
    assert told(lake)["d2c.items.rejected"]["items_rejected"] == 2


def test_a_table_that_is_retried_ends_again(world, lake):
    for number in (0, 1):
        end_table(world, operation=number)
    assert len(lake.sizes(OUTBOX)) == 4


@pytest.mark.parametrize("kind", ["verify", "replay"])
def test_a_verify_and_a_replay_end_no_table_and_no_migration(world, lake, kind):
    end_table(world, operations=[{**OPERATION, "operation": kind}])
    end(world, 1, kind)
    assert told(lake) == {}


def test_a_migration_that_ended_is_told_once_with_its_tables_states(world, lake):
    end_table(world)
    for _ in range(3):
        end(world)
    assert told(lake)["d2c.migration.ended"] == {
        "migration": "m",
        "operation": 0,
        "state": "succeeded",
        "counts": {"succeeded": 1},
    }
    assert len(lake.sizes(OUTBOX)) == 3


def test_the_end_of_a_retry_is_told_too(world, lake):
    for number, kind in enumerate(("start", "retry")):
        end_table(world, operation=number)
        end(world, number, kind)
    events = [lake.read_json(f"{OUTBOX}{name}") for name in lake.sizes(OUTBOX)]
    ends = [event["data"]["operation"] for event in events if event["type"] == "d2c.migration.ended"]
    assert sorted(ends) == [0, 1]
