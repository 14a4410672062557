import pytest

from tests.localcloud.contract.databricks.conftest import (
    CLUSTER,
    CONNECTOR,
    EXISTING,
    LAKE,
    SECRETS,
    WHEEL,
)


@pytest.fixture(scope="module")
def everything(workspace):
    """What a notebook that uses everything has found, and its log."""
    parameters = {"colour": "blue", "folder": f"{LAKE}/everything"}
    run = workspace.submit("all_in_one", "everything", parameters, libraries=[WHEEL])
    return workspace.result(run), workspace.log(run)


def test_driver_and_workers_import_from_the_wheel_and_not_from_the_checkout(workspace, everything):
    found, _ = everything
    assert found["driver"] == found["worker"]
    assert found["driver"].startswith(str(workspace.state_folder.resolve()))
    assert found["driver"].endswith("/libraries/d2c/__init__.py")


def test_parameters_go_before_defaults(everything):
    assert everything[0]["colour"] == "blue"


def test_secrets_reach_the_notebook_but_neither_its_environment_nor_its_log(everything):
    found, log = everything
    assert found["environment"] == []
    assert "the secret is [REDACTED]" in log
    assert SECRETS["d2c"]["cosmos-account-key"] not in log


def test_files_of_the_lake_are_written_once_unless_they_may_be_overwritten(everything):
    found, _ = everything
    assert found["head"] == '{"ä": 1}'
    assert "is there already" in found["put_again"]
    assert found["ls"] == [["lines/", 0], ["note.json", 6]]


def test_folders_and_names_with_odd_characters_are_as_in_any_file_system(everything):
    found, _ = everything
    assert found["odd"] == ["odd", ["a=1;c#d.txt"]]
    assert found["empty"] == [[], True, False]
    assert "is not empty" in found["rm"]
    assert found["removed"]


def test_the_lake_is_open_to_nobody_who_does_not_know_the_secret(workspace):
    answer = workspace.http.get("/webhdfs/v1/wrong/lake/everything", params={"op": "LISTSTATUS"})
    assert (answer.status_code, answer.json()["RemoteException"]["exception"]) == (403, "SecurityException")


def test_spark_reads_and_writes_the_lake_by_its_own_paths(everything, lake):
    found, _ = everything
    assert found["lines"] == ["one", "two"]
    assert found["files"] == [[f"{LAKE}/everything/note.json", 6, "second"]]
    left = [blob.name for blob in lake.list_blobs("everything/lines/")]
    assert [name for name in left if "_temporary" in name] == []
    assert "everything/lines/_SUCCESS" in left


def test_a_failure_names_the_cell_and_no_secret(workspace):
    run = workspace.submit("fails", "fails", cluster=EXISTING)
    ended = workspace.ended(run)
    assert (ended.succeeded, ended.healable) == (False, False)
    assert ended.message == "KeyError: '[REDACTED]'"
    trace = workspace.output(run).error_trace
    assert 'File "/Shared/tests/fails, cell 3", line 2' in trace
    assert 'File "/Shared/tests/fails, cell 2", line 2, in look_up' in trace
    assert "notebook_runner" not in trace
    state = workspace.jobs.get_run(run).as_dict()["state"]
    assert (state["life_cycle_state"], state["result_state"]) == ("INTERNAL_ERROR", "FAILED")
    assert (
        state["state_message"] == "Task load failed with message: Workload failed, see run output for details"
    )


def test_without_the_wheel_the_product_is_not_there(workspace):
    ended = workspace.ended(workspace.submit("without_wheel", "without-wheel", cluster=EXISTING))
    assert "d2c" in ended.message
    assert "Error" in ended.message


def test_output_over_five_megabytes_is_cut(workspace):
    run = workspace.submit("talks_much", "talks-much", cluster=EXISTING)
    assert workspace.ended(run).succeeded
    output = workspace.output(run).notebook_output
    assert output.truncated
    assert len(output.result.encode()) == 5 * 2**20


def test_without_the_connector_its_format_is_unknown(workspace):
    found = workspace.result(workspace.submit("connector", "no-connector", cluster=EXISTING))
    assert "cosmos.oltp" in found["read"]
    assert "DATA_SOURCE_NOT_FOUND" in found["read"]
    assert "DATA_SOURCE_NOT_FOUND" in found["write"]


def test_with_the_connector_its_format_is_there(workspace):
    found = workspace.result(
        workspace.submit("connector", "connector", cluster=EXISTING, libraries=[CONNECTOR])
    )
    assert "spark.cosmos.accountEndpoint" in found["read"]
    assert "spark.cosmos.accountEndpoint" in found["write"]


def test_on_a_shared_cluster_unity_catalog_refuses_the_connector(workspace):
    shared = {**CLUSTER, "data_security_mode": "USER_ISOLATION"}
    found = workspace.result(workspace.submit("connector", "shared", cluster=shared, libraries=[CONNECTOR]))
    assert "Data source v2 are not supported in Unity Catalog" in found["read"]
    assert "AppendData are not supported in Unity Catalog" in found["write"]
