"""A service that fails every call does so within seconds: each SDK as the app connects it, against a real server."""

import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.cosmosdb import CosmosDBManagementClient
from azure.mgmt.datafactory import DataFactoryManagementClient
from azure.storage.blob import BlobServiceClient

from d2c.clients import retries
from d2c.clients.aws.dynamodb import DynamoDB
from d2c.clients.aws.s3 import Bucket
from d2c.clients.aws.sign_in import SDK_CONFIG
from d2c.clients.azure.cosmos.data_plane import connect_cosmos, try_reading_account
from d2c.clients.azure.cosmos.management import CosmosManagement
from d2c.clients.azure.data_factory import DataFactory
from d2c.clients.azure.identity import new_credential
from d2c.clients.azure.lake import Lake
from d2c.clients.azure.sign_in import management_arguments
from d2c.clients.databricks.jobs import connect_databricks
from d2c.errors import TransientError
from tests.unit.clients.outside import SignedIn
from tests.unit.clients.settings import local_settings

LONGEST_SECONDS = 15
BODY = b'{"error": {"code": "broken", "message": "it is broken"}}'
FAILURES = {
    "500": (500, {}),
    "503": (503, {}),
    "429": (429, {}),
    "429 for five minutes": (429, {"Retry-After": "300", "x-ms-retry-after-ms": "300000"}),
    "reset": (None, {}),
}
KEYS = {"aws_access_key_id": "id", "aws_secret_access_key": "secret", "region_name": "eu-west-1"}


class _FailingService(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.server.calls += 1
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, headers = self.server.failure
        if status is None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(BODY))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(BODY)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer

    def log_message(self, *_):
        pass


class _Server(ThreadingHTTPServer):
    calls = 0
    failure = (500, {})

    def handle_error(self, *_):
        """Say nothing: a connection that a client drops is no fault."""


@pytest.fixture(scope="module")
def service():
    server = _Server(("127.0.0.1", 0), _FailingService)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def slept(monkeypatch):
    """Let time pass without waiting; all SDKs sleep by these functions."""
    pauses, real = [], time.time
    monkeypatch.setattr(time, "sleep", pauses.append)
    monkeypatch.setattr(time, "time", lambda: real() + sum(pauses))
    return pauses


def _lake(url, _):
    account = BlobServiceClient(
        f"{url}/account", credential={"account_name": "account", "account_key": "a2V5"}, **retries.STORAGE
    )
    return Lake(account.get_container_client("lake"))


def _management(settings):
    """The service speaks plain HTTP, over which the SDK sends no token: requests go without one."""
    return {
        **management_arguments(settings),
        "credential": SignedIn(),
        "authentication_policy": SansIOHTTPPolicy(),
    }


def _data_factory(_, settings):
    return DataFactory(DataFactoryManagementClient(**_management(settings)), "group", "factory")


def _cosmos_management(_, settings):
    return CosmosManagement(CosmosDBManagementClient(**_management(settings)), "group", "account")


def _aws(kind, url):
    return boto3.client(kind, endpoint_url=url, config=SDK_CONFIG, **KEYS)


CALLS = {
    "lake, read": lambda url, settings: _lake(url, settings).read("a"),
    "lake, write": lambda url, settings: _lake(url, settings).write("a", b"text"),
    "lake, list": lambda url, settings: _lake(url, settings).sizes("a"),
    "data factory": lambda url, settings: _data_factory(url, settings).get_run("run"),
    "cosmos management": lambda url, settings: _cosmos_management(url, settings).find_container("d", "c"),
    "cosmos": lambda url, settings: try_reading_account(connect_cosmos(settings), url),
    "databricks": lambda _, settings: connect_databricks(settings).get_run(1),
    "dynamodb": lambda url, _: DynamoDB(_aws("dynamodb", url), "eu-west-1").describe_table("Music"),
    "s3": lambda url, _: Bucket(_aws("s3", url), "bucket").sizes("prefix"),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_an_identity_endpoint_that_fails_every_call_fails_within_seconds(
    service, slept, failure, monkeypatch
):
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{service.server_port}/token")
    monkeypatch.setenv("IDENTITY_HEADER", "secret")
    service.calls, service.failure = 0, failure
    with pytest.raises(ClientAuthenticationError):
        new_credential().get_token("https://management.azure.com/.default")
    # The shorter ones are Python's own, while it waits for a program such as `az`, which is asked next.
    assert sum(pause for pause in slept if pause > 0.1) <= LONGEST_SECONDS
    assert 1 <= service.calls <= LONGEST_SECONDS


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_service_that_fails_every_call_fails_within_seconds(service, slept, call, failure):
    url = f"http://127.0.0.1:{service.server_port}"
    settings = local_settings(
        D2C_MANAGEMENT_ENDPOINT=url, D2C_COSMOS_ENDPOINT=f"{url}/", DATABRICKS_HOST=url, DATABRICKS_TOKEN="t"
    )
    service.calls, service.failure = 0, failure
    with pytest.raises(TransientError):
        call(url, settings)
    assert sum(slept) <= LONGEST_SECONDS
    assert 1 <= service.calls <= LONGEST_SECONDS
