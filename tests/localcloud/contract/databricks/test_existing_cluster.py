"""Runs on the existing cluster share a JVM, and nothing else."""

import pytest

from localcloud.cloud.processes import stop_service
from localcloud.common.names import EXISTING_CLUSTER_ID
from tests.contract.polling import wait_until
from tests.localcloud.contract.databricks.conftest import WHEEL, Workspace
from tests.localcloud.contract.databricks.test_jobs_api import alive, waiting_run

EXISTING = {"existing_cluster_id": EXISTING_CLUSTER_ID}


@pytest.fixture(scope="module")
def kept(tmp_path_factory, storage):
    """A workspace with its cluster running."""
    running = Workspace(tmp_path_factory.mktemp("kept"), storage, ["--driver-memory", "1g", "--keep-cluster"])
    yield running
    stop_service(running.service)


def says_jvm(workspace, key):
    return workspace.result(workspace.submit("says_jvm", key, cluster=EXISTING, libraries=[WHEEL]))


def test_runs_share_a_jvm_and_have_a_process_and_a_session_of_their_own(kept):
    first, second = says_jvm(kept, "first"), says_jvm(kept, "second")
    assert first["jvm"] == second["jvm"]
    assert first["notebook"] != second["notebook"]
    assert (first["kept"], second["kept"]) == ("", "")


def test_the_wheel_is_what_driver_and_workers_import(kept):
    for key in ("wheel-1", "wheel-2"):
        origins = says_jvm(kept, key)["origins"]
        assert len(origins) == 2
        assert all(".whl" in origin for origin in origins)


def test_a_cancelled_run_ends_with_its_jobs_and_the_cluster_stays(kept, lake):
    before = says_jvm(kept, "before")["jvm"]
    run, (driver, jvm, worker) = waiting_run(kept, lake, "existing-cancelled", cluster=EXISTING)
    kept.product.cancel_run(run)
    assert kept.ended(run).cancelled
    wait_until(lambda: not alive(driver) and not alive(worker))
    assert alive(jvm)
    assert says_jvm(kept, "after")["jvm"] == before


def test_a_lost_cluster_takes_its_runs_with_it_and_is_started_again(kept, lake):
    run, (driver, jvm, _) = waiting_run(kept, lake, "existing-lost", cluster=EXISTING)
    assert kept.http.post("/_localcloud/lose-cluster", json={"run_id": run}).status_code == 200
    assert kept.ended(run).healable
    wait_until(lambda: not alive(driver) and not alive(jvm))
    assert says_jvm(kept, "again")["jvm"] != jvm


def test_a_jvm_that_dies_is_told_and_replaced(kept, lake):
    run, (_, jvm, _) = waiting_run(kept, lake, "existing-killed", cluster=EXISTING)
    kept.kill(jvm)
    ended = kept.ended(run)
    assert not ended.succeeded
    assert "driver" in ended.message
    wait_until(lambda: not alive(jvm))
    assert says_jvm(kept, "replaced")["jvm"] != jvm


def test_another_id_is_no_cluster(kept):
    ended = kept.ended(kept.submit("says_nothing", "nowhere", cluster={"existing_cluster_id": "0101-other"}))
    assert not ended.succeeded
    assert "0101-other does not exist" in ended.message
