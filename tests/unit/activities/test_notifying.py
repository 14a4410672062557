"""What the stage report puts into the outbox, and how long it took."""

import pytest

from activities import outcome, report
from d2c.clients.azure.lake import Lake
from d2c.state import paths
from d2c.state.outbox import OUTBOX
from tests.unit.clients.settings import local_settings
from tests.unit.file_system import SubstituteFileSystem

from .answers import value_of
from .test_report import RECORD

SETTINGS = local_settings(
    D2C_WEBHOOK_URL="https://hooks.example.com", D2C_WEBHOOK_SECRET="whsec_" + "c2VjcmV0" * 4
)
STAGES = [{"stage": "report", "state": "running", "started_at": "2026-06-01T12:00:00+00:00"}]
TABLE = {"table": "Music", "container": "music", "database": "shop", "region": "eu-west-1"}
ENDED = {
    **RECORD,
    **TABLE,
    "round": 0,
    "stages": STAGES,
    "started_at": "2026-06-01T12:00:00+00:00",
    "slots": {},
    "load_group": None,
    "load": {"loaded": {"documents": 5, "rejected": 2, "expired": 0}},
}


@pytest.fixture
def lake(monkeypatch):
    lake = Lake(SubstituteFileSystem())
    for module in (outcome, report):
        monkeypatch.setattr(module, "app_settings", lambda: SETTINGS)
        monkeypatch.setattr(module, "connect_lake", lambda settings: lake)
    plan = {"name": "m", "tables": [TABLE]}
    lake.write_json(paths.plan_path("m"), {"plan": plan, "accepted_at": "2026-06-01T12:00:00+00:00"})
    lake.write_json(paths.tables_path("m"), {"tables": [TABLE]})
    return lake


def told(lake):
    events = [lake.read_json(f"{OUTBOX}{name}") for name in lake.sizes(OUTBOX)]
    return {event["type"]: event["data"] for event in events}


def test_a_table_that_ended_is_told_once_with_its_rejected_items(lake):
    for _ in range(3):
        value_of(report.write_table_report(ENDED))
    assert len(lake.sizes(OUTBOX)) == 2
    ended = told(lake)["d2c.table.ended"]
    assert (ended["table"], ended["state"], ended["round"]) == ("Music", "succeeded", 0)
    assert (ended["items_exported"], ended["items_written"], ended["items_rejected"]) == (7, 5, 2)
    assert told(lake)["d2c.items.rejected"]["items_rejected"] == 2


def test_a_report_that_began_by_a_clock_ahead_of_this_one_took_no_time(lake):
    stages = [{**STAGES[0], "started_at": "2999-01-01T00:00:00+00:00"}]
    value_of(report.write_table_report({**ENDED, "stages": stages}))
    (stage,) = lake.read_json(paths.table_report_path("m", "Music"))["stages"]
    assert (stage["state"], stage["seconds"]) == ("succeeded", 0)


def test_a_table_that_is_retried_ends_again(lake):
    for number in (0, 1):
        value_of(report.write_table_report({**ENDED, "round": number}))
    assert len(lake.sizes(OUTBOX)) == 4


def test_a_revisit_ends_no_table(lake):
    value_of(report.write_table_report({**ENDED, "revisits": [{"operation": "verify", "number": 1}]}))
    assert told(lake) == {}


def test_a_migration_that_ended_is_told_once_with_its_tables_states(lake):
    value_of(report.write_table_report(ENDED))
    for _ in range(3):
        value_of(report.write_report({"migration": "m", "state": "succeeded", "error": None}))
    assert told(lake)["d2c.migration.ended"] == {
        "migration": "m",
        "round": 0,
        "state": "succeeded",
        "counts": {"succeeded": 1},
    }
    assert len(lake.sizes(OUTBOX)) == 3


def test_the_end_of_a_retry_is_told_too(lake):
    for number in (0, 1):
        if number:
            lake.write_json(paths.operation_path("m", "retry", number), {})
        value_of(report.write_table_report({**ENDED, "round": number}))
        value_of(report.write_report({"migration": "m", "state": "succeeded", "error": None}))
    events = [lake.read_json(f"{OUTBOX}{name}") for name in lake.sizes(OUTBOX)]
    ends = [event["data"]["round"] for event in events if event["type"] == "d2c.migration.ended"]
    assert sorted(ends) == [0, 1]
