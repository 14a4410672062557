import base64
import os
from pathlib import Path

import httpx
import pytest
from azure.storage.blob import BlobServiceClient

from localcloud.cloud.processes import start_service, stop_service
from localcloud.common.names import LOOPBACK
from localcloud.common.ports import free_port
from localcloud.lake import connection_string
from tests.contract.polling import HANG_SECONDS, wait_until

SAMPLE_APP = Path(__file__).parent / "sample_app"
LAKE_KEY = base64.b64encode(b"a key for tests only, 32 bytes..").decode()


class Host:
    """A running host with the sample app, and the ways in which tests use it."""

    def __init__(self, state_folder, storage, port=None, arguments=(), schedule="0 0 0 1 1 *", key=""):
        self.state_folder = state_folder
        self.storage = storage
        self.ledger = state_folder / "ledger"
        self.ledger.touch()
        self.service = start_service(
            "functions_host",
            state_folder,
            port=port,
            arguments=["--app", str(SAMPLE_APP), *arguments],
            environment={
                "SAMPLE_LEDGER": str(self.ledger),
                "SAMPLE_STORAGE": storage,
                "SAMPLE_CONTAINER": "box",
                "SAMPLE_SCHEDULE": schedule,
                "LOCALCLOUD_FUNCTION_KEY": key,
                "PYTHONPATH": os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")]),
            },
        )
        self.http = httpx.Client(base_url=self.service.url, timeout=HANG_SECONDS)

    def start(self, name, instance, value):
        answer = self.http.post(f"/api/start/{name}/{instance}", json=value)
        assert answer.status_code == 202, answer.text
        return answer.json()

    def status(self, instance):
        return self.http.get(f"/runtime/webhooks/durabletask/instances/{instance}").json()

    def ended(self, instance):
        def look():
            status = self.status(instance)
            return status if status["runtimeStatus"] in ("Completed", "Failed", "Terminated") else None

        return wait_until(look)

    def noted(self):
        return self.ledger.read_text().splitlines()


@pytest.fixture(scope="session")
def storage(tmp_path_factory):
    port = free_port()
    service = start_service(
        "lake",
        tmp_path_factory.mktemp("lake"),
        arguments=["--queue-port", str(port)],
        environment={"LOCALCLOUD_LAKE_KEY": LAKE_KEY},
    )
    text = connection_string(service.url, LAKE_KEY, {"Queue": f"http://{LOOPBACK}:{port}"})
    BlobServiceClient.from_connection_string(text).create_container("box")
    yield text
    stop_service(service)


@pytest.fixture(scope="module")
def host(tmp_path_factory, storage):
    running = Host(tmp_path_factory.mktemp("host"), storage)
    yield running
    stop_service(running.service)
