"""Volumes: clusters open their files by paths, as the lake has them at that moment, and only as far as they may."""

import json

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config

from d2c.clients.databricks.reading import WorkspaceReading
from localcloud.common.names import EXPORTS_VOLUME
from tests.localcloud.contract.databricks.conftest import CLUSTER, EXISTING, LAKE, TOKEN

FILE = f"{EXPORTS_VOLUME}/volumes/ü a%41+b#1/a.json.gz"
MISSING = f"{EXPORTS_VOLUME}/volumes/b.json.gz"
NOT_FOUND = "FileNotFoundError: [Errno 2] No such file or directory: "


@pytest.fixture
def reading(workspace):
    config = Config(host=workspace.service.url, token=TOKEN, auth_type="pat", retry_timeout_seconds=2)
    return WorkspaceReading(WorkspaceClient(config=config))


def found_by(workspace, key, paths, cluster=EXISTING, **more):
    run = workspace.submit("volumes", key, {"paths": json.dumps(paths), **more}, cluster)
    found = workspace.result(run)
    assert found["driver"] == found["worker"]
    return found["worker"]


def fault(workspace, **more):
    faults = [{"operation": "volume-open", **more}]
    assert workspace.http.post("/_localcloud/faults", json=faults).is_success


def test_what_the_lake_holds_is_opened_by_driver_and_workers_and_nothing_else(workspace, lake):
    lake.upload_blob("exports/volumes/ü a%41+b#1/a.json.gz", b"x" * 3_000_000)
    abfss = f"{LAKE}/exports/volumes/a.json.gz"
    other = "/Volumes/main/d2c/other/a.json.gz"
    assert found_by(workspace, "first", [FILE, MISSING, other, abfss]) == [
        "b'xxx' 3000000 2999998",
        f"{NOT_FOUND}{MISSING!r}",
        f"{NOT_FOUND}{other!r}",
        f"{NOT_FOUND}{abfss!r}",
    ]
    lake.upload_blob("exports/volumes/ü a%41+b#1/a.json.gz", b"yes", overwrite=True)
    assert found_by(workspace, "again", [FILE]) == ["b'yes' 3 1"]


def test_a_volume_is_read_only_and_may_be_refused_or_fail(workspace, lake):
    lake.upload_blob("exports/volumes/c", b"content", overwrite=True)
    path = f"{EXPORTS_VOLUME}/volumes/c"
    refused = f"OSError: [Errno 30] Read-only file system: {path!r}"
    assert found_by(workspace, "written", [path], mode="wb") == [refused]
    fault(workspace, status=403, count=2)
    refused = f"PermissionError: [Errno 1] Operation not permitted: {path!r}"
    assert found_by(workspace, "refused", [path]) == [refused]
    fault(workspace, status=500, count=2)
    assert found_by(workspace, "failed", [path]) == [f"OSError: [Errno 5] Input/output error: {path!r}"]


def test_a_cluster_without_unity_catalog_has_no_volumes(workspace, lake):
    lake.upload_blob("exports/volumes/d", b"content", overwrite=True)
    path = f"{EXPORTS_VOLUME}/volumes/d"
    without = {**CLUSTER, "data_security_mode": "NONE"}
    assert found_by(workspace, "without", [path], without) == [f"{NOT_FOUND}{path!r}"]


def test_files_are_served_to_nobody_who_does_not_know_the_secret(workspace):
    assert workspace.http.get("/_localcloud/volumes/wrong/main/d2c/exports/volumes/c").status_code == 403


def test_a_volume_says_what_it_shows(reading, workspace):
    assert reading.place_of_volume("main.d2c.exports") == f"{LAKE}/exports"
    assert LAKE not in reading.place_of_volume("main.d2c.libraries")
    assert reading.place_of_volume("main.d2c.gone") is None
