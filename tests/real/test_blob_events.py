"""Event Grid's deliveries to Microsoft's own blob extension, as the local host's blob triggers take them."""

import json
from collections import Counter

import httpx
import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient

from d2c.clients.azure.failed_events import QUEUE, FailedEvents
from localcloud.common.checkout import CHECKOUT
from localcloud.common.ports import free_port
from localcloud.functions_host.extension.engine import STORAGE
from localcloud.functions_host.extension.program import ExtensionProgram
from localcloud.functions_host.triggers.blob import MOST_TRIES
from tests.contract.polling import HANG_SECONDS, wait_until
from tests.real.extension import PROGRAM, Azurite, program
from tests.real.tools import needs

pytestmark = needs(*PROGRAM)
PLANS = {"name": "plan_arrived", "kind": "blob", "path": "lake/plans/{name}.json", "connection": "D2C_LAKE"}


class Events:
    """The extension with one function for blobs, which notes what it is called for, and may fail."""

    def __init__(self, folder):
        self.error = None
        self._storage, self.lake = Azurite(folder / "storage"), Azurite(folder / "lake")
        self._blobs = BlobServiceClient.from_connection_string(self.lake.connection).create_container("lake")
        self.called = Counter()
        connections = {STORAGE: self._storage.connection, "D2C_LAKE": self.lake.connection}
        settings = json.loads((CHECKOUT / "host.json").read_text())
        self._port = free_port()
        self._program = ExtensionProgram(str(program()), folder, settings, [PLANS], connections, self._call)
        self._program.start(self._port)

    def _call(self, kind, name, body):
        assert (kind, name) == ("blob", "plan_arrived")
        self.called[body] += 1
        if self.error:
            raise self.error
        return "null"

    def write(self, name):
        self._blobs.upload_blob(name, b"{}", overwrite=True)

    def deliver(self, *names):
        for name in names:
            url = f"http://127.0.0.1:{self._port}/runtime/webhooks/blobs"
            answer = httpx.post(
                url,
                params={"functionName": "Host.Functions.plan_arrived"},
                headers={"aeg-event-type": "Notification"},
                json=[_event(self._blobs.url, name)],
                timeout=HANG_SECONDS,
            )
            assert answer.status_code == 202

    def stop(self):
        self._program.stop()
        self._storage.stop()
        self.lake.stop()


def _event(container, name):
    data = {"api": "PutBlob", "blobType": "BlockBlob", "eTag": "0x1", "url": f"{container}/{name}"}
    return {
        "id": name,
        "topic": "lake",
        "subject": f"/blobServices/default/containers/lake/blobs/{name}",
        "eventType": "Microsoft.Storage.BlobCreated",
        "eventTime": "2026-06-01T12:00:00Z",
        "dataVersion": "",
        "metadataVersion": "1",
        "data": data,
    }


@pytest.fixture
def events(tmp_path):
    running = Events(tmp_path)
    yield running
    running.stop()


def test_an_event_twice_fires_twice_and_one_of_a_blob_that_is_gone_does_not(events):
    # The extension does not look at the path: the subscription alone (`infra/events.bicep`) filters.
    for name in ("plans/a.JSON", "plans/other.txt"):
        events.write(name)
    events.deliver("plans/gone.json", "plans/a.JSON", "plans/a.JSON", "plans/other.txt")
    wait_until(lambda: events.called.total() == 3)
    assert events.called == {"lake/plans/a.JSON": 2, "lake/plans/other.txt": 1}


def test_an_event_whose_function_fails_five_times_is_in_the_queue_that_the_watchdog_reads(events):
    name = "plans/team/müsic 1.json"
    events.error = ConnectionError("the lake does not answer")
    events.write(name)
    events.deliver(name)
    failed = FailedEvents(QueueClient.from_connection_string(events.lake.connection, QUEUE), "lake")
    (event,) = wait_until(lambda: failed.take(32))
    failed.remove(event)
    assert events.called == {f"lake/{name}": MOST_TRIES}
    assert event.path == name
