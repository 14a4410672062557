import json
from datetime import datetime

import pytest

from d2c.clients.azure.lake import Lake
from d2c.state.outbox import (
    FAILED,
    ITEMS_REJECTED,
    MIGRATION_ENDED,
    OUTBOX,
    SENT,
    TABLE_ENDED,
    notify,
    notify_of_table,
)
from tests.unit.clients.settings import local_settings
from tests.unit.file_system import SubstituteFileSystem
from tests.unit.pages import json_blocks

URL = "https://hooks.example.com/in?token=secret-token"
SECRET = "whsec_" + "c2VjcmV0" * 4
SETTINGS = local_settings(D2C_WEBHOOK_URL=URL, D2C_WEBHOOK_SECRET=SECRET, D2C_LAKE_FILE_SYSTEM="lake")
ENDED = {
    "table": "Music",
    "operation": 0,
    "state": "succeeded",
    "stage": "report",
    "error": None,
    "items_exported": 7,
    "items_written": 7,
    "items_rejected": 0,
}


@pytest.fixture
def lake():
    return Lake(SubstituteFileSystem())


def events(lake, folder=OUTBOX):
    return [lake.read_json(f"{folder}{name}") for name in lake.sizes(folder)]


def test_an_event_is_a_cloud_event_that_says_where_it_is_from_and_what_it_is_about(lake):
    notify(lake, SETTINGS, TABLE_ENDED, "m", "Music", {"state": "failed"}, 0)
    (event,) = events(lake)
    assert {name: event[name] for name in event if name not in ("id", "time")} == {
        "specversion": "1.0",
        "source": "/d2c/lakeaccount/lake",
        "type": "d2c.table.ended",
        "subject": "m/Music",
        "datacontenttype": "application/json",
        "data": {"migration": "m", "table": "Music", "state": "failed"},
    }
    assert datetime.fromisoformat(event["time"]).tzinfo
    assert list(lake.sizes(OUTBOX)) == [f"{event['id']}.json"]


def test_an_event_of_a_whole_migration_names_no_table(lake):
    notify(lake, SETTINGS, MIGRATION_ENDED, "m", None, {"state": "failed"}, 0)
    (event,) = events(lake)
    assert (event["subject"], event["data"]) == ("m", {"migration": "m", "state": "failed"})


def test_the_same_thing_told_a_hundred_times_is_one_event_with_the_time_of_the_first(lake):
    notify(lake, SETTINGS, TABLE_ENDED, "m", "Music", {"state": "failed"}, 0)
    first = events(lake)
    for _ in range(99):
        notify(lake, SETTINGS, TABLE_ENDED, "m", "Music", {"state": "failed"}, 0)
    assert events(lake) == first


@pytest.mark.parametrize("folder", [SENT, FAILED])
def test_what_was_delivered_or_given_up_is_not_told_again(lake, folder):
    notify(lake, SETTINGS, TABLE_ENDED, "m", "Music", {}, 0)
    (name,) = lake.sizes(OUTBOX)
    lake.write(f"{folder}{name}", lake.read(f"{OUTBOX}{name}"))
    lake.delete(f"{OUTBOX}{name}")
    notify(lake, SETTINGS, TABLE_ENDED, "m", "Music", {}, 0)
    assert events(lake) == []


@pytest.mark.parametrize(
    "other",
    [
        (ITEMS_REJECTED, "m", "Music", 0),
        (TABLE_ENDED, "n", "Music", 0),
        (TABLE_ENDED, "m", "Other", 0),
        (TABLE_ENDED, "m", "Music", 1),
        (TABLE_ENDED, "m", None, "Music", 0),
    ],
)
def test_what_differs_in_kind_migration_table_or_round_is_another_event(lake, other):
    notify(lake, SETTINGS, TABLE_ENDED, "m", "Music", {}, 0)
    kind, migration, table, *identity = other
    notify(lake, SETTINGS, kind, migration, table, {}, *identity)
    assert len(events(lake)) == 2


def test_without_a_webhook_nothing_is_written(lake):
    notify_of_table(lake, local_settings(), "m", {**ENDED, "items_rejected": 2})
    assert events(lake) == []


def test_a_table_that_ended_is_told_with_its_counts(lake):
    notify_of_table(lake, SETTINGS, "m", ENDED)
    (event,) = events(lake)
    assert event["type"] == TABLE_ENDED
    assert event["data"] == {"migration": "m", **ENDED}


def test_an_error_is_told_without_its_detail_which_may_hold_something_of_an_item(lake):
    error = {
        "title": "A logical partition is too large",
        "detail": 'The logical partition "alice@example.com" would hold at least 21 GB.',
        "next_step": "Name up to three attributes.",
        "transient": False,
    }
    notify_of_table(lake, SETTINGS, "m", {**ENDED, "state": "failed", "error": error})
    (event,) = events(lake)
    told = {"title": "A logical partition is too large", "next_step": "Name up to three attributes."}
    assert event["data"]["error"] == told
    assert "alice" not in json.dumps(event)


@pytest.mark.parametrize("rejected", [None, 0])
def test_without_rejected_items_none_are_told(lake, rejected):
    notify_of_table(lake, SETTINGS, "m", {**ENDED, "items_rejected": rejected})
    assert [event["type"] for event in events(lake)] == [TABLE_ENDED]


def test_rejected_items_are_told_by_their_number(lake):
    notify_of_table(lake, SETTINGS, "m", {**ENDED, "items_rejected": 2})
    (event,) = [event for event in events(lake) if event["type"] == ITEMS_REJECTED]
    assert event["data"] == {
        "migration": "m",
        "table": "Music",
        "operation": 0,
        "items_rejected": 2,
        "items_exported": 7,
    }


def test_an_event_holds_no_secret(lake):
    notify(lake, SETTINGS, MIGRATION_ENDED, "m", None, {}, 0)
    text = json.dumps(events(lake))
    assert not [secret for secret in (URL, "secret-token", SECRET) if secret in text]


def test_the_page_shows_each_kind_with_the_fields_that_events_have(lake):
    notify(lake, SETTINGS, TABLE_ENDED, "m", "Music", {}, 0)
    (event,) = events(lake)
    shown = json_blocks("operate/notifications.md")
    assert {example["type"] for example in shown} == {
        "d2c.table.ended",
        "d2c.items.rejected",
        "d2c.table.stalled",
        "d2c.migration.ended",
    }
    assert all(example.keys() == event.keys() for example in shown)
