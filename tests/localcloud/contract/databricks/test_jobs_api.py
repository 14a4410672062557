import os
from pathlib import Path

import httpx
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config
from databricks.sdk.errors import (
    InvalidParameterValue,
    PermissionDenied,
    ResourceDoesNotExist,
    Unauthenticated,
)

from d2c.errors import PermanentError, TransientError
from localcloud.cloud.processes import stop_service
from tests.contract.polling import wait_until
from tests.localcloud.contract.databricks.conftest import (
    CLUSTER,
    EXISTING,
    LAKE,
    VIEWER_TOKEN,
    WHEEL,
    Workspace,
)

TASK = {
    "task_key": "load",
    "notebook_task": {"notebook_path": "/Shared/tests/says_nothing"},
    "new_cluster": CLUSTER,
}


@pytest.fixture(scope="module")
def own(tmp_path_factory, storage):
    """A workspace whose service may be killed."""
    running = Workspace(tmp_path_factory.mktemp("own"), storage, ["--driver-memory", "1g"])
    yield running
    stop_service(running.service)


def without(fields, name):
    return {key: value for key, value in fields.items() if key != name}


def fail(workspace, *faults):
    assert workspace.http.post("/_localcloud/faults", json=list(faults)).status_code == 200


def submit_waiting(workspace, key, cluster=CLUSTER):
    """Start a run that waits in a worker until it is ended."""
    return workspace.submit("waits", key, {"file": f"{LAKE}/waits/{key}.json"}, cluster)


def processes_of(lake, key):
    """Return the ids of a waiting run's processes once it has all: notebook, JVM, worker."""
    blob = lake.get_blob_client(f"waits/{key}.json")
    wait_until(blob.exists)
    found = httpx.Response(200, content=blob.download_blob().readall()).json()
    worker = Path(found.pop("worker_file"))
    wait_until(lambda: worker.exists() and worker.read_text())
    return [*found.values(), int(worker.read_text())]


def waiting_run(workspace, lake, key, cluster=CLUSTER):
    """Start a run that waits in a worker; return it and its processes."""
    run = submit_waiting(workspace, key, cluster)
    return run, processes_of(lake, key)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


def test_who_does_not_sign_in_is_refused_as_databricks_does(workspace):
    for token, kind in (("", Unauthenticated), ("wrong", PermissionDenied)):
        answer = httpx.get(
            f"{workspace.service.url}/api/2.2/jobs/runs/list",
            headers={"Authorization": f"Bearer {token}"} if token else {},
        )
        assert answer.status_code == {Unauthenticated: 401, PermissionDenied: 403}[kind]
    config = Config(host=workspace.service.url, token="wrong", auth_type="pat", retry_timeout_seconds=1)
    with pytest.raises(PermissionDenied, match="Invalid access token"):
        list(WorkspaceClient(config=config).jobs.list_runs())


def test_what_is_not_there_is_not_found(workspace):
    assert workspace.http.get("/.well-known/databricks-config").status_code == 404
    answer = workspace.http.get("/api/2.2/jobs/list")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "ENDPOINT_NOT_FOUND")
    for call in (workspace.jobs.get_run, workspace.jobs.get_run_output):
        with pytest.raises(ResourceDoesNotExist, match="Run 5 does not exist"):
            call(5)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"job_clusters": []}, "job_clusters"),
        ({"tasks": []}, "One task"),
        ({"idempotency_token": "x" * 65}, "65 characters"),
        ({"tasks": [{**TASK, "max_retries": 3}]}, "max_retries"),
        (
            {"tasks": [{**without(TASK, "new_cluster"), "existing_cluster_id": "no-such"}]},
            "Cluster no-such does not exist",
        ),
        ({"queue": {"limit": 3}}, "limit"),
        (
            {"access_control_list": [{"group_name": "nobody", "permission_level": "CAN_VIEW"}]},
            "GroupName(nobody) does not exist",
        ),
        (
            {"tasks": [{**TASK, "notebook_task": {"notebook_path": "/../../etc/passwd"}}]},
            "within the workspace",
        ),
        ({"tasks": [{**TASK, "libraries": [{"whl": "/Volumes/../../x.whl"}]}]}, "within the workspace"),
        ({"tasks": [{**TASK, "libraries": [{"pypi": {"package": "x"}}]}]}, "pypi"),
    ],
)
def test_what_is_not_supported_is_refused_by_name_and_nothing_runs(workspace, change, named):
    before = list(workspace.jobs.list_runs())
    answer = workspace.http.post("/api/2.2/jobs/runs/submit", json={"tasks": [TASK], **change})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert named in answer.json()["message"]
    assert list(workspace.jobs.list_runs()) == before


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        ({"notebook": "/Shared/nothing"}, "RESOURCE_NOT_FOUND", "Unable to access the notebook"),
        (
            {"libraries": [{"whl": "/Volumes/main/x.whl"}]},
            "LIBRARY_INSTALLATION_ERROR",
            "/Volumes/main/x.whl",
        ),
        (
            {
                "libraries": [
                    {"maven": {"coordinates": "com.azure.cosmos.spark:azure-cosmos-spark_3-5_2-12:4.46.0"}}
                ]
            },
            "LIBRARY_INSTALLATION_ERROR",
            "azure-cosmos-spark_4-0_2-13",
        ),
        ({"cluster": {**CLUSTER, "spark_version": "16.4.x-scala2.12"}}, "INVALID_CLUSTER_REQUEST", "17.3.x"),
        (
            {"cluster": {**CLUSTER, "data_security_mode": "NONE"}, "libraries": [WHEEL]},
            "LIBRARY_INSTALLATION_ERROR",
            "Unity Catalog",
        ),
    ],
)
def test_what_a_run_lacks_fails_the_run_with_a_message_and_is_not_healable(workspace, change, code, named):
    arguments = {"notebook": "says_nothing", **change}
    # With the name of the notebook, a key may have 64 characters.
    run = workspace.submit(key=f"{code}{named}"[:50], **arguments)
    ended = workspace.ended(run)
    assert (ended.succeeded, ended.healable) == (False, False)
    assert named in ended.message
    assert workspace.jobs.get_run(run).status.termination_details.code.value == code


def test_output_is_that_of_the_task_and_a_notebook_that_says_nothing_leaves_none(workspace):
    run = workspace.submit("says_nothing", "says-nothing", cluster=EXISTING)
    assert workspace.ended(run).succeeded
    assert workspace.output(run).notebook_output.result is None
    with pytest.raises(InvalidParameterValue, match="individual task run"):
        workspace.jobs.get_run_output(run)
    told = workspace.jobs.get_run(run)
    assert told.tasks[0].run_id == run + 1
    assert told.start_time <= told.end_time
    assert told.tasks[0].execution_duration > 0


def test_a_run_is_seen_by_its_owner_alone_unless_it_is_shared_with_a_group(workspace):
    config = Config(host=workspace.service.url, token=VIEWER_TOKEN, auth_type="pat", retry_timeout_seconds=1)
    somebody = WorkspaceClient(config=config).jobs
    hidden = workspace.submit("/Shared/nothing", "hidden")
    shared = workspace.submit("/Shared/nothing", "shared-with-users", viewers="users")
    for look in (somebody.get_run, lambda run: somebody.get_run_output(run + 1)):
        with pytest.raises(PermissionDenied, match="View or Manage Run permissions"):
            look(hidden)
        look(shared)
    with pytest.raises(PermissionDenied):
        somebody.cancel_run(shared)


def test_the_same_key_gives_the_same_run(workspace):
    runs = {workspace.submit("/Shared/nothing", "same") for _ in range(3)}
    assert len(runs) == 1
    assert workspace.submit("/Shared/nothing", "other") not in runs


def test_runs_are_listed_newest_first_in_pages(workspace):
    started = [workspace.submit("/Shared/nothing", f"listed-{number}") for number in range(5)]
    for run in started:
        workspace.ended(run)
    listed = [run.run_id for run in workspace.jobs.list_runs(limit=2)]
    assert listed[:5] == started[::-1]
    assert len(listed) == len(set(listed))
    assert list(workspace.jobs.list_runs(active_only=True)) == []


def test_runs_on_clusters_of_their_own_end_alone(own, lake):
    cancelled, lost = submit_waiting(own, "cancelled"), submit_waiting(own, "lost")
    waiting = submit_waiting(own, "waiting")
    assert own.jobs.get_run(waiting).state.life_cycle_state.value == "PENDING"
    own.product.cancel_run(waiting)
    assert own.ended(waiting).cancelled

    pids, others = processes_of(lake, "cancelled"), processes_of(lake, "lost")
    assert all(alive(pid) for pid in pids)
    own.product.cancel_run(cancelled)
    ended = own.ended(cancelled)
    assert (ended.cancelled, ended.healable) == (True, False)
    wait_until(lambda: not any(alive(pid) for pid in pids))
    own.product.cancel_run(cancelled)
    assert own.product.get_run(cancelled) == ended

    assert all(alive(pid) for pid in others)
    assert own.http.post("/_localcloud/lose-cluster", json={"run_id": lost}).status_code == 200
    assert own.ended(lost).healable
    wait_until(lambda: not any(alive(pid) for pid in others))


def test_a_run_over_its_time_is_ended(workspace):
    body = {
        "tasks": [{**TASK, "notebook_task": {"notebook_path": "/Shared/tests/waits"}}],
        "timeout_seconds": 1,
    }
    run = workspace.http.post("/api/2.2/jobs/runs/submit", json=body).json()["run_id"]
    workspace.ended(run)
    assert workspace.jobs.get_run(run).state.result_state.value == "TIMEDOUT"


def test_a_cluster_can_be_lost_at_its_start(workspace):
    fail(workspace, {"operation": "cluster", "count": 1})
    ended = workspace.ended(workspace.submit("says_nothing", "lost-at-start"))
    assert (ended.succeeded, ended.healable) == (False, True)


def test_faults_on_demand_reach_the_product_as_what_may_heal(workspace):
    fail(workspace, {"operation": "get", "status": 503, "count": 100})
    with pytest.raises(TransientError):
        workspace.product.get_run(1)
    fail(workspace, {"operation": "get", "reset": True, "count": 100})
    with pytest.raises(TransientError):
        workspace.product.get_run(1)
    fail(workspace, {"operation": "get", "status": 403, "code": "PERMISSION_DENIED", "message": "No."})
    with pytest.raises(PermanentError, match="lacks a permission in the workspace: No"):
        workspace.product.get_run(1)
    assert workspace.http.post("/_localcloud/faults", json=[{"operation": "dance"}]).status_code == 400
    assert workspace.http.delete("/_localcloud/faults").json() == {"faults": []}


def test_a_service_that_is_asked_to_end_does_so_with_all_its_processes(own, lake):
    run, pids = waiting_run(own, lake, "stopped")
    stop_service(own.service)
    assert own.service.process.returncode == 0
    wait_until(lambda: not any(alive(pid) for pid in pids))
    own.start()
    assert own.ended(run).healable


def test_when_the_service_is_killed_its_runs_lose_their_cluster_and_keys_keep_their_runs(own, lake):
    run, pids = waiting_run(own, lake, "killed")
    own.start_again()
    ended = own.ended(run)
    assert (ended.succeeded, ended.cancelled, ended.healable) == (False, False, True)
    wait_until(lambda: not any(alive(pid) for pid in pids))
    assert own.submit("waits", "killed") == run
    assert own.jobs.get_run(run).state.life_cycle_state.value == "INTERNAL_ERROR"
