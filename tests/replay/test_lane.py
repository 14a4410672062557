import json

import pytest

from activities.unit import MOST_FAILURES
from benchmarks.replaying import orchestrator_functions
from d2c.state.ids import LOAD_RUNS_AT_MOST, LOAD_RUNS_LOST_FOR_SECONDS, RUNS_AT_MOST
from orchestrators import lane, run_to_its_end
from orchestrators.retrying import ATTEMPTS_TO_LOOK
from orchestrators.run_to_its_end import LOOKS_PER_HISTORY
from tests.builders import a_copy, a_source, an_error, an_export, the_waits
from tests.replay.world import LostWorkerError, World

WAITS = the_waits()
AS_BY_DEFAULT = {"first_seconds": 10, "factor": 1.5, "longest_seconds": 60}
OVER = {"state": "over"}
TURN_ENDS = ("pass_on", "end_table", "end_tables")
LOST = "An orchestration ended without a result"


def a_lane(stage, **changes):
    location = "eu-west-1" if stage == "export" else ""
    work = {"migration": "m", "operation": 0, "kind": "start", "waits": WAITS, "deployment": "d1"}
    return {**work, "stage": stage, "location": location, "lane": 2, "turn": 0, **changes}


def taken(table="Music", **changes):
    whole = {"state": "taken", "table": table, "tables": 1, "cancelled": False, "arrived": False}
    return {**whole, **changes}


def idle(seconds=5):
    return {"state": "idle", "seconds": seconds}


def error(**marks):
    return {"error": an_error(**marks)}


def ended(result):
    return {"value": {"state": "succeeded", "result": result}}


def world(*takes, orchestrators=(), interrupt=lambda world: None, **changes):
    """Return a world in which a lane takes this, one after the other, and then nothing can come any more."""
    answers = iter(takes)
    activities = {
        "take_tables": lambda payload: {"value": next(answers, OVER)},
        "describe_source": {"value": a_source()},
        "start_export": {"value": "export-arn"},
        "look_at_export": ended(an_export()),
        "start_copy": {"value": "copy-id"},
        "look_at_copy": ended(a_copy()),
        "stop_copy": {"value": None},
        "start_existing_export": {"value": "existing"},
        "look_at_existing_export": ended({"export": an_export(), "copy": a_copy()}),
        "look_at_prepare": ended(1),
        "look_at_scale": ended(1),
        "look_at_index": ended(0),
        "start_load": {"value": 17},
        "look_at_load": ended(0),
        "stop_load": {"value": None},
        "pass_on": {"value": None},
        "end_table": {"value": None},
        "end_tables": {"value": None},
        **changes,
    }

    def answering(answer):
        return answer if callable(answer) else lambda payload: answer

    known = {**orchestrator_functions(lane, run_to_its_end), **dict(orchestrators)}
    return World({name: answering(answer) for name, answer in activities.items()}, known, interrupt=interrupt)


def names(here):
    return [name for name, _ in here.calls]


def test_a_lane_ends_once_nothing_can_come_any_more():
    here = world()
    assert here.run("run_lane", a_lane("export")) == {"error": None}
    assert names(here) == ["take_tables"]


def test_an_export_lane_describes_exports_and_passes_on_what_it_found():
    here = world(taken())
    assert here.run("run_lane", a_lane("export")) == {"error": None}
    assert names(here) == [
        "take_tables",
        "describe_source",
        "start_export",
        "look_at_export",
        "pass_on",
        "take_tables",
    ]
    (started,) = here.called("start_export")
    assert started["source"] == a_source()
    assert (started["table"], started["operation"], started["attempt"]) == ("Music", 0, 1)
    assert "m:Music:export-0" in here.instances
    (passed,) = here.called("pass_on")
    assert (passed["table"], passed["stage"], passed["error"]) == ("Music", "export", None)
    assert (passed["migration"], passed["operation"], passed["kind"]) == ("m", 0, "start")
    assert passed["found"] == {"source": a_source(), "export": an_export()}
    assert here.called("start_export")[0]["deployment"] == "d1"
    assert passed["started_at"] <= passed["ended_at"]


def test_a_lane_of_no_known_deployment_names_none():
    here = world(taken())
    asked = {name: value for name, value in a_lane("copy").items() if name != "deployment"}
    assert here.run("run_lane", asked) == {"error": None}
    assert "deployment" not in here.called("start_copy")[0]


def test_a_copy_lane_copies_and_passes_on_what_it_found():
    here = world(taken())
    here.run("run_lane", a_lane("copy"))
    assert names(here) == ["take_tables", "start_copy", "look_at_copy", "pass_on", "take_tables"]
    assert here.called("pass_on")[0]["found"] == {"copy": a_copy()}
    assert "m:Music:copy-0" in here.instances


def test_a_copy_lane_waits_for_an_export_that_others_copy():
    here = world(taken(arrived=True))
    here.run("run_lane", a_lane("copy"))
    assert names(here) == [
        "take_tables",
        "start_existing_export",
        "look_at_existing_export",
        "pass_on",
        "take_tables",
    ]
    assert here.called("pass_on")[0]["found"] == {"export": an_export(), "copy": a_copy()}


def test_a_load_lane_prepares_and_loads_its_unit_whose_tables_end_by_themselves():
    here = world(taken(tables=20), taken(tables=20))
    here.run("run_lane", a_lane("load"))
    unit = ["take_tables", "look_at_prepare", "start_load", "look_at_load"]
    assert names(here) == [*unit, *unit, "take_tables"]
    assert [payload["turn"] for payload in here.called("start_load")] == [0, 1]
    assert {"m::prepare-0-2-0", "m::load-0-2-0", "m::load-0-2-1"} <= here.instances.keys()


@pytest.mark.parametrize("kind", ["verify", "replay"])
def test_what_compares_prepares_no_container(kind):
    here = world(taken())
    here.run("run_lane", a_lane("load", kind=kind, operation=2))
    assert names(here) == ["take_tables", "start_load", "look_at_load", "take_tables"]


def test_a_unit_whose_tables_all_ended_in_their_preparation_has_no_load_run():
    here = world(taken(tables=2), look_at_prepare=ended(0))
    here.run("run_lane", a_lane("load"))
    assert "start_load" not in names(here)


def test_tables_whose_containers_a_cluster_did_not_wait_for_are_loaded_by_a_second_run():
    looks = iter([ended(2), ended(0)])
    here = world(taken(tables=3), look_at_load=lambda payload: next(looks))
    here.run("run_lane", a_lane("load"))
    unit = ["look_at_prepare", "start_load", "look_at_load"]
    second = ["look_at_scale", "start_load", "look_at_load"]
    assert names(here) == ["take_tables", *unit, *second, "take_tables"]
    first, again = here.called("start_load")
    assert ("is_second_run" in first, again["is_second_run"], again["attempt"]) == (False, True, 1)
    assert {"m::load-0-2-0", "m::scale-0-2-0", "m::second-load-0-2-0"} <= here.instances.keys()
    assert "is_second_run" not in here.called("take_tables")[-1]


def test_their_containers_are_looked_at_until_they_are_scaled():
    scales = iter([{"value": {"state": "running", "progress": {"tables": 2}}}] * 12 + [ended(2)])
    loads = iter([ended(2), ended(0)])
    here = world(
        taken(tables=2),
        look_at_scale=lambda payload: next(scales),
        look_at_load=lambda payload: next(loads),
    )
    here.run("run_lane", a_lane("load"))
    assert (len(here.called("look_at_scale")), len(here.called("start_load"))) == (13, 2)


def test_where_all_of_them_ended_meanwhile_there_is_no_second_run():
    here = world(taken(), look_at_load=ended(1), look_at_scale=ended(0))
    here.run("run_lane", a_lane("load"))
    assert len(here.called("start_load")) == 1


def test_tables_whose_containers_get_their_indexes_are_waited_for_without_a_cluster():
    running = {"value": {"state": "running", "progress": {"tables": 1}}}
    looks = iter([running] * 12 + [ended(0)])
    here = world(
        taken(tables=2),
        look_at_load=ended(1),
        look_at_scale=ended(0),
        look_at_index=lambda payload: next(looks),
    )
    assert here.run("run_lane", a_lane("load")) == {"error": None}
    assert (len(here.called("start_load")), len(here.called("look_at_index"))) == (1, 13)
    assert ("m::index-0-2-0" in here.instances, here.called("end_tables")) == (True, [])


def test_those_of_a_second_run_too():
    loads = iter([ended(2), ended(1)])
    here = world(taken(tables=2), look_at_load=lambda payload: next(loads))
    here.run("run_lane", a_lane("load"))
    assert names(here)[-3:] == ["look_at_load", "look_at_index", "take_tables"]


def test_what_cannot_be_looked_at_any_more_ends_them():
    here = world(taken(), look_at_load=ended(1), look_at_scale=ended(0), look_at_index=error())
    assert here.run("run_lane", a_lane("load")) == {"error": None}
    (end,) = here.called("end_tables")
    assert ("spares_assessed" in end, end["error"]["detail"]) == (False, "it broke")


def test_a_first_run_that_fails_spares_those_that_it_has_assessed():
    looks = iter([error(), ended(0)])
    spared = iter([1])
    here = world(
        taken(tables=3),
        look_at_load=lambda payload: next(looks),
        end_tables=lambda payload: {"value": next(spared)},
    )
    here.run("run_lane", a_lane("load"))
    (end,) = here.called("end_tables")
    assert (end["spares_assessed"], end["error"]["detail"]) == (True, "it broke")
    assert len(here.called("start_load")) == 2


def test_a_copy_that_is_lost_each_time_is_started_so_many_times():
    here = world(taken(), look_at_copy=error(another_run=True))
    here.run("run_lane", a_lane("copy"))
    assert len(here.called("start_copy")) == RUNS_AT_MOST


@pytest.mark.parametrize("before", [[], [ended(1)]], ids=["first run", "second run"])
def test_load_runs_that_are_lost_each_time_are_given_up_after_a_while(before):
    looks = iter(before)
    here = world(taken(), look_at_load=lambda payload: next(looks, error(another_run=True)))
    here.run("run_lane", a_lane("load", waits=AS_BY_DEFAULT))
    lost = len(here.called("start_load")) - len(before)
    assert LOAD_RUNS_AT_MOST < lost < 4 * LOAD_RUNS_AT_MOST
    assert sum(here.slept) >= LOAD_RUNS_LOST_FOR_SECONDS


@pytest.mark.parametrize("broken", ["look_at_scale", "second"])
def test_a_second_run_that_fails_ends_them_but_those_that_wait_for_indexes(broken):
    looks = iter([ended(1), error()])
    here = world(
        taken(),
        look_at_load=lambda payload: next(looks),
        look_at_scale=error() if broken == "look_at_scale" else ended(1),
    )
    assert here.run("run_lane", a_lane("load")) == {"error": None}
    (end,) = here.called("end_tables")
    assert (end["is_second_run"], end["error"]["detail"]) == (True, "it broke")


def test_a_lane_takes_again_with_the_next_turn():
    here = world(taken("a"), taken("b"), taken("c"))
    here.run("run_lane", a_lane("copy", turn=4))
    assert [payload["turn"] for payload in here.called("take_tables")] == [4, 5, 6, 7]
    assert [payload["table"] for payload in here.called("pass_on")] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("stage", "broken", "found"),
    [
        ("export", "describe_source", {}),
        ("export", "start_export", {"source": a_source()}),
        ("export", "look_at_export", {"source": a_source()}),
        ("copy", "start_copy", {}),
        ("copy", "look_at_copy", {}),
    ],
)
def test_a_failure_ends_the_table_and_the_lane_takes_the_next(stage, broken, found):
    answers = {"describe_source": {"value": a_source()}, "start_export": {"value": "arn"}}
    answers |= {"look_at_export": ended(an_export())}
    answers |= {"start_copy": {"value": "copy-id"}, "look_at_copy": ended(a_copy())}
    good = answers[broken]
    here = world(
        taken("Music"),
        taken("Films"),
        **{broken: lambda payload: error() if payload["table"] == "Music" else good},
    )
    assert here.run("run_lane", a_lane(stage)) == {"error": None}
    (end,) = here.called("end_table")
    assert (end["table"], end["stage"], end["error"]["detail"]) == ("Music", stage, "it broke")
    assert end["found"] == found
    assert [payload["table"] for payload in here.called("pass_on")] == ["Films"]


@pytest.mark.parametrize("broken", ["look_at_prepare", "start_load", "look_at_load"])
def test_a_failure_of_a_unit_ends_the_tables_that_it_still_has(broken):
    here = world(taken(tables=3), **{broken: error()})
    assert here.run("run_lane", a_lane("load")) == {"error": None}
    (end,) = here.called("end_tables")
    assert (end["lane"], end["turn"], end["error"]["detail"]) == (2, 0, "it broke")
    assert here.called("take_tables")[-1]["turn"] == 1
    assert "error" not in here.called("take_tables")[-1]


@pytest.mark.parametrize(("stage", "stop"), [("copy", "stop_copy"), ("load", "stop_load")])
def test_a_cancellation_stops_what_runs_outside_and_ends_as_such(stage, stop):
    here = world(taken(), **{f"look_at_{stage}": error(cancelled=True)})
    here.run("run_lane", a_lane(stage))
    assert len(here.called(stop)) == 1
    (end,) = [payload for name, payload in here.calls if name in TURN_ENDS]
    assert end["error"]["cancelled"]


@pytest.mark.parametrize("stage", ["export", "copy", "load"])
def test_an_orchestration_that_is_lost_ends_what_it_worked_for(stage):
    def run_to_its_end(context):
        raise ValueError("a defect")
        yield

    here = world(taken(), orchestrators={"run_to_its_end": run_to_its_end})
    assert here.run("run_lane", a_lane(stage)) == {"error": None}
    (end,) = [payload for name, payload in here.calls if name in TURN_ENDS]
    assert end["error"]["title"] == LOST
    assert "a defect" in end["error"]["detail"]
    assert end["error"]["next_step"].endswith("retry the table.")


@pytest.mark.parametrize("stage", ["export", "copy", "load"])
def test_tables_that_were_cancelled_before_they_were_taken_are_ended_and_nothing_is_run(stage):
    here = world(taken(tables=50, cancelled=True))
    here.run("run_lane", a_lane(stage))
    assert names(here) == ["take_tables", "end_tables", "take_tables"]
    assert "error" not in here.called("end_tables")[0]


@pytest.mark.parametrize(
    ("stage", "broken", "ending"),
    [("export", "describe_source", "end_table"), ("load", "start_load", "end_tables")],
)
def test_a_table_whose_throughput_cannot_be_put_back_ends_without_it(stage, broken, ending):
    refused = error(detail="no rights")
    here = world(
        taken(),
        **{
            broken: error(),
            ending: lambda payload: {"value": None} if "restore_error" in payload else refused,
        },
    )
    assert here.run("run_lane", a_lane(stage)) == {"error": None}
    first, last = here.called(ending)
    assert last == {**first, "restore_error": refused["error"]}


def test_a_lane_that_cannot_end_its_turn_is_lost():
    here = world(taken(), describe_source=error(), end_table=error(detail="the lake is away"))
    with pytest.raises(Exception, match="the lake is away"):
        here.run("run_lane", a_lane("export"))


def test_a_lane_that_cannot_take_ends_with_the_error():
    here = world(take_tables=error())
    assert here.run("run_lane", a_lane("copy"))["error"]["detail"] == "it broke"


def test_a_worker_that_is_lost_as_it_takes_is_asked_again_for_the_same_turn():
    answers = iter([None, taken()])

    def take(payload):
        answer = next(answers, OVER)
        if answer is None:
            raise LostWorkerError("out of memory")
        return {"value": answer}

    here = world(take_tables=take)
    here.run("run_lane", a_lane("copy"))
    assert [payload["turn"] for payload in here.called("take_tables")] == [0, 0, 1]
    assert len(here.called("start_copy")) == 1


def test_an_idle_lane_looks_when_it_was_told_to():
    here = world(idle(5), idle(40), idle(60), taken())
    here.run("run_lane", a_lane("copy"))
    assert [round(seconds) for seconds in here.slept] == [5, 40, 60]
    assert {"idle": True} in here.statuses
    assert len(here.called("start_copy")) == 1


def test_an_event_wakes_an_idle_lane_before_its_time_and_once():
    events = iter(["wake"])
    here = world(idle(3600), idle(30), taken(), interrupt=lambda world: next(events, None))
    here.run("run_lane", a_lane("export"))
    assert [round(seconds) for seconds in here.slept] == [30]


def test_an_event_that_comes_before_the_wait_wakes_it_once():
    def take(payload):
        here.raised += [] if here.called("take_tables")[1:] else ["wake"]
        return {"value": next(takes, OVER)}

    takes = iter([idle(3600), idle(30), taken()])
    here = world(take_tables=take)
    here.run("run_lane", a_lane("copy"))
    assert [round(seconds) for seconds in here.slept] == [30]


def test_the_history_of_a_lane_grows_neither_with_its_turns_nor_with_its_idle_looks():
    takes = [idle(), idle(), taken(), idle()]
    few, many = world(*takes * 3), world(*takes * 60)
    patient = world(*[idle()] * (20 * LOOKS_PER_HISTORY))
    for here in (few, many, patient):
        here.run("run_lane", a_lane("export"))
    assert many.longest_history == few.longest_history
    assert patient.longest_history < 100
    assert max(here.most_bytes for here in (few, many, patient)) < 32 * 1024


def test_a_units_history_does_not_grow_with_its_tables_nor_hold_their_settings():
    small, large = world(taken(tables=1)), world(taken(tables=100))
    for here in (small, large):
        here.run("run_lane", a_lane("load"))
    assert large.most_bytes <= small.most_bytes + 10
    assert not {"rules", "throughput", "limits", "tables"} & {
        name for _, payload in large.calls for name in payload
    }


def test_the_activities_of_a_table_are_told_where_the_rest_of_their_input_is():
    here = world(taken())
    here.run("run_lane", a_lane("copy"))
    (payload,) = here.called("start_copy")
    assert payload["file"] == "migrations/m/work/000000/tables/Music.json"
    assert len(json.dumps(payload)) < 500


def test_an_activity_of_a_unit_gives_a_table_up_just_before_the_lane_gives_up_the_activity():
    assert MOST_FAILURES == ATTEMPTS_TO_LOOK - 1
