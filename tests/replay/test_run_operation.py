from itertools import count

import pytest

from benchmarks.replaying import orchestrator_functions
from orchestrators import run_operation, run_to_its_end
from orchestrators.run_operation import MOST_LOSSES
from tests.builders import an_error, the_waits
from tests.replay.world import World

WAITS = the_waits()
OPERATION = {"migration": "m", "operation": 0, "kind": "start", "waits": WAITS, "deployment": "d1"}
COUNTS = {"tables": 7, "export": {"eu-west-1": 2, "111122223333/us-east-1": 1}, "copy": 2, "load": 1}
NO_LANES = {"tables": 0, "export": {}, "copy": 0, "load": 0}
DONE = {"value": {"state": "succeeded", "result": True}}
PAUSED = {"value": {"state": "running", "progress": {"waiting": {"for": "pause", "until": None}}}}


def error(detail="it broke", **marks):
    return {"error": an_error(detail=detail, **marks)}


def world(lane=lambda asked: {"error": None}, backwards=False, **changes):
    """Return a world with a substitute for lanes: the function returns how one ends; one that raises is lost."""

    def run_lane(context):
        asked = context.get_input()
        yield context.call_activity("note", asked)
        return lane(asked)

    answers = {
        "look_at_start": DONE,
        "list_tables": {"value": COUNTS},
        "end_lost": {"value": {"turn": 1, "tables": 1}},
        "abandon": {"value": None},
        "note": None,
        "look_at_request_units": {"value": {"state": "succeeded", "result": 7}},
        "write_report": {"value": {"state": "succeeded", "tables": {"succeeded": 7}, "error": None}},
        **changes,
    }

    def answering(answer):
        return answer if callable(answer) else lambda payload: answer

    known = {**orchestrator_functions(run_operation, run_to_its_end), "run_lane": run_lane}
    substitutes = {name: answering(answer) for name, answer in answers.items()}
    return World(substitutes, known, backwards=backwards)


def ran(here):
    return [(lane["stage"], lane["location"], lane["lane"], lane["turn"]) for lane in here.called("note")]


def losing(stage, number):
    """Return a substitute lane of which one is lost at every turn."""

    def lane(asked):
        if (asked["stage"], asked["lane"]) == (stage, number):
            raise ValueError("a defect")
        return {"error": None}

    return lane


def test_every_lane_of_every_stage_and_place_runs_and_the_report_tells_the_end():
    here = world()
    end = here.run("run_operation", OPERATION)
    assert end == {"state": "succeeded", "tables": {"succeeded": 7}, "error": None}
    assert ran(here) == [
        ("export", "eu-west-1", 0, 0),
        ("export", "eu-west-1", 1, 0),
        ("export", "111122223333/us-east-1", 2, 0),
        ("copy", "", 0, 0),
        ("copy", "", 1, 0),
        ("load", "", 0, 0),
    ]
    assert {"m.export-lane-0-2", "m.copy-lane-0-1", "m.load-lane-0-0"} <= here.instances.keys()
    report = {"migration": "m", "operation": 0, "kind": "start", "error": None}
    assert here.called("write_report") == [report]
    assert here.statuses[0] == {"tables": 7}
    assert here.statuses[-1] == {"succeeded": 7, "state": "succeeded"}


def test_a_lane_knows_its_operation_and_nothing_of_its_tables():
    here = world()
    here.run("run_operation", {**OPERATION, "operation": 3, "kind": "retry"})
    lane = here.called("note")[0]
    assert lane == {**OPERATION, "operation": 3, "kind": "retry", **dict(zip(LANE, FIRST, strict=True))}
    assert "m.export-lane-3-0" in here.instances


LANE, FIRST = ("stage", "location", "lane", "turn"), ("export", "eu-west-1", 0, 0)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_lane_that_is_lost_is_replaced_by_one_that_goes_on_with_the_next_turn(backwards):
    def lane(asked):
        if (asked["stage"], asked["lane"], asked["turn"]) == ("copy", 1, 0):
            raise ValueError("a defect")
        return {"error": None}

    here = world(lane, backwards, end_lost={"value": {"turn": 5, "tables": 1}})
    assert here.run("run_operation", OPERATION)["state"] == "succeeded"
    assert sorted(entry for entry in ran(here) if entry[0] == "copy") == [
        ("copy", "", 0, 0),
        ("copy", "", 1, 0),
        ("copy", "", 1, 5),
    ]
    (lost,) = here.called("end_lost")
    assert (lost["stage"], lost["lane"]) == ("copy", 1)
    assert here.called("abandon") == []


def test_a_lane_that_is_lost_again_and_again_without_a_table_ends_the_others_too_and_the_report_tells_why():
    here = world(losing("copy", 1), end_lost={"value": {"turn": 0, "tables": 0}})
    here.run("run_operation", OPERATION)
    assert len(here.called("end_lost")) == MOST_LOSSES + 1
    assert len(here.called("abandon")) == 1
    (report,) = here.called("write_report")
    assert report["error"]["title"] == "An orchestration ended without a result"
    assert "a defect" in report["error"]["detail"]
    assert report["error"]["next_step"].endswith("retry the migration.")


def test_a_lane_that_is_lost_with_a_table_each_time_goes_on_since_it_comes_to_an_end():
    turns = count(1)

    def lane(asked):
        if (asked["stage"], asked["lane"]) == ("copy", 1) and asked["turn"] < 3 * MOST_LOSSES:
            raise ValueError("a defect")
        return {"error": None}

    here = world(lane, end_lost=lambda payload: {"value": {"turn": next(turns), "tables": 1}})
    here.run("run_operation", OPERATION)
    assert len(here.called("end_lost")) == 3 * MOST_LOSSES
    assert here.called("abandon") == []
    assert here.called("write_report")[0]["error"] is None


def test_losses_count_for_each_lane_alone_and_anew_after_a_table():
    tables = iter([0, 0, 0, 1] * 3)
    turns = count(1)

    def lane(asked):
        if (asked["stage"], asked["lane"]) == ("load", 0) and asked["turn"] < 12:
            raise ValueError("a defect")
        return {"error": None}

    here = world(lane, end_lost=lambda payload: {"value": {"turn": next(turns), "tables": next(tables)}})
    here.run("run_operation", OPERATION)
    assert here.called("abandon") == []


def test_a_lane_that_cannot_take_ends_the_others_too_and_the_first_error_is_told():
    def lane(asked):
        number = asked["lane"] if asked["stage"] == "copy" else None
        return {"error": None if number is None else an_error(detail=f"lake is away {number}")}

    here = world(lane)
    here.run("run_operation", OPERATION)
    assert len(here.called("abandon")) == 2
    assert here.called("abandon")[0] == OPERATION
    assert here.called("write_report")[0]["error"]["detail"] == "lake is away 0"


@pytest.mark.parametrize("broken", ["abandon", "end_lost"])
def test_what_cannot_be_written_after_a_loss_does_not_keep_the_report_from_being_tried(broken):
    answers = {"end_lost": {"value": {"turn": 0, "tables": 0}}, broken: error("the lake is away")}
    here = world(losing("load", 0), **answers)
    here.run("run_operation", OPERATION)
    assert here.called("write_report")[0]["error"] is not None


def test_it_shows_why_the_other_lanes_could_not_be_ended():
    answers = {"end_lost": error(), "abandon": error("the lake is away " * 50)}
    here = world(losing("load", 0), **answers)
    here.run("run_operation", OPERATION)
    assert {"abandoning": ("the lake is away " * 50)[:200]} in here.statuses


def test_it_waits_until_its_time_has_come():
    looks = iter([PAUSED] * 3)
    here = world(look_at_start=lambda payload: next(looks, DONE))
    assert here.run("run_operation", OPERATION)["state"] == "succeeded"
    assert here.statuses[0] == PAUSED["value"]["progress"]
    assert "m::start-0" in here.instances
    names = [name for name, _ in here.calls]
    assert names.index("list_tables") == 4


@pytest.mark.parametrize(("kind", "waits"), [("start", 1), ("retry", 1), ("verify", 0), ("replay", 0)])
def test_only_what_migrates_waits_for_a_time_or_a_pause(kind, waits):
    here = world()
    here.run("run_operation", {**OPERATION, "operation": 1, "kind": kind})
    assert len(here.called("look_at_start")) == waits


def test_one_that_is_cancelled_before_its_time_runs_nothing_and_tells_so():
    looks = iter([PAUSED])
    here = world(look_at_start=lambda payload: next(looks, error(cancelled=True)))
    here.run("run_operation", OPERATION)
    assert here.called("list_tables") == []
    assert here.called("write_report")[0]["error"]["cancelled"]


def test_tables_that_cannot_be_listed_are_the_error_of_the_report():
    here = world(list_tables=error("no such pattern"))
    here.run("run_operation", OPERATION)
    assert here.called("write_report")[0]["error"]["detail"] == "no such pattern"
    assert ran(here) == []


def test_an_operation_without_tables_goes_to_its_report():
    here = world(list_tables={"value": NO_LANES})
    assert here.run("run_operation", OPERATION)["state"] == "succeeded"
    assert ran(here) == []


@pytest.mark.parametrize(
    ("before", "state", "detail"),
    [
        ({}, "failed", "lake is full"),
        ({"list_tables": error("gone")}, "failed", "gone"),
        ({"list_tables": error("stopped", cancelled=True)}, "cancelled", "stopped"),
    ],
)
def test_a_report_that_cannot_be_written_fails_it_with_the_first_reason(before, state, detail):
    end = world(write_report=error("lake is full"), **before).run("run_operation", OPERATION)
    assert (end["state"], end["error"]["detail"]) == (state, detail)


def test_its_history_grows_with_its_lanes_alone():
    many = {"export": {"eu-west-1": 50}, "copy": 20, "load": 4}
    few, more = (world(list_tables={"value": {"tables": tables, **many}}) for tables in (74, 10_000))
    for here in (few, more):
        here.run("run_operation", OPERATION)
    assert more.longest_history == few.longest_history
    assert more.most_bytes < 74 * 1024
