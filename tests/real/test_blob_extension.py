"""Microsoft's own blob extension: what becomes of an event whose function fails, and what the watchdog finds of it."""

import pytest
import requests
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient

from d2c.clients.azure.failed_events import QUEUE, FailedEvents
from localcloud.common.ports import free_port
from localcloud.functions_host.extension.engine import STORAGE
from localcloud.functions_host.extension.program import ExtensionProgram
from localcloud.functions_host.triggers.blob import MOST_TRIES
from tests.contract.polling import wait_until
from tests.real.extension import PROGRAM, Azurite, program
from tests.real.tools import needs

pytestmark = needs(*PROGRAM)
PATH = "plans/team/müsic 1.json"
FUNCTIONS = [
    {"name": "plan_arrived", "kind": "blob", "path": "lake/plans/{name}.json", "connection": STORAGE}
]


@pytest.fixture
def azurite(tmp_path):
    azurite = Azurite(tmp_path / "azurite")
    BlobServiceClient.from_connection_string(azurite.connection).create_container("lake")
    yield azurite
    azurite.stop()


def deliver(port, url):
    event = {
        "id": "1",
        "topic": "/subscriptions/s/resourceGroups/r/providers/Microsoft.Storage/storageAccounts/lake",
        "subject": f"/blobServices/default/containers/lake/blobs/{PATH}",
        "eventType": "Microsoft.Storage.BlobCreated",
        "eventTime": "2026-06-01T12:00:00Z",
        "dataVersion": "",
        "metadataVersion": "1",
        "data": {"api": "PutBlob", "blobType": "BlockBlob", "url": url},
    }
    answer = requests.post(
        f"http://127.0.0.1:{port}/runtime/webhooks/blobs",
        params={"functionName": "Host.Functions.plan_arrived"},
        headers={"aeg-event-type": "Notification"},
        json=[event],
        timeout=60,
    )
    answer.raise_for_status()


def test_an_event_whose_function_fails_five_times_is_in_the_queue_that_the_watchdog_reads(azurite, tmp_path):
    calls, port = [], free_port()

    def fail(kind, name, body):
        calls.append((kind, name, body))
        raise ConnectionError("the lake does not answer")

    host = {"extensions": {"durableTask": {"hubName": "D2C", "storageProvider": {"type": "AzureStorage"}}}}
    extension = ExtensionProgram(
        str(program()), tmp_path / "host", host, FUNCTIONS, {STORAGE: azurite.connection}, fail
    )
    extension.start(port)
    try:
        blob = BlobServiceClient.from_connection_string(azurite.connection).get_blob_client("lake", PATH)
        blob.upload_blob(b"{}")
        deliver(port, blob.url)
        failed = FailedEvents(QueueClient.from_connection_string(azurite.connection, QUEUE), "lake")
        (event,) = wait_until(lambda: failed.take(32))
        failed.remove(event)
    finally:
        extension.stop()
    assert calls == [("blob", "plan_arrived", f"lake/{PATH}")] * MOST_TRIES
    assert event.path == PATH
