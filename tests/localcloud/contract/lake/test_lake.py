import base64
import os
import re
import socket
import subprocess

import pytest
from azure.storage.blob import BlobServiceClient

from localcloud.cloud.processes import ServiceFailedError, start_service, stop_service
from localcloud.common.names import LOOPBACK
from localcloud.lake import connection_string
from tests.contract.polling import wait_until

KEY = base64.b64encode(b"a key for tests only, 32 bytes..").decode()


def start(folder, port=None):
    return start_service("lake", folder, port=port, environment={"LOCALCLOUD_LAKE_KEY": KEY})


def container(service):
    text = connection_string(service.url, KEY)
    return BlobServiceClient.from_connection_string(text).get_container_client("box")


def test_a_killed_service_leaves_no_azurite_behind_and_loses_nothing(tmp_path):
    first = start(tmp_path)
    (azurite,) = (int(pid) for pid in children(first.process.pid))
    container(first).create_container()
    container(first).upload_blob("kept", b"content")
    first.process.kill()
    first.process.wait()
    second = start(tmp_path, int(re.sub(r".*:", "", first.url)))
    try:
        assert container(second).download_blob("kept").readall() == b"content"
        wait_until(lambda: not os.path.exists(f"/proc/{azurite}"))  # noqa: PTH110 - a process, not a file
    finally:
        stop_service(second)
    assert children(second.process.pid) == []


def children(pid):
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.split()


def test_an_occupied_port_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            ServiceFailedError, match=f"Cannot listen on {LOOPBACK}:{port}: another program does"
        ):
            start(tmp_path, port)
