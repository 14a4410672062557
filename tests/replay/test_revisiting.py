import pytest

from orchestrators import long_run, revisiting
from tests.replay.world import World, orchestrator_functions
from tests.unit.records import FOLDER, record

ORCHESTRATORS = orchestrator_functions(long_run, revisiting)
WAITS = {"first_seconds": 1, "factor": 2, "longest_seconds": 8}
VERIFIED = {"missing": 0, "unexpected": 0, "different": 0}
FOUND = {
    "error": None,
    "replayed": {
        "lines": 3,
        "documents": 2,
        "expired": 0,
        "document_bytes": 9,
        "rejected": 1,
        "rejected_by_reason": {"missing_key": 1},
    },
    "verification": VERIFIED,
    "result_path": f"{FOLDER}/replay-2-1/result.json",
}


def asked(*tables, **changes):
    entries = [
        {"table": name, "database": "d", "container": name, "rules": {"numbers": "exact"}, "verify": None}
        for name in tables
    ]
    return {
        "migration": "music-2026",
        "migration_state": "succeeded",
        "operation": "replay",
        "number": 2,
        "tables": entries,
        "max_parallel_tables": 2,
        "waits": WAITS,
        **changes,
    }


def failing(**marks):
    plain = {"title": "t", "detail": "it broke", "next_step": "mend it"}
    return {"error": {**plain, "transient": False, "another_run": False, "cancelled": False, **marks}}


def world(**changes):
    answers = {
        "read_table_record": lambda payload: {"value": record(table=payload["table"])},
        "start_load": {"value": 17},
        "look_at_load": {"value": {"state": "succeeded", "result": FOUND}},
        "stop_load": {"value": None},
        "write_table_report": {"value": None},
        "write_report": {"value": None},
        **changes,
    }
    activities = {
        name: answer if callable(answer) else (lambda payload, answer=answer: answer)
        for name, answer in answers.items()
    }
    return World(activities, ORCHESTRATORS)


def test_a_table_is_revisited_by_one_load_run_and_its_report_written_anew():
    here = world()
    end = here.run("revisit", asked("Music"))
    assert end == {"state": "succeeded", "tables": {"succeeded": 1}, "error": None}
    assert [name for name, _ in here.calls] == [
        "read_table_record",
        "start_load",
        "look_at_load",
        "write_table_report",
        "write_report",
    ]
    (payload,) = here.called("start_load")
    assert payload["revisit"]["stages"] == ["replay", "verify"]
    assert payload["revisit"]["rules_history"] == [{"numbers": "reject"}, {"numbers": "exact"}]
    (written,) = here.called("write_table_report")
    assert written["load"]["loaded"]["documents"] == 8
    assert [revisit["number"] for revisit in written["revisits"]] == [2]
    assert here.called("write_report") == [{"migration": "music-2026", "state": "succeeded"}]


def test_the_migrations_own_end_stays_in_the_report():
    here = world()
    here.run("revisit", asked("Music", migration_state="failed"))
    assert here.called("write_report") == [{"migration": "music-2026", "state": "failed"}]


def test_instances_are_called_after_migration_table_and_number():
    here = world()
    here.run("revisit", asked("Music"), "music-2026::replay-2")
    assert set(here.instances) == {
        "music-2026::replay-2",
        "music-2026:Music:replay-2",
        "music-2026:Music:replay-2-run",
    }


def test_the_time_of_the_end_is_the_orchestrations_own():
    here = world()
    here.run("revisit", asked("Music"))
    (written,) = here.called("write_table_report")
    assert written["revisits"][0]["finished_at"].startswith("2026-06-01T00:00:00")


def test_no_more_tables_at_once_than_the_plan_allows():
    here = world()
    end = here.run("revisit", asked("Music", "Films", "Books", max_parallel_tables=1))
    assert end["tables"] == {"succeeded": 3}
    assert max(status.get("running", 0) for status in here.statuses if "running" in status) == 1


def test_a_revisit_of_no_table_succeeds():
    here = world()
    assert here.run("revisit", asked())["state"] == "succeeded"
    assert [name for name, _ in here.calls] == ["write_report"]


@pytest.mark.parametrize("broken", ["read_table_record", "start_load", "look_at_load", "write_table_report"])
def test_a_failure_names_its_table_and_does_not_stop_the_others(broken):
    def answer(payload):
        return failing() if payload["table"] == "Music" else good(payload)

    good = world().activities[broken]
    here = world(**{broken: answer})
    end = here.run("revisit", asked("Music", "Films"))
    assert (end["state"], end["tables"]) == ("failed", {"failed": 1, "succeeded": 1})
    assert end["error"]["detail"] == "Table Music: it broke"
    if broken != "write_table_report":
        assert [payload["table"] for payload in here.called("write_table_report")] == ["Films"]


def test_a_load_run_that_found_a_fault_leaves_record_and_report_as_they_are():
    found = {**FOUND, "error": failing()["error"] | {"stage": "verify"}}
    here = world(look_at_load={"value": {"state": "succeeded", "result": found}})
    end = here.run("revisit", asked("Music"))
    assert (end["state"], end["error"]["stage"]) == ("failed", "verify")
    assert here.called("write_table_report") == []


def test_cancelling_stops_the_load_run_and_leaves_record_and_report_as_they_are():
    here = world(look_at_load=failing(cancelled=True))
    end = here.run("revisit", asked("Music"))
    assert (end["state"], end["tables"]) == ("cancelled", {"cancelled": 1})
    assert len(here.called("stop_load")) == 1
    assert here.called("write_table_report") == []


def test_a_report_that_cannot_be_written_fails_the_revisit():
    end = world(write_report=failing()).run("revisit", asked("Music"))
    assert (end["state"], end["error"]["detail"]) == ("failed", "it broke")
