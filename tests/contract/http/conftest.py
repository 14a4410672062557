"""The app on the local Functions host with a key, and the lake: migrations wait for their start, and need no more."""

import os
from datetime import UTC, datetime, timedelta
from unittest import mock

import httpx
import pytest
from azure.storage.blob import BlobServiceClient

from localcloud.cloud.app_settings import lake_connection
from localcloud.cloud.identity import load_identity
from localcloud.cloud.processes import stop_service
from localcloud.cloud.services import Cloud
from localcloud.common import names
from localcloud.common.ports import free_port
from tests.contract.polling import HANG_SECONDS, wait_until

KEY = "a-key-of-the-app"
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
PENDING, ENDED = "waits-for-tomorrow", "was-cancelled"


@pytest.fixture(scope="session")
def http(tmp_path_factory):
    """A client of the app with its key; one migration is pending, and one has ended."""
    folder = tmp_path_factory.mktemp("cloud")
    cloud = Cloud(folder, load_identity(folder, free_port()))
    try:
        cloud.start("lake")
        lake = BlobServiceClient.from_connection_string(lake_connection(cloud.identity))
        lake.create_container(names.LAKE_FILE_SYSTEM)
        with mock.patch.dict(os.environ, {"LOCALCLOUD_FUNCTION_KEY": KEY}):
            cloud.start("functions_host")
        url = cloud.identity.url("functions_host")
        client = httpx.Client(
            base_url=url, headers={"x-functions-key": KEY}, timeout=HANG_SECONDS, trust_env=False
        )
        with client:
            start_both(client)
            yield client
    finally:
        for service in reversed(cloud.processes.values()):
            stop_service(service)


def start(client, name):
    """Start a migration that waits until tomorrow."""
    tables = [{"table": "Music"}, {"table": "Orders"}]
    plan = {"name": name, "database": "shop", "region": "eu-west-1", "start_at": TOMORROW, "tables": tables}
    assert client.post("/api/migrations", json=plan).status_code == 202


def start_both(client):
    start(client, PENDING)
    start(client, ENDED)
    assert client.post(f"/api/migrations/{ENDED}/cancel").status_code == 202
    wait_until(lambda: client.get(f"/api/migrations/{ENDED}").json()["finished_at"])
