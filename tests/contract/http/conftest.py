"""The app on the local Functions host with a key, and the lake: migrations wait for their start, and need no more."""

import os
from datetime import UTC, datetime, timedelta
from unittest import mock

import httpx
import pytest

from localcloud.cloud.services import running_cloud
from localcloud.common.ports import free_port
from tests.contract.polling import HANG_SECONDS, wait_until

KEY = "a-key-of-the-app"
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
PENDING, ENDED = "waits-for-tomorrow", "was-cancelled"


@pytest.fixture(scope="session")
def http(tmp_path_factory):
    """A client of the app with its key; one migration is pending, and one has ended."""
    folder = tmp_path_factory.mktemp("cloud")
    with (
        mock.patch.dict(os.environ, {"LOCALCLOUD_FUNCTION_KEY": KEY}),
        running_cloud(folder, ("lake", "functions_host"), functions_port=free_port()) as cloud,
        httpx.Client(
            base_url=cloud.identity.url("functions_host"),
            headers={"x-functions-key": KEY},
            timeout=HANG_SECONDS,
            trust_env=False,
        ) as client,
    ):
        start_both(client)
        yield client


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
