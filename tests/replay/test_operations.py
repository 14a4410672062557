import pytest

from orchestrators import lane, operations, run_to_its_end
from tests.builders import a_load, a_verification, an_error, some_sums, the_waits
from tests.replay.lanes import Units
from tests.replay.world import World, orchestrator_functions
from tests.unit.records import FOLDER, record

ORCHESTRATORS = orchestrator_functions(lane, run_to_its_end, operations)
WAITS = the_waits()
VERIFIED = a_verification()
FOUND = a_load(
    replayed=some_sums(
        lines=3, documents=2, document_bytes=9, rejected=1, rejected_by_reason={"missing_key": 1}
    ),
    verification=VERIFIED,
    result_path=f"{FOLDER}/replay-2-1/result.json",
)


ASKED = {
    "migration": "music-2026",
    "migration_state": "succeeded",
    "operation": "replay",
    "number": 2,
    "waits": WAITS,
}


def failing(**marks):
    return {"error": an_error(**marks)}


def world(*tables, lane_count=2, **changes):
    """Return a world with units of one table each."""
    units = Units([[name] for name in tables])
    for unit in units.units:
        unit["tables"][0] |= {
            "database": "d",
            "container": unit["tables"][0]["table"],
            "rules": {"numbers": "exact"},
            "verify": None,
        }
    answers = {
        "list_revisited": {"value": {"lanes": min(lane_count, len(tables))}},
        "take_unit": units.take,
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


def ended_report(state):
    return [{"migration": "music-2026", "state": state, "error": None}]


def test_a_table_is_revisited_by_one_load_run_and_its_report_written_anew():
    here = world("Music")
    end = here.run("revisit", ASKED)
    assert end == {"state": "succeeded", "tables": {"succeeded": 1}, "error": None}
    assert [name for name, _ in here.calls] == [
        "list_revisited",
        "take_unit",
        "read_table_record",
        "start_load",
        "look_at_load",
        "write_table_report",
        "take_unit",
        "write_report",
    ]
    (payload,) = here.called("start_load")
    assert payload["revisit"]["stages"] == ["replay", "verify"]
    assert payload["revisit"]["rules_history"] == [{"numbers": "reject"}, {"numbers": "exact"}]
    (written,) = here.called("write_table_report")
    assert written["load"]["loaded"]["documents"] == 8
    assert [revisit["number"] for revisit in written["revisits"]] == [2]
    assert here.called("write_report") == ended_report("succeeded")


def test_the_migrations_own_end_stays_in_the_report():
    here = world("Music")
    here.run("revisit", {**ASKED, "migration_state": "failed"})
    assert here.called("write_report") == ended_report("failed")


def test_instances_are_called_after_migration_table_and_number():
    here = world("Music")
    here.run("revisit", ASKED, "music-2026::replay-2")
    assert set(here.instances) == {
        "music-2026::replay-2",
        "music-2026::lane-replay-2-0",
        "music-2026:Music:replay-2",
        "music-2026:Music:replay-2-run",
    }


def test_the_time_of_the_end_is_the_orchestrations_own():
    here = world("Music")
    here.run("revisit", ASKED)
    (written,) = here.called("write_table_report")
    assert written["revisits"][0]["finished_at"].startswith("2026-06-01T00:00:00")


def test_all_tables_are_revisited_in_as_many_lanes_as_the_plan_allows():
    here = world("Music", "Films", "Books", lane_count=1)
    end = here.run("revisit", ASKED)
    assert end["tables"] == {"succeeded": 3}
    assert [name for name in here.instances if "lane" in name] == ["music-2026::lane-replay-2-0"]


def test_a_revisit_of_no_table_succeeds():
    here = world()
    assert here.run("revisit", ASKED)["state"] == "succeeded"
    assert [name for name, _ in here.calls] == ["list_revisited", "write_report"]


@pytest.mark.parametrize("broken", ["read_table_record", "start_load", "look_at_load", "write_table_report"])
def test_a_failure_names_its_table_and_does_not_stop_the_others(broken):
    def answer(payload):
        return failing() if payload["table"] == "Music" else good(payload)

    good = world().activities[broken]
    here = world("Music", "Films", **{broken: answer})
    end = here.run("revisit", ASKED)
    assert (end["state"], end["tables"]) == ("failed", {"failed": 1, "succeeded": 1})
    assert end["error"]["detail"] == "Table Music: it broke"
    if broken != "write_table_report":
        assert [payload["table"] for payload in here.called("write_table_report")] == ["Films"]


def test_a_load_run_that_found_a_fault_leaves_record_and_report_as_they_are():
    found = {**FOUND, "error": failing()["error"] | {"stage": "verify"}}
    here = world("Music", look_at_load={"value": {"state": "succeeded", "result": found}})
    end = here.run("revisit", ASKED)
    assert (end["state"], end["error"]["stage"]) == ("failed", "verify")
    assert here.called("write_table_report") == []


def test_cancelling_stops_the_load_run_and_leaves_record_and_report_as_they_are():
    here = world("Music", look_at_load=failing(cancelled=True))
    end = here.run("revisit", ASKED)
    assert (end["state"], end["tables"]) == ("cancelled", {"cancelled": 1})
    assert len(here.called("stop_load")) == 1
    assert here.called("write_table_report") == []


def test_a_report_that_cannot_be_written_fails_the_revisit():
    end = world("Music", write_report=failing()).run("revisit", ASKED)
    assert (end["state"], end["error"]["detail"]) == ("failed", "it broke")
