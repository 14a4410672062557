import pytest

from benchmarks.replaying import orchestrator_functions
from d2c.state.ids import RUNS_AT_MOST
from orchestrators import run_to_its_end
from orchestrators.retrying import ATTEMPTS_TO_START, cause_of
from orchestrators.run_to_its_end import LOOKS_PER_HISTORY
from tests.builders import an_error
from tests.replay.world import LostWorkerError, World

ORCHESTRATORS = orchestrator_functions(run_to_its_end)
WAITS = {"first_seconds": 10, "factor": 1.5, "longest_seconds": 60}
JOB = {
    "start": "start_thing",
    "look": "look_at_thing",
    "stop": "stop_thing",
    "payload": {"migration": "m", "table": "Music"},
    "waits": WAITS,
    "try": 1,
}


def error(**marks):
    return {"error": an_error(**marks)}


def running(count, then):
    """Return a substitute look: so many times running, then an answer."""
    answers = iter([{"value": {"state": "running", "progress": {"n": n}}} for n in range(count)] + [then])
    return lambda payload: next(answers)


DONE = {"value": {"state": "succeeded", "result": {"x": 1}}}


def world(look, start=lambda payload: {"value": "run-1"}, stop=lambda payload: {"value": None}, **more):
    return World({"start_thing": start, "look_at_thing": look, "stop_thing": stop}, ORCHESTRATORS, **more)


def test_it_starts_once_and_looks_until_the_end():
    here = world(running(3, DONE))
    assert here.run("run_to_its_end", JOB) == {"value": {"x": 1}}
    assert here.called("start_thing") == [{"migration": "m", "table": "Music", "attempt": 1}]
    assert len(here.called("look_at_thing")) == 4
    assert here.called("look_at_thing")[0]["run"] == "run-1"


def test_intervals_grow_to_the_longest():
    here = world(running(8, DONE))
    here.run("run_to_its_end", JOB)
    assert [round(seconds) for seconds in here.slept] == [10, 15, 22, 34, 51, 60, 60, 60]


def test_a_wait_of_days_has_a_history_of_constant_size_and_never_starts_again():
    job = {**JOB, "waits": {**JOB["waits"], "longest_seconds": 600}}
    short, long = world(running(60, DONE)), world(running(400, DONE))
    for here in (short, long):
        assert here.run("run_to_its_end", job) == {"value": {"x": 1}}
        assert len(here.called("start_thing")) == 1
    assert long.longest_history == short.longest_history
    assert sum(long.slept) > 48 * 3600


def test_a_new_history_shows_the_progress_of_the_one_before_while_its_first_look_fails():
    answers = [{"value": {"state": "running", "progress": {"n": n}}} for n in range(LOOKS_PER_HISTORY)]
    script = iter([*answers, error(transient=True), DONE])
    here = world(lambda payload: next(script))
    assert here.run("run_to_its_end", JOB) == {"value": {"x": 1}}
    # A host shows no status of a history that has set none (the Durable extension 3.19.0, seen).
    assert None not in here.shown[here.shown.index({"n": 0}) :]


def test_another_run_does_not_show_the_progress_of_the_one_that_was_lost():
    script = iter([{"value": {"state": "running", "progress": {"n": 5}}}, error(another_run=True), DONE])
    here = world(lambda payload: next(script))
    assert here.run("run_to_its_end", JOB) == {"value": {"x": 1}}
    assert here.shown[-1] is None


def test_an_event_wakes_it_before_its_time():
    here = world(running(1, DONE), interrupt=lambda world: "wake")
    assert here.run("run_to_its_end", JOB) == {"value": {"x": 1}}
    assert here.slept == []


def test_an_event_that_comes_before_the_wait_wakes_it_once():
    def start(payload):
        here.raised.append("wake")
        return {"value": "run-1"}

    here = world(running(3, DONE), start=start)
    assert here.run("run_to_its_end", JOB) == {"value": {"x": 1}}
    assert [round(seconds) for seconds in here.slept] == [15, 22]


def test_what_may_heal_is_tried_again_with_growing_intervals():
    answers = iter([error(transient=True), error(transient=True), {"value": "run-1"}])
    here = world(running(0, DONE), start=lambda payload: next(answers))
    assert here.run("run_to_its_end", JOB) == {"value": {"x": 1}}
    assert [round(seconds) for seconds in here.slept] == [10, 15]


def test_what_does_not_heal_in_time_is_the_error():
    here = world(running(0, DONE), start=lambda payload: error(transient=True))
    assert here.run("run_to_its_end", JOB) == error(transient=True)
    assert len(here.called("start_thing")) == ATTEMPTS_TO_START


def test_what_cannot_heal_is_not_tried_again():
    here = world(running(0, error()))
    assert here.run("run_to_its_end", JOB) == error()
    assert len(here.called("look_at_thing")) == 1


def test_a_worker_that_is_lost_is_called_again_and_its_stack_trace_stays_behind():
    def start(payload):
        raise LostWorkerError("out of memory\nTraceback ...")

    here = world(running(0, DONE), start=start)
    assert here.run("run_to_its_end", JOB)["error"]["detail"] == "start_thing: out of memory"
    assert len(here.called("start_thing")) == ATTEMPTS_TO_START


def test_what_is_lost_without_a_word_has_a_cause_all_the_same():
    assert cause_of(ValueError()) == "no reason was given"


def test_a_run_that_failed_for_its_platforms_reasons_is_replaced_by_another():
    looks = iter([error(another_run=True), DONE])
    here = world(lambda payload: next(looks))
    assert here.run("run_to_its_end", JOB) == {"value": {"x": 1}}
    assert [payload["attempt"] for payload in here.called("start_thing")] == [1, 2]


def test_a_busy_service_is_asked_for_the_same_attempt_for_as_long_as_it_takes():
    answers = iter([error(transient=True, busy=True)] * (5 * ATTEMPTS_TO_START) + [{"value": "run-1"}])
    here = world(running(0, DONE), start=lambda payload: next(answers))
    assert here.run("run_to_its_end", JOB) == {"value": {"x": 1}}
    assert {payload["attempt"] for payload in here.called("start_thing")} == {1}
    assert here.longest_history < 100


def test_a_run_that_is_there_from_the_beginning_is_only_looked_at():
    here = world(running(1, DONE))
    assert here.run("run_to_its_end", {**JOB, "run": "one"}) == {"value": {"x": 1}}
    assert here.called("start_thing") == []


def test_a_look_may_ask_for_a_longer_wait():
    looks = iter(
        [
            {"value": {"state": "running", "progress": {}, "look_again_in_seconds": seconds}}
            for seconds in (500, 2)
        ]
        + [DONE]
    )
    here = world(lambda payload: next(looks))
    here.run("run_to_its_end", JOB)
    assert [round(seconds) for seconds in here.slept] == [500, 15]


def test_only_so_many_runs_are_tried():
    here = world(lambda payload: error(another_run=True))
    assert here.run("run_to_its_end", JOB) == error(another_run=True)
    assert [payload["attempt"] for payload in here.called("start_thing")] == [1, 2, 3]


def test_runs_that_get_on_are_replaced_for_as_long_as_they_do():
    looks = iter([error(another_run=True, progressed=True)] * 20 + [error(another_run=True)] * 2 + [DONE])
    here = world(lambda payload: next(looks))
    assert here.run("run_to_its_end", JOB) == {"value": {"x": 1}}
    assert [payload["attempt"] for payload in here.called("start_thing")] == list(range(1, 24))


def test_after_progress_as_many_runs_are_tried_again():
    looks = iter([error(another_run=True)] * 2 + [error(another_run=True, progressed=True)])
    here = world(lambda payload: next(looks, error(another_run=True)))
    assert here.run("run_to_its_end", JOB) == error(another_run=True)
    assert len(here.called("start_thing")) == 6


def test_a_job_says_how_many_of_its_runs_may_be_lost():
    here = world(lambda payload: error(another_run=True))
    assert here.run("run_to_its_end", {**JOB, "runs_at_most": 5}) == error(another_run=True)
    assert len(here.called("start_thing")) == 5


def test_runs_that_are_lost_within_minutes_are_replaced_with_growing_pauses_until_they_have_been_for_long_enough():
    here = world(lambda payload: error(another_run=True))
    job = {**JOB, "runs_at_most": 5, "lost_for_seconds": 300.0}
    assert here.run("run_to_its_end", job) == error(another_run=True)
    assert [round(seconds) for seconds in here.slept] == [22, 34, 51, 60, 60, 60, 60]
    assert len(here.called("start_thing")) == 9


def test_what_was_lost_before_progress_counts_no_longer():
    looks = iter(
        [error(another_run=True)] * 4
        + [error(another_run=True, progressed=True)]
        + [error(another_run=True)] * 20
    )
    here = world(lambda payload: next(looks))
    here.run("run_to_its_end", {**JOB, "runs_at_most": 2, "lost_for_seconds": 100.0})
    assert len(here.called("start_thing")) == 5 + 5


def test_a_cancelled_pause_between_two_runs_is_no_run():
    answers = iter([{"value": "run-1"}, {"value": "run-2"}, error(cancelled=True)])
    here = world(
        lambda payload: error(another_run=True),
        start=lambda payload: next(answers),
        interrupt=lambda world: "wake",
    )
    assert here.run("run_to_its_end", JOB) == error(cancelled=True)
    assert here.slept == []


def test_cancelling_stops_what_runs_outside():
    here = world(running(2, error(cancelled=True)))
    assert here.run("run_to_its_end", JOB) == error(cancelled=True)
    assert [payload["run"] for payload in here.called("stop_thing")] == ["run-1"]


def test_cancelling_before_the_start_stops_nothing():
    here = world(running(0, DONE), start=lambda payload: error(cancelled=True))
    assert here.run("run_to_its_end", JOB) == error(cancelled=True)
    assert here.called("stop_thing") == []


@pytest.mark.parametrize("stop", [None, "stop_thing"])
def test_a_stop_that_fails_is_told(stop):
    refused = error(detail="no right", next_step="Grant it.")
    here = world(running(0, error(cancelled=True)), stop=lambda payload: refused)
    ended = here.run("run_to_its_end", {**JOB, "stop": stop})["error"]
    told = ("it broke The run could not be stopped: no right", "Grant it.")
    assert (ended["detail"], ended["next_step"]) == (told if stop else ("it broke", "mend it"))
    assert ended["cancelled"]


def test_a_job_of_parts_starts_each_after_the_one_before_with_attempts_of_its_own():
    progress = {"done": 5}
    looks = iter(
        [
            {"value": {"state": "part_done", "progress": progress}},
            error(another_run=True),
            {"value": {"state": "part_done", "progress": progress}},
            DONE,
        ]
    )
    here = world(lambda payload: next(looks))
    assert here.run("run_to_its_end", JOB) == {"value": {"x": 1}}
    started = [(each.get("part", 1), each["attempt"]) for each in here.called("start_thing")]
    assert started == [(1, 1), (2, 1), (2, 2), (3, 1)]
    assert [each.get("part") for each in here.called("look_at_thing")] == [None, 2, 2, 3]


def test_a_part_that_is_done_is_progress_after_which_as_many_runs_may_be_lost():
    part_done = {"value": {"state": "part_done", "progress": {}}}
    lost = [error(another_run=True)] * (RUNS_AT_MOST - 1)
    looks = iter([*lost, part_done, *lost, part_done, *lost, DONE])
    here = world(lambda payload: next(looks))
    assert here.run("run_to_its_end", JOB) == {"value": {"x": 1}}


@pytest.mark.parametrize(
    "answer",
    [{"value": {"state": "part_done", "progress": {}}}, error(another_run=True), error(busy=True)],
    ids=["part done", "another run", "busy"],
)
def test_intervals_begin_anew_with_each_start(answer):
    going_on = {"value": {"state": "running", "progress": {}}}
    looks = iter([going_on, going_on, going_on, answer, going_on, going_on, DONE])
    here = world(lambda payload: next(looks))
    assert here.run("run_to_its_end", JOB) == {"value": {"x": 1}}
    assert [round(seconds) for seconds in here.slept] == [10, 15, 22, 10, 15]


def test_a_part_is_stopped_as_itself():
    looks = iter([{"value": {"state": "part_done", "progress": {}}}, error(cancelled=True)])
    here = world(lambda payload: next(looks))
    here.run("run_to_its_end", JOB)
    (stopped,) = here.called("stop_thing")
    assert stopped["part"] == 2
