import base64

import pytest

from d2c.deploy.comparing import same_notebook
from d2c.deploy.release import own_release
from localcloud.cloud.deployment import deploy_to_workspace, wheel_path
from localcloud.common.names import NOTEBOOK_PATH


def test_what_was_deployed_is_read_back_and_the_second_time_stays(workspace):
    files = workspace.product_files
    assert files.read_file(wheel_path()) == own_release().wheel.content
    assert same_notebook(files.read_notebook(NOTEBOOK_PATH), own_release().notebook)
    written = workspace.files / wheel_path().lstrip("/")
    first = written.stat().st_mtime_ns
    deploy_to_workspace(files)
    assert written.stat().st_mtime_ns == first


def test_a_path_is_the_same_with_the_mount_of_clusters_and_without_it(workspace):
    files = workspace.product_files
    files.write_file("/Workspace/Shared/d2c/libraries/a.whl", b"PK")
    assert files.read_file("/Shared/d2c/libraries/a.whl") == b"PK"
    assert files.read_file("/Workspace/Shared/d2c/libraries/b.whl") is None


def imported(workspace, **changes):
    body = {"path": "/Shared/d2c/x", "content": base64.b64encode(b"x").decode(), "format": "AUTO", **changes}
    answer = workspace.http.post("/api/2.0/workspace/import", json=body)
    return answer.status_code, answer.json().get("error_code")


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"path": "/Nowhere/at/all"}, (404, "RESOURCE_DOES_NOT_EXIST")),
        ({"path": "relative"}, (400, "INVALID_PARAMETER_VALUE")),
        ({"path": "/../../etc/passwd"}, (400, "INVALID_PARAMETER_VALUE")),
        ({"content": "no base64!"}, (400, "INVALID_PARAMETER_VALUE")),
        ({"format": "DBC"}, (400, "INVALID_PARAMETER_VALUE")),
        ({"format": "SOURCE", "language": "SCALA"}, (400, "INVALID_PARAMETER_VALUE")),
        ({"colour": "red"}, (400, "INVALID_PARAMETER_VALUE")),
    ],
)
def test_an_import_that_is_not_supported_is_refused(workspace, changes, answer):
    assert imported(workspace, **changes) == answer


def test_a_file_is_replaced_only_if_asked_to(workspace):
    assert imported(workspace, path="/Shared/d2c/once") == (200, None)
    assert imported(workspace, path="/Shared/d2c/once") == (400, "RESOURCE_ALREADY_EXISTS")
    assert imported(workspace, path="/Shared/d2c/once", overwrite=True) == (200, None)
