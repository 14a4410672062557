"""Runs on the existing cluster share a JVM, and nothing else."""

import pytest

from d2c.errors import PermanentError
from tests.contract.polling import wait_until
from tests.localcloud.contract.databricks.conftest import EXISTING, WHEEL
from tests.localcloud.contract.databricks.test_jobs_api import alive, waiting_run


def says_jvm(workspace, key):
    return workspace.result(workspace.submit("says_jvm", key, cluster=EXISTING, libraries=[WHEEL]))


def test_runs_share_a_jvm_and_have_a_process_and_a_session_of_their_own(workspace):
    first, second = says_jvm(workspace, "first"), says_jvm(workspace, "second")
    assert first["jvm"] == second["jvm"]
    assert first["notebook"] != second["notebook"]
    assert (first["kept"], second["kept"]) == ("", "")


def test_the_wheel_is_what_driver_and_workers_import(workspace):
    for key in ("wheel-1", "wheel-2"):
        origins = says_jvm(workspace, key)["origins"]
        assert len(origins) == 2
        assert len(set(origins)) == 1
        assert origins[0].endswith("/libraries/d2c/__init__.py")


def test_a_cancelled_run_ends_with_its_jobs_and_the_cluster_stays(workspace, lake):
    before = says_jvm(workspace, "before")["jvm"]
    run, (driver, jvm, worker) = waiting_run(workspace, lake, "existing-cancelled", cluster=EXISTING)
    workspace.product.cancel_run(run)
    assert workspace.ended(run).cancelled
    wait_until(lambda: not alive(driver) and not alive(worker))
    assert alive(jvm)
    assert says_jvm(workspace, "after")["jvm"] == before


def test_a_lost_cluster_takes_its_runs_with_it_and_is_started_again(workspace, lake):
    run, (driver, jvm, _) = waiting_run(workspace, lake, "existing-lost", cluster=EXISTING)
    assert workspace.http.post("/_localcloud/lose-cluster", json={"run_id": run}).status_code == 200
    assert workspace.ended(run).healable
    wait_until(lambda: not alive(driver) and not alive(jvm))
    assert says_jvm(workspace, "again")["jvm"] != jvm


def test_a_jvm_that_dies_is_told_and_replaced(workspace, lake):
    run, (_, jvm, _) = waiting_run(workspace, lake, "existing-killed", cluster=EXISTING)
    workspace.kill(jvm)
    ended = workspace.ended(run)
    assert not ended.succeeded
    assert "driver" in ended.message
    wait_until(lambda: not alive(jvm))
    assert says_jvm(workspace, "replaced")["jvm"] != jvm


def test_another_id_is_no_cluster(workspace):
    with pytest.raises(PermanentError, match="0101-other does not exist"):
        workspace.submit("says_nothing", "nowhere", cluster={"existing_cluster_id": "0101-other"})
