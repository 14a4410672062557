import zipfile

import pytest

from localcloud.common.names import EXISTING_CLUSTER_ID
from localcloud.databricks.errors import RunFault
from localcloud.databricks.files.workspace import Workspace
from localcloud.databricks.runs.clusters import prepare_launch
from localcloud.databricks.runs.submission import parse_submission

CONNECTOR = {"maven": {"coordinates": "com.azure.cosmos.spark:azure-cosmos-spark_4-0_2-13:4.49.2"}}
DEDICATED = {"spark_version": "17.3.x-scala2.13", "data_security_mode": "SINGLE_USER"}


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "n.py").touch()
    (tmp_path / "Volumes").mkdir()
    for name, pure in (("pure", "true"), ("binary", "false")):
        with zipfile.ZipFile(tmp_path / "Volumes" / f"{name}.whl", "w") as wheel:
            wheel.writestr(f"{name}-1.dist-info/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: {pure}\n")
    (tmp_path / "Volumes" / "text.whl").write_text("no archive")
    return Workspace(tmp_path)


def launch(workspace, cluster=DEDICATED, libraries=(), notebook="/n"):
    place = {"existing_cluster_id": cluster} if isinstance(cluster, str) else {"new_cluster": cluster}
    task = {
        "task_key": "t",
        "notebook_task": {"notebook_path": notebook},
        "libraries": list(libraries),
        **place,
    }
    return prepare_launch(parse_submission({"tasks": [task]}), workspace)


def test_a_dedicated_cluster_has_its_libraries_and_settings(workspace, tmp_path):
    cluster = {**DEDICATED, "spark_conf": {"spark.sql.shuffle.partitions": "9"}}
    found = launch(workspace, cluster, [CONNECTOR, {"whl": "/Volumes/pure.whl"}])
    assert found.connector == "available"
    assert found.wheels == (tmp_path / "Volumes" / "pure.whl",)
    assert found.spark_conf == {"spark.sql.shuffle.partitions": "9"}
    assert found.notebook == tmp_path / "n.py"


@pytest.mark.parametrize(
    ("mode", "connector"),
    [
        ("DATA_SECURITY_MODE_DEDICATED", "available"),
        ("NONE", "available"),
        ("USER_ISOLATION", "refused"),
        ("DATA_SECURITY_MODE_STANDARD", "refused"),
    ],
)
def test_the_access_mode_says_whether_the_connector_may_be_used(workspace, mode, connector):
    assert launch(workspace, {**DEDICATED, "data_security_mode": mode}, [CONNECTOR]).connector == connector


def test_without_the_library_there_is_no_connector(workspace):
    assert launch(workspace, EXISTING_CLUSTER_ID).connector is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"cluster": {**DEDICATED, "spark_version": "15.4.x-scala2.12"}}, "INVALID_CLUSTER_REQUEST"),
        ({"cluster": {**DEDICATED, "spark_version": "17.3.x-scala2.12"}}, "INVALID_CLUSTER_REQUEST"),
        ({"cluster": {**DEDICATED, "data_security_mode": "LEGACY_TABLE_ACL"}}, "INVALID_CLUSTER_REQUEST"),
        ({"libraries": [{"whl": "/Volumes/none.whl"}]}, "LIBRARY_INSTALLATION_ERROR"),
        ({"libraries": [{"whl": "/Volumes/text.whl"}]}, "LIBRARY_INSTALLATION_ERROR"),
        ({"libraries": [{"whl": "/Volumes/binary.whl"}]}, "LIBRARY_INSTALLATION_ERROR"),
        ({"libraries": [{"maven": {"coordinates": "org.x:y:1"}}]}, "LIBRARY_INSTALLATION_ERROR"),
        ({"notebook": "/other"}, "RESOURCE_NOT_FOUND"),
    ],
)
def test_what_cannot_start_ends_the_run_with_its_code(workspace, changes, code):
    with pytest.raises(RunFault) as raised:
        launch(workspace, **changes)
    assert raised.value.code == code
