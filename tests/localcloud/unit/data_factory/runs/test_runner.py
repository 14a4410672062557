import pytest

from localcloud.data_factory.definitions.shapes import Definitions
from localcloud.data_factory.runs.errors import ActivityCancelledError, ActivityError
from localcloud.data_factory.runs.runner import Runner, RunnerOptions
from localcloud.data_factory.runs.store import ENDED, RunStore
from localcloud.lake.reach import Reach
from tests.contract.polling import wait_until


def activity(name, *after, retry=0):
    return {
        "name": name,
        "type": "Copy",
        "dependsOn": [
            {"activity": before, "dependencyConditions": conditions.split()} for before, conditions in after
        ],
        "policy": {"retry": retry},
        "typeProperties": {"source": name},
        "inputs": [],
        "outputs": [],
    }


def condition(name, value, *inner):
    return {
        "name": name,
        "type": "IfCondition",
        "typeProperties": {"expression": value, "ifTrueActivities": list(inner)},
    }


class World:
    """A runner whose copies do what the test says by the activity's name."""

    def __init__(self, path, *activities):
        self.tried = []
        self.failing = {}
        self.store = RunStore(path / "runs.sqlite")
        definitions = Definitions({"p": {"activities": list(activities)}}, {}, {}, {})
        options = RunnerOptions(Reach(""), {}, 0.0, 0.0, lambda: None)
        self.runner = Runner(definitions, self.store, options, self._copy)

    def _copy(self, run, activity, watch):
        name = activity["name"]
        self.tried.append(name)
        failures = self.failing.get(name, [])
        if failures:
            raise failures.pop(0)

    def run(self):
        run_id = self.store.create_run("p", {})
        self.runner.start(run_id)
        return self.ended(run_id)

    def ended(self, run_id):
        def look():
            run = self.store.run(run_id)
            return run if run["status"] in ENDED else None

        return wait_until(look)


@pytest.fixture
def world(tmp_path):
    return lambda *activities: World(tmp_path, *activities)


FAILS = lambda: [ActivityError("it broke")]  # noqa: E731


def test_activities_run_in_the_order_of_their_dependencies(world):
    here = world(activity("c", ("b", "Succeeded")), activity("a"), activity("b", ("a", "Succeeded")))
    assert here.run()["status"] == "Succeeded"
    assert here.tried == ["a", "b", "c"]


def test_what_depends_on_a_success_is_skipped_after_a_failure_and_the_run_fails(world):
    here = world(activity("a"), activity("b", ("a", "Succeeded")), activity("c", ("b", "Succeeded")))
    here.failing["a"] = FAILS()
    run = here.run()
    assert (run["status"], run["message"]) == ("Failed", "Operation on target a failed: it broke")
    assert here.tried == ["a"]


@pytest.mark.parametrize(
    ("condition", "status"), [("Failed", "Succeeded"), ("Completed", "Succeeded"), ("Succeeded", "Failed")]
)
def test_a_failure_that_another_activity_takes_care_of_does_not_fail_the_run(world, condition, status):
    here = world(activity("a"), activity("b", ("a", condition)))
    here.failing["a"] = FAILS()
    assert here.run()["status"] == status


def test_an_activity_waits_for_the_skipping_of_another(world):
    here = world(activity("a"), activity("b", ("a", "Failed")), activity("c", ("b", "Skipped")))
    assert here.run()["status"] == "Succeeded"
    assert here.tried == ["a", "c"]


def test_an_activity_is_tried_as_often_as_its_policy_says(world):
    here = world(activity("a", retry=2))
    here.failing["a"] = FAILS() + FAILS()
    assert here.run()["status"] == "Succeeded"
    here.failing["a"] = FAILS() + FAILS() + FAILS()
    assert here.run()["status"] == "Failed"
    assert here.tried == ["a"] * 6


def test_a_condition_carries_out_its_branch_or_nothing(world):
    here = world(
        condition("if", 1, activity("a")),
        condition("not", 0, activity("b")),
        activity("c", ("not", "Succeeded")),
    )
    assert here.run()["status"] == "Succeeded"
    assert here.tried == ["a", "c"]


def test_a_condition_whose_activity_fails_fails_with_its_error(world):
    here = world(condition("if", 1, activity("a")), activity("b", ("if", "Succeeded")))
    here.failing["a"] = FAILS()
    run = here.run()
    assert run["status"] == "Failed"
    assert run["message"].startswith("Operation on target if failed: Activity failed because an inner")
    assert run["message"].endswith("Inner activity name: a, Error: it broke")
    assert here.tried == ["a"]


def test_a_fault_of_the_stand_in_itself_fails_the_run_and_says_so(world):
    here = world(activity("a"))
    here.failing["a"] = [ZeroDivisionError("oh")]
    run = here.run()
    assert run["status"] == "Failed"
    assert "its log says why: oh" in run["message"]


def test_a_run_left_behind_goes_on_after_what_had_succeeded(world):
    here = world(activity("a"), activity("b", ("a", "Succeeded")))
    run_id = here.store.create_run("p", {})
    here.store.change_run(run_id, "InProgress")
    for name, status in (("a", "Succeeded"), ("b", "InProgress")):
        here.store.save_activity_run(
            {
                "activityRunId": f"run-of-{name}",
                "pipelineRunId": run_id,
                "activityName": name,
                "status": status,
            }
        )
    here.runner.resume()
    assert here.ended(run_id)["status"] == "Succeeded"
    assert here.tried == ["b"]
    assert [run["activityRunId"] for run in here.store.activity_runs(run_id)] == ["run-of-a", "run-of-b"]


def test_a_run_left_behind_while_it_was_being_cancelled_is_cancelled(world):
    here = world(activity("a"))
    run_id = here.store.create_run("p", {})
    here.store.change_run(run_id, "Canceling")
    here.store.save_activity_run(
        {
            "activityRunId": "x",
            "pipelineRunId": run_id,
            "activityName": "a",
            "status": "InProgress",
            "activityRunStart": "2026-06-01T12:00:00.000000Z",
            "output": {},
        }
    )
    here.runner.resume()
    assert here.store.run(run_id)["status"] == "Cancelled"
    assert here.store.activity_runs(run_id)[0]["status"] == "Cancelled"
    assert here.tried == []


def test_a_run_that_has_ended_is_not_cancelled(world):
    here = world(activity("a"))
    run = here.run()
    here.runner.cancel(run["runId"])
    assert here.store.run(run["runId"]) == run


def test_a_cancelled_activity_ends_its_run_as_cancelled(world):
    here = world(activity("a"), activity("b", ("a", "Completed")))
    run_id = here.store.create_run("p", {})

    class Cancelling(ActivityCancelledError):
        def __init__(self):
            super().__init__()
            here.runner.cancel(run_id)

    here.failing["a"] = [Cancelling]
    here.runner.start(run_id)
    assert here.ended(run_id)["status"] == "Cancelled"
    assert here.tried == ["a"]
