import logging

import pytest

from activities import (
    check,
    copy,
    existing_export,
    export,
    load,
    orphans,
    prepare,
    report,
    turns,
    units,
)
from activities.outcome import STAGE_OF_ACTIVITY, answer_of, fields_of
from d2c.errors import CancelledError, PermanentError, TransientError
from d2c.state.ids import run_key

OF_MIGRATIONS = {
    *("list_tables", "list_revisited", "take_unit", "look_at_start", "look_at_places", "read_table_record"),
    *("list_checked_tables", "check_system", "check_tables", "sum_up_check"),
    *("stop_left_runs", "free_left_container", "read_left_table", "read_left_migration"),
}
MODULES = (
    existing_export, check, orphans, copy, export, load, units, prepare, report, turns
)  # fmt: skip
ACTIVITIES = {
    name
    for module in MODULES
    for name, value in vars(module).items()
    if hasattr(value, "_function") and "activityTrigger" in str(value._function.get_trigger().type)
}
PAYLOAD = {"migration": "m", "table": "Music", "attempt": 2}


def run(result, name="start_copy", payload=PAYLOAD):
    def activity(clients, payload):
        if isinstance(result, Exception):
            raise result
        return result

    activity.__name__ = name
    return answer_of(activity, lambda: None, payload)


def test_every_activity_is_of_a_stage_or_looks_after_a_whole_migration():
    assert STAGE_OF_ACTIVITY.keys() | OF_MIGRATIONS == ACTIVITIES
    assert not STAGE_OF_ACTIVITY.keys() & OF_MIGRATIONS


def test_a_start_tells_what_it_started_with_migration_table_stage_and_run_key(lines):
    run("run-17")
    (line,) = lines()
    assert line["message"] == "start_copy: run-17"
    assert {name: line[name] for name in ("migration", "table", "stage", "attempt", "activity")} == {
        "migration": "m",
        "table": "Music",
        "stage": "copy",
        "attempt": 2,
        "activity": "start_copy",
    }
    assert line["run_key"] == run_key("m", "Music", "copy", 2)


def test_a_line_about_a_plans_check_says_of_which(lines):
    run({"path": "checks/check-m.0123/aws.json"}, "check_system", {"check": "check-m.0123", "system": "aws"})
    (line,) = lines()
    assert (line["check"], line["activity"]) == ("check-m.0123", "check_system")
    assert "migration" not in line


def test_a_look_is_worth_a_line_only_at_the_end(lines):
    run({"state": "running", "progress": {"done": 1}}, "look_at_copy")
    assert lines() == []
    run({"state": "succeeded", "result": {}}, "look_at_copy")
    assert [line["message"] for line in lines()] == ["look_at_copy: done"]


@pytest.mark.parametrize(
    ("error", "level", "words"),
    [
        (TransientError("no answer", "It is tried again."), "WARNING", "may heal and is tried again"),
        (PermanentError("no such table", "Check it."), "WARNING", "does not heal"),
        (CancelledError("m"), "INFO", "Migration m was cancelled."),
    ],
)
def test_a_failure_is_one_line_that_says_whether_it_is_tried_again(lines, error, level, words):
    run(error)
    (line,) = lines()
    assert line["level"] == level
    assert words in line["message"]
    assert line["stage"] == "copy"


def test_what_goes_wrong_unexpectedly_has_the_same_fields(lines):
    run(KeyError("folder"))
    (line,) = lines()
    assert (line["level"], line["migration"], line["stage"]) == ("ERROR", "m", "copy")


@pytest.mark.parametrize(
    ("activity", "payload", "key"),
    [
        ("start_load", PAYLOAD, run_key("m", "Music", "load", 2)),
        ("look_at_load", {**PAYLOAD, "revisit": {"name": "verify-1"}}, run_key("m", "Music", "verify-1", 2)),
        ("start_load", {**PAYLOAD, "load_group": {"id": "g"}}, None),
        ("describe_source", {"migration": "m", "table": "Music"}, None),
        ("look_at_prepare", PAYLOAD, None),
    ],
)
def test_a_run_key_is_told_where_something_is_started_by_it(activity, payload, key):
    assert fields_of(activity, payload)["run_key"] == key


def test_whose_turn_it_is_is_asked_for_a_stage():
    assert fields_of("look_at_start", {**PAYLOAD, "kind": "exports"})["stage"] == "export"
    assert fields_of("look_at_start", {"migration": "m"})["stage"] is None


def test_looks_that_go_on_can_be_seen_by_who_debugs(caplog):
    with caplog.at_level(logging.DEBUG):
        run({"state": "running", "progress": {"done": 1}}, "look_at_copy")
    assert "{'done': 1}" in caplog.text
