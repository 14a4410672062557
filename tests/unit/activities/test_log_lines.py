import logging

import pytest

from activities import (
    check,
    copy,
    existing_export,
    export,
    lanes,
    load,
    orphans,
    report,
    request_units,
    start,
    tables,
)
from activities.load_lane import index, prepare, scale
from activities.outcome import STAGE_OF_ACTIVITY, answer_of, fields_of
from d2c.errors import CancelledError, PermanentError, TransientError
from d2c.state.ids import run_key
from tests.builders import a_lane, an_operation

OF_MIGRATIONS = {
    *("list_tables", "look_at_start", "abandon"),
    *("list_checked_tables", "check_system", "check_tables", "sum_up_check"),
    *("stop_orphaned_runs", "release_orphaned_container", "end_orphaned_table", "read_orphaned_migration"),
}
OF_THE_STAGE_OF_THEIR_INPUT = {"take_tables", "pass_on", "end_table", "end_tables", "end_lost"}
MODULES = (
    existing_export, check, orphans, copy, export, index, load, lanes, prepare, report, request_units, scale,
    start, tables
)  # fmt: skip
ACTIVITIES = {
    name
    for module in MODULES
    for name, value in vars(module).items()
    if hasattr(value, "_function") and "activityTrigger" in str(value._function.get_trigger().type)
}
PAYLOAD = {"migration": "m", "operation": 0, "table": "Music", "attempt": 2}


def run(result, name="start_copy", payload=PAYLOAD):
    def activity(clients, payload):
        if isinstance(result, Exception):
            raise result
        return result

    activity.__name__ = name
    return answer_of(activity, lambda: None, payload)


def test_every_activity_is_of_a_stage_or_looks_after_a_whole_migration():
    assert STAGE_OF_ACTIVITY.keys() | OF_MIGRATIONS | OF_THE_STAGE_OF_THEIR_INPUT == ACTIVITIES
    assert not STAGE_OF_ACTIVITY.keys() & (OF_MIGRATIONS | OF_THE_STAGE_OF_THEIR_INPUT)


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
    assert line["run_key"] == run_key(an_operation(), "Music", "copy", 2)


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
        ("start_export", PAYLOAD, run_key(an_operation(), "Music", "export", 2)),
        ("look_at_copy", {**PAYLOAD, "operation": 3}, run_key(an_operation(operation=3), "Music", "copy", 2)),
        ("start_load", a_lane("load", attempt=2), run_key(an_operation(), "unit 0-0", "load", 2)),
        ("describe_source", {"migration": "m", "operation": 0, "table": "Music"}, None),
        ("look_at_prepare", a_lane("load", attempt=2), None),
    ],
)
def test_a_run_key_is_told_where_something_is_started_by_it(activity, payload, key):
    assert fields_of(activity, payload)["run_key"] == key


@pytest.mark.parametrize("activity", sorted(OF_THE_STAGE_OF_THEIR_INPUT))
def test_what_lanes_do_is_told_with_their_stage(activity):
    assert fields_of(activity, a_lane("copy"))["stage"] == "copy"


def test_what_is_told_of_a_whole_operation_has_no_stage():
    assert fields_of("look_at_start", an_operation())["stage"] is None


def test_a_unit_is_told_without_a_table(lines):
    run(17, "start_load", a_lane("load", attempt=1))
    (line,) = lines()
    assert (line["stage"], line["attempt"], line["migration"]) == ("load", 1, "m")
    assert "table" not in line


def test_looks_that_go_on_can_be_seen_by_who_debugs(caplog):
    with caplog.at_level(logging.DEBUG):
        run({"state": "running", "progress": {"done": 1}}, "look_at_copy")
    assert "{'done': 1}" in caplog.text
