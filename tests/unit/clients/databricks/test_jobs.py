from types import SimpleNamespace
from typing import Any

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from databricks.sdk.errors import (
    InternalError,
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
    TemporarilyUnavailable,
    TooManyRequests,
)
from databricks.sdk.service.jobs import BaseRun, Run, RunOutput, RunType

from d2c.clients.databricks.jobs import Databricks, NotebookRun
from d2c.clients.databricks.sign_in import DATABRICKS_SCOPE, _ManagedIdentity
from d2c.errors import PermanentError, TransientError
from tests.unit.clients.errors import error_of


class StubbedJobs:
    """Stands in for the Jobs API of the SDK's client: an answer per method, or an exception to raise."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, method: str) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            self.calls.append((method, arguments, named))
            answer = self._answers[method]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def databricks(**answers):
    jobs = StubbedJobs(**answers)
    return Databricks(SimpleNamespace(jobs=jobs)), jobs


def run_of(state=None, status=None, tasks=({"run_id": 18, "task_key": "load"},)):
    answer = {"run_id": 17, "tasks": list(tasks)}
    answer |= {"state": state} if state else {}
    answer |= {"status": status} if status else {}
    return Run.from_dict(answer)


def ended(result, message="", life_cycle="TERMINATED"):
    return {
        "life_cycle_state": life_cycle,
        "state_message": message,
        **({"result_state": result} if result else {}),
    }


def terminated(code, kind, message=""):
    return {"state": "TERMINATED", "termination_details": {"code": code, "type": kind, "message": message}}


class TestStartRun:
    def submit(self, cluster, **arguments):
        here, jobs = databricks(submit=SimpleNamespace(run_id=17))
        started = here.start_run(
            name="d2c m Music",
            run_key="k" * 64,
            notebook_path="/Shared/load",
            parameters={"request": "abfss://lake/r.json"},
            cluster=cluster,
            libraries=[{"maven": {"coordinates": "g:a:1"}}, {"whl": "/w.whl"}],
            **arguments,
        )
        ((_, _, named),) = jobs.calls
        (task,) = named.pop("tasks")
        return started, named, task.as_dict()

    def test_the_run_key_is_the_idempotency_token(self):
        started, named, _ = self.submit({"existing_cluster_id": "c"})
        assert started == 17
        assert (named["run_name"], named["idempotency_token"]) == ("d2c m Music", "k" * 64)

    def test_a_run_waits_at_the_workspaces_limit_and_ends_at_its_time(self):
        _, named, _ = self.submit({"existing_cluster_id": "c"}, timeout_seconds=3600)
        assert named["queue"].as_dict() == {"enabled": True}
        assert named["timeout_seconds"] == 3600
        assert self.submit({"existing_cluster_id": "c"})[1]["timeout_seconds"] is None

    def test_a_group_may_see_the_run_that_is_the_apps_own_otherwise(self):
        _, named, _ = self.submit({"existing_cluster_id": "c"}, viewers="operators")
        (access,) = named["access_control_list"]
        assert access.as_dict() == {"group_name": "operators", "permission_level": "CAN_VIEW"}
        assert self.submit({"existing_cluster_id": "c"})[1]["access_control_list"] is None

    @pytest.mark.parametrize(
        ("cluster", "place"),
        [
            ({"existing_cluster_id": "c"}, {"existing_cluster_id": "c"}),
            (
                {"spark_version": "17.3.x-scala2.13", "num_workers": 2},
                {"new_cluster": {"spark_version": "17.3.x-scala2.13", "num_workers": 2}},
            ),
        ],
    )
    def test_the_notebook_runs_on_a_cluster_that_is_there_or_on_a_new_one(self, cluster, place):
        _, _, task = self.submit(cluster)
        notebook = {
            "notebook_path": "/Shared/load",
            "base_parameters": {"request": "abfss://lake/r.json"},
        }
        libraries = [{"maven": {"coordinates": "g:a:1"}}, {"whl": "/w.whl"}]
        assert task == {"task_key": "load", "notebook_task": notebook, "libraries": libraries, **place}


def test_runs_that_have_not_ended_are_told_with_their_parameters():
    task = {"task_key": "load", "notebook_task": {"notebook_path": "/n", "base_parameters": {"request": "r"}}}
    runs = [
        {"run_id": 17, "tasks": [task]},
        {"run_id": 18, "tasks": [{"task_key": "t", "notebook_task": {"notebook_path": "/n"}}]},
        {"run_id": 19, "tasks": [{"task_key": "t"}]},
        {"run_id": 20},
    ]
    here, jobs = databricks(list_runs=[BaseRun.from_dict(run) for run in runs])
    assert here.active_runs() == {17: {"request": "r"}, 18: {}}
    ((_, _, named),) = jobs.calls
    assert named == {"active_only": True, "expand_tasks": True, "run_type": RunType.SUBMIT_RUN}


class TestGetRun:
    @pytest.mark.parametrize(
        "life_cycle", ["PENDING", "QUEUED", "BLOCKED", "RUNNING", "WAITING_FOR_RETRY", "TERMINATING"]
    )
    def test_a_run_goes_on_until_it_has_ended(self, life_cycle):
        here, jobs = databricks(get_run=run_of({"life_cycle_state": life_cycle}))
        assert here.get_run(17) == NotebookRun(False, False, False, False, "")
        assert [method for method, _, _ in jobs.calls] == ["get_run"]

    def test_success_needs_no_output(self):
        here, jobs = databricks(get_run=run_of(ended("SUCCESS"), terminated("SUCCESS", "SUCCESS")))
        assert here.get_run(17) == NotebookRun(True, True, False, False, "")
        assert [method for method, _, _ in jobs.calls] == ["get_run"]

    def test_the_cause_of_a_failure_is_that_of_its_task(self):
        output = RunOutput.from_dict({"error": "PermanentError: it broke", "error_trace": "Traceback ..."})
        run = run_of(ended("FAILED", "see the task"), terminated("RUN_EXECUTION_ERROR", "CLIENT_ERROR"))
        here, jobs = databricks(get_run=run, get_run_output=output)
        assert here.get_run(17) == NotebookRun(True, False, False, False, "PermanentError: it broke")
        assert jobs.calls[-1] == ("get_run_output", (18,), {})

    @pytest.mark.parametrize("output", [{}, {"error": ""}])
    def test_without_an_error_of_the_task_the_run_tells_the_cause(self, output):
        run = run_of(ended("FAILED", "the cluster could not start"))
        here, _ = databricks(get_run=run, get_run_output=RunOutput.from_dict(output))
        assert here.get_run(17).message == "the cluster could not start"

    @pytest.mark.parametrize(
        "stack",
        [
            "\n\tat java.base/java.lang.Thread.run(Thread.java:840)\n",
            "\n  Traceback (most recent call last):\n  File",
            "\n\nDriver stacktrace:\n\tat x",
            "\n\nJVM stacktrace:\norg.apache.spark.SparkException",
        ],
    )
    def test_the_cause_of_a_failure_comes_without_stack_trace(self, stack):
        error = (
            f"Py4JJavaError: An error occurred while calling o58.save.\n: java.io.IOException: no room{stack}"
        )
        output = RunOutput.from_dict({"error": error})
        here, _ = databricks(get_run=run_of(ended("FAILED")), get_run_output=output)
        assert here.get_run(17).message == (
            "Py4JJavaError: An error occurred while calling o58.save. : java.io.IOException: no room"
        )

    def test_what_failed_in_a_worker_is_part_of_the_cause(self):
        error = (
            "PythonException: An exception was thrown from the Python worker. Please see the stack trace below.\n"
            'Traceback (most recent call last):\n  File "worker.py", line 1, in main\n    process()\n'
            "d2c.errors.PermanentError: a.json.gz is broken.\n\n\tat org.apache.spark.Thing.run(Thing.scala:1)\n"
        )
        here, _ = databricks(
            get_run=run_of(ended("FAILED")), get_run_output=RunOutput.from_dict({"error": error})
        )
        assert here.get_run(17).message.endswith(
            "stack trace below. d2c.errors.PermanentError: a.json.gz is broken."
        )

    def test_a_cause_of_pages_is_cut(self):
        output = RunOutput.from_dict({"error": "ValueError: " + "x" * 5000})
        here, _ = databricks(get_run=run_of(ended("FAILED")), get_run_output=output)
        assert len(here.get_run(17).message) == 1000

    def test_a_run_without_tasks_tells_its_own_message(self):
        here, jobs = databricks(get_run=run_of(ended("FAILED", "no task"), tasks=()))
        assert here.get_run(17).message == "no task"
        assert [method for method, _, _ in jobs.calls] == ["get_run"]

    @pytest.mark.parametrize(
        ("state", "status", "cancelled", "healable"),
        [
            (ended("CANCELED"), terminated("USER_CANCELED", "SUCCESS"), True, False),
            (ended("TIMEDOUT"), terminated("RUN_EXECUTION_ERROR", "CLIENT_ERROR"), False, False),
            (
                ended(None, "lost", "INTERNAL_ERROR"),
                terminated("CLOUD_FAILURE", "CLOUD_FAILURE"),
                False,
                True,
            ),
            (
                ended("FAILED", "lost", "INTERNAL_ERROR"),
                terminated("DRIVER_ERROR", "INTERNAL_ERROR"),
                False,
                True,
            ),
            *(
                (ended("FAILED", "", "INTERNAL_ERROR"), terminated(code, "CLIENT_ERROR"), False, True)
                for code in (
                    "CLUSTER_REQUEST_LIMIT_EXCEEDED",
                    "DRIVER_ERROR",
                    "LIBRARY_INSTALLATION_ERROR",
                    "STORAGE_ACCESS_ERROR",
                    "WORKSPACE_RUN_LIMIT_EXCEEDED",
                )
            ),
            (
                ended("FAILED", "failed for library due to user error for whl: x", "INTERNAL_ERROR"),
                terminated("LIBRARY_INSTALLATION_ERROR", "CLIENT_ERROR"),
                False,
                False,
            ),
            (
                ended("FAILED", "", "INTERNAL_ERROR"),
                terminated("RESOURCE_NOT_FOUND", "CLIENT_ERROR"),
                False,
                False,
            ),
            (ended(None, "", "SKIPPED"), terminated("SKIPPED", "CLIENT_ERROR"), False, False),
            (ended("FAILED"), None, False, False),
        ],
    )
    def test_an_end_without_success_is_a_cancellation_the_platforms_or_the_notebooks(
        self, state, status, cancelled, healable
    ):
        here, _ = databricks(get_run=run_of(state, status), get_run_output=RunOutput())
        run = here.get_run(17)
        assert (run.ended, run.succeeded) == (True, False)
        assert (run.cancelled, run.healable) == (cancelled, healable)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"state": "RUNNING"}, NotebookRun(False, False, False, False, "")),
        (terminated("SUCCESS", "SUCCESS"), NotebookRun(True, True, False, False, "")),
        (
            terminated("USER_CANCELED", "CLIENT_ERROR", "by you"),
            NotebookRun(True, False, True, False, "by you"),
        ),
        (terminated("CLUSTER_ERROR", "CLOUD_FAILURE", "gone"), NotebookRun(True, False, False, True, "gone")),
    ],
)
def test_a_run_without_the_old_state_is_told_by_the_new_status(status, expected):
    here, _ = databricks(get_run=run_of(status=status, tasks=()))
    assert here.get_run(17) == expected


def test_a_run_that_tells_no_state_is_asked_again():
    here, _ = databricks(get_run=run_of())
    assert type(error_of(lambda: here.get_run(17))) is TransientError


def test_an_output_that_is_not_to_be_had_leaves_the_runs_own_message():
    run = run_of(ended("FAILED", "the cluster could not start", life_cycle="INTERNAL_ERROR"))
    here, _ = databricks(get_run=run, get_run_output=InvalidParameterValue("no output"))
    assert here.get_run(17).message == "the cluster could not start"


def test_a_sign_in_that_fails_is_told_as_for_every_azure_service():
    here, _ = databricks(get_run=ClientAuthenticationError("no identity"))
    error = error_of(lambda: here.get_run(17))
    assert type(error) is PermanentError
    assert "Load run 17" in error.detail


def test_cancelling_asks_for_the_run_to_stop():
    here, jobs = databricks(cancel_run=None)
    here.cancel_run(17)
    assert jobs.calls == [("cancel_run", (17,), {})]


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (InternalError("500"), TransientError),
        (TemporarilyUnavailable("503"), TransientError),
        (TooManyRequests("429"), TransientError),
        (requests.ConnectionError("refused"), TransientError),
        (TimeoutError("Timed out after 0:00:20"), TransientError),
        (PermissionDenied("no CAN_MANAGE"), PermanentError),
        (InvalidParameterValue("no such cluster"), PermanentError),
        (NotFound("no such run"), PermanentError),
    ],
)
@pytest.mark.parametrize(
    ("method", "call"),
    [("get_run", lambda here: here.get_run(17)), ("cancel_run", lambda here: here.cancel_run(17))],
)
def test_what_databricks_refuses_is_told_with_the_run_and_what_to_do(cause, kind, method, call):
    here, _ = databricks(**{method: cause})
    error = error_of(lambda: call(here))
    assert type(error) is kind
    assert error.detail.startswith("Load run 17: ")


def test_a_connection_error_is_told_without_its_text_which_may_quote_headers():
    here, _ = databricks(get_run=requests.ConnectionError("Authorization: Bearer dapi-secret"))
    assert "dapi-secret" not in str(error_of(lambda: here.get_run(17)))


def test_an_identity_that_is_no_member_says_which_workspace_it_has_a_role_on_with_fresh_tokens():
    asked = []

    class Credential:
        def get_token(self, scope):
            asked.append(scope)
            return SimpleNamespace(token=f"token-{len(asked)}")

    config = SimpleNamespace(host="https://adb-1.2.azuredatabricks.net")
    headers = _ManagedIdentity("/subscriptions/s/workspaces/w", Credential())(config)
    assert headers() == {
        "Authorization": "Bearer token-1",
        "X-Databricks-Azure-Workspace-Resource-Id": "/subscriptions/s/workspaces/w",
        "X-Databricks-Azure-SP-Management-Token": "token-2",
    }
    assert headers()["Authorization"] == "Bearer token-3"
    assert asked[:2] == [DATABRICKS_SCOPE, "https://management.core.windows.net//.default"]
    assert _ManagedIdentity("", Credential())(config)() == {"Authorization": "Bearer token-5"}
