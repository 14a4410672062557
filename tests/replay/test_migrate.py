import pytest

from orchestrators import migration
from tests.replay.world import World, orchestrator_functions

WAITS = {"first_seconds": 1, "factor": 2, "longest_seconds": 8}


def world(states, report=None):
    """Return a world in which each table's migration ends in a given state."""

    def migrate_table(context):
        table = context.get_input()["table"]
        yield context.call_activity("note", table)
        return {"table": table, "state": states[table], "error": None}

    activities = {"note": lambda payload: None, "write_report": lambda payload: report or {"value": None}}
    return World(activities, {**orchestrator_functions(migration), "migrate_table": migrate_table})


def plan(names, at_once, containers=None):
    """Return a plan of tables with one-letter names; each goes to the container of that name, or the one given."""
    containers = containers or names
    tables = [
        {"table": name, "database": "d", "container": container}
        for name, container in zip(names, containers, strict=True)
    ]
    return {"migration": "m", "tables": tables, "max_parallel_tables": at_once, "waits": WAITS}


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_every_table_is_migrated_once_and_the_report_written(at_once):
    here = world(dict.fromkeys("abcde", "succeeded"))
    end = here.run("migrate", plan("abcde", at_once))
    assert end == {"state": "succeeded", "tables": {"succeeded": 5}}
    assert sorted(here.called("note")) == list("abcde")
    assert here.called("write_report") == [{"migration": "m", "state": "succeeded"}]


@pytest.mark.parametrize("at_once", [1, 2, 4])
def test_no_more_tables_than_allowed_run_at_once(at_once):
    here = world(dict.fromkeys("abcde", "succeeded"))
    here.run("migrate", plan("abcde", at_once))
    running = [status.get("running", 0) for status in here.statuses]
    assert max(running) == at_once


@pytest.mark.parametrize(("containers", "most"), [("xxxx", 1), ("xxyy", 2), ("xyxz", 3)])
def test_tables_that_share_a_container_take_turns(containers, most):
    here = world(dict.fromkeys("abcd", "succeeded"))
    here.run("migrate", plan("abcd", 4, containers))
    assert max(status.get("running", 0) for status in here.statuses) == most
    assert sorted(here.called("note")) == list("abcd")


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        ({"a": "failed", "b": "succeeded", "c": "cancelled"}, "failed"),
        ({"a": "cancelled", "b": "succeeded", "c": "succeeded"}, "cancelled"),
    ],
)
def test_a_table_that_ends_badly_does_not_stop_the_others_and_the_end_tells(states, whole):
    here = world(states)
    assert here.run("migrate", plan("abc", 1))["state"] == whole
    assert sorted(here.called("note")) == list("abc")


def test_a_report_that_cannot_be_written_fails_the_migration_with_its_reason():
    error = {"detail": "lake is full", "transient": False}
    end = world({"a": "succeeded"}, report={"error": error}).run("migrate", plan("a", 1))
    assert (end["state"], end["error"]["detail"]) == ("failed", "lake is full")
