import json
from email.utils import formatdate
from urllib.parse import quote

import httpx
import pytest

from localcloud.cosmos.data_plane.authorization import sign
from tests.contract.polling import HANG_SECONDS
from tests.localcloud.contract.cosmos_account import KEY, CosmosAccount


@pytest.fixture(scope="package")
def account(tmp_path_factory):
    running = CosmosAccount(tmp_path_factory.mktemp("cosmos"))
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def healed(account):
    yield
    account.heal()


@pytest.fixture
def container(account):
    return account.container()


@pytest.fixture
def own_account(tmp_path):
    """An account that a test may stop and start."""
    running = CosmosAccount(tmp_path / "cosmos")
    yield running
    running.stop()


@pytest.fixture
def call(account):
    """Calls the service without an SDK: what SDKs refuse themselves, and what Spark's connector sends."""

    def called(method, path, body=None, key=None, **headers):
        parts = [part for part in path.split("/") if part]
        date = formatdate(usegmt=True)
        sent = {
            "authorization": sign(KEY, method, parts, date),
            "x-ms-date": date,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        if key is not None:
            sent["x-ms-documentdb-partitionkey"] = json.dumps(key)
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        address = f"{account.url}/{'/'.join(quote(part, safe='') for part in parts)}"
        return httpx.request(method, address, headers=sent, content=content, timeout=HANG_SECONDS)

    return called


@pytest.fixture
def bulk(call):
    """Sends a batch as the Spark connector does."""

    def sent(container, operations, **headers):
        return call(
            "POST",
            f"{container.container_link}/docs",
            operations,
            x_ms_cosmos_is_batch_request="true",
            x_ms_cosmos_batch_atomic="false",
            x_ms_cosmos_batch_continue_on_error="true",
            x_ms_documentdb_partitionkeyrangeid="0",
            **headers,
        )

    return sent
