import pytest

from orchestrators import migrate_table, run_to_its_end
from tests.builders import (
    a_copy,
    a_described,
    a_load,
    a_source,
    a_stage,
    a_table,
    a_verification,
    an_error,
    an_export,
    some_sums,
)
from tests.replay.world import World, orchestrator_functions

ORCHESTRATORS = orchestrator_functions(run_to_its_end, migrate_table)
TABLE = a_table()
LOADED = a_load(
    loaded=some_sums(documents=5, rejected=1, expired=1),
    verification=a_verification(unexpected=2, different=1),
)
STAGE_ACTIVITIES = [
    "describe_source",
    "start_export",
    "look_at_export",
    "start_copy",
    "look_at_copy",
    "describe_container",
    "start_prepare",
    "look_at_prepare",
    "start_load",
    "look_at_load",
]


def ended(result):
    return {"value": {"state": "succeeded", "result": result}}


def failing(**marks):
    return {"error": an_error(**marks)}


def world(**changes):
    answers = {
        "look_at_start": ended(True),
        "describe_source": {"value": a_source()},
        "start_export": {"value": "export-arn"},
        "look_at_export": ended(an_export()),
        "start_copy": {"value": "copy-id"},
        "look_at_copy": ended(a_copy()),
        "stop_copy": {"value": None},
        "describe_container": {"value": a_described()},
        "start_prepare": {"value": "created"},
        "look_at_prepare": ended({}),
        "start_load": {"value": 17},
        "look_at_load": ended(LOADED),
        "stop_load": {"value": None},
        "restore_throughput": {"value": {"after_ru_per_second": 1000}},
        "write_table_report": {"value": None},
        **changes,
    }

    def answering(answer):
        return answer if callable(answer) else lambda payload: answer

    return World({name: answering(answer) for name, answer in answers.items()}, ORCHESTRATORS)


def waiting_once(kind, **waiting):
    """Return a substitute for `look_at_start` that lets a kind of stage wait once."""
    waited = []

    def look(payload):
        if payload["kind"] == kind and not waited:
            waited.append(kind)
            return {"value": {"state": "running", "progress": {"waiting": waiting}}}
        return ended(True)

    return look


def test_a_table_goes_through_all_stages_in_order():
    here = world()
    assert here.run("migrate_table", TABLE) == {"table": "Music", "state": "succeeded", "error": None}
    called = [name for name, _ in here.calls if name != "look_at_start"]
    assert called == [*STAGE_ACTIVITIES, "restore_throughput", "write_table_report"]
    (record,) = here.called("write_table_report")
    stages = ["export", "copy", "prepare", "assess", "load", "verify", "report"]
    assert [stage["stage"] for stage in record["stages"]] == stages
    assert [stage["state"] for stage in record["stages"]] == ["succeeded"] * 6 + ["running"]


def test_the_counts_are_in_the_status():
    here = world()
    here.run("migrate_table", TABLE)
    shown = {
        "items_exported": 7,
        "items_written": 5,
        "items_rejected": 1,
        "items_expired": 1,
        "mismatches": 3,
    }
    assert shown.items() <= here.statuses[-1].items()


def test_long_stages_run_under_ids_made_of_the_migrations_and_the_tables():
    here = world()
    here.run("migrate_table", TABLE)
    assert {"m:Music:export", "m:Music:copy", "m:Music:prepare", "m:Music:load"} <= here.instances.keys()


@pytest.mark.parametrize("broken", STAGE_ACTIVITIES)
def test_a_failure_in_any_stage_is_reported_with_its_stage_and_nothing_later_begins(broken):
    here = world(**{broken: failing()})
    end = here.run("migrate_table", TABLE)
    assert (end["state"], end["error"]["detail"]) == ("failed", "it broke")
    assert end["error"]["stage"] in ("export", "copy", "prepare", "assess")
    later = STAGE_ACTIVITIES[STAGE_ACTIVITIES.index(broken) + 1 :]
    assert not set(later) & {name for name, _ in here.calls}
    (record,) = here.called("write_table_report")
    assert record["error"]["detail"] == "it broke"


@pytest.mark.parametrize("broken", STAGE_ACTIVITIES[6:])
@pytest.mark.parametrize("marks", [{}, {"cancelled": True}])
def test_throughput_is_put_back_in_every_outcome_after_it_was_looked_at(broken, marks):
    here = world(**{broken: failing(**marks)})
    here.run("migrate_table", TABLE)
    (payload,) = here.called("restore_throughput")
    assert payload["described"] == a_described()


def test_throughput_that_was_never_touched_is_left_alone():
    for broken in STAGE_ACTIVITIES[:6]:
        here = world(**{broken: failing()})
        here.run("migrate_table", TABLE)
        assert here.called("restore_throughput") == []


@pytest.mark.parametrize(("looking", "stop"), [("look_at_copy", "stop_copy"), ("look_at_load", "stop_load")])
def test_cancelling_stops_the_run_outside_and_ends_as_cancelled(looking, stop):
    here = world(**{looking: failing(cancelled=True)})
    assert here.run("migrate_table", TABLE)["state"] == "cancelled"
    assert len(here.called(stop)) == 1
    assert here.statuses[-1]["state"] == "cancelled"


def test_a_load_run_that_found_faults_fails_the_table_in_the_stage_that_found_them():
    stages = [a_stage("assess", state="failed")]
    found = {**LOADED, "state": "failed", "stages": stages, "error": failing()["error"] | {"stage": "assess"}}
    here = world(look_at_load=ended(found))
    end = here.run("migrate_table", TABLE)
    assert (end["state"], end["error"]["stage"]) == ("failed", "assess")


def test_throughput_that_cannot_be_put_back_fails_the_table_with_its_reason():
    end = world(restore_throughput=failing()).run("migrate_table", TABLE)
    assert (end["state"], end["error"]["detail"]) == ("failed", "it broke")


def test_throughput_that_cannot_be_put_back_after_a_failure_is_told_beside_it():
    here = world(look_at_load=failing(), restore_throughput=failing(detail="it stays", next_step="lower it"))
    error = here.run("migrate_table", TABLE)["error"]
    assert error["stage"] == "assess"
    assert error["detail"].startswith("it broke")
    assert "it stays" in error["detail"]
    assert error["next_step"].endswith("lower it")


def test_a_report_that_cannot_be_written_fails_the_table():
    assert world(write_table_report=failing()).run("migrate_table", TABLE)["state"] == "failed"


def test_export_copy_and_load_wait_for_their_turns():
    here = world()
    here.run("migrate_table", TABLE)
    assert [payload["kind"] for payload in here.called("look_at_start")] == ["exports", "copies", "loads"]
    names = [name for name, _ in here.calls]
    assert names.index("look_at_start") < names.index("describe_source")


@pytest.mark.parametrize(("kind", "stage"), [("exports", "export"), ("copies", "copy"), ("loads", "prepare")])
def test_what_a_stage_waits_for_is_in_the_status_until_it_begins(kind, stage):
    here = world(look_at_start=waiting_once(kind, **{"for": "window", "until": "2026-06-01T22:00:00+00:00"}))
    assert here.run("migrate_table", TABLE)["state"] == "succeeded"
    (waiting,) = [
        status for status in here.statuses if status and status.get("stage") and "waiting" in status
    ]
    assert (waiting["stage"], waiting["waiting"]["for"]) == (stage, "window")
    assert f"m:Music:{kind}-turn" in here.instances


@pytest.mark.parametrize(("kind", "stage"), [("exports", "export"), ("copies", "copy"), ("loads", "prepare")])
def test_a_table_that_is_cancelled_while_it_waits_ends_as_cancelled_in_the_stage_that_it_waited_for(
    kind, stage
):
    looks = iter([{"value": {"state": "running", "progress": {"waiting": {"for": "slot", "until": None}}}}])

    def look(payload):
        return next(looks, failing(cancelled=True)) if payload["kind"] == kind else ended(True)

    end = world(look_at_start=look).run("migrate_table", TABLE)
    assert (end["state"], end["error"]["stage"]) == ("cancelled", stage)


FOUND = {
    "source": a_source(),
    "export": an_export(),
    "copy": a_copy(),
    "described": a_described(peak_ru_per_second=9000),
}


@pytest.mark.parametrize(
    ("kept", "skipped"), [(["source", "export"], 3), (["source", "export", "copy"], 5), (list(FOUND), 6)]
)
def test_a_retry_does_not_repeat_what_earlier_rounds_found(kept, skipped):
    here = world()
    retried = {**TABLE, "round": 1, "found": {name: FOUND[name] for name in kept}}
    assert here.run("migrate_table", retried)["state"] == "succeeded"
    assert [name for name, _ in here.calls if name in STAGE_ACTIVITIES] == STAGE_ACTIVITIES[skipped:]
    (record,) = here.called("write_table_report")
    assert (record["export"], "found" in record) == (FOUND["export"], False)


def test_stages_of_a_retry_run_under_ids_and_attempts_of_their_own():
    here = world()
    here.run("migrate_table", {**TABLE, "round": 1, "found": {name: FOUND[name] for name in FOUND}})
    assert "m:Music:load:1" in here.instances
    assert [payload["attempt"] for payload in here.called("start_load")] == [11]


def test_an_export_that_others_copied_is_neither_exported_nor_copied():
    arrival = {name: FOUND[name] for name in ("source", "export", "copy")}
    here = world(start_arrival={"value": "folder"}, look_at_arrival=ended(arrival))
    assert here.run("migrate_table", {**TABLE, "arrived": {"folder": "f"}})["state"] == "succeeded"
    called = [name for name, _ in here.calls if name in STAGE_ACTIVITIES]
    assert called == STAGE_ACTIVITIES[5:]
