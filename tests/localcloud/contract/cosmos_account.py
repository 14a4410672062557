"""A running local Cosmos DB, and what tests do with it beside calling it with the SDK."""

import base64
import ssl
import uuid

import httpx
from azure.cosmos import CosmosClient, PartitionKey

from localcloud.cloud.processes import start_service, stop_service
from tests.contract.polling import HANG_SECONDS

KEY = base64.b64encode(b"a key for tests only, 32 bytes..").decode()
# The most that a container with one physical partition is created with.
PLENTY_RU = 6_000


class CosmosAccount:
    """A local Cosmos DB of its own state folder; with a certificate authority it speaks TLS."""

    def __init__(self, state_folder, arguments=(), environment=None, authority=None):
        self.state_folder = state_folder
        self._arguments = arguments
        self._environment = {"LOCALCLOUD_COSMOS_KEY": KEY, **(environment or {})}
        self._trust = ssl.create_default_context(cafile=authority)
        self._start()

    def _start(self, port=None):
        self.service = start_service(
            "cosmos",
            self.state_folder,
            port=port,
            arguments=self._arguments,
            environment=self._environment,
        )
        self.url = self.service.url
        headers = {"x-localcloud-key": KEY}
        self.http = httpx.Client(base_url=self.url, headers=headers, timeout=HANG_SECONDS, verify=self._trust)

    def client(self, **options):
        return CosmosClient(self.url, KEY, **options)

    def database(self):
        return self.client().create_database(f"d{uuid.uuid4().hex[:8]}")

    def container(self, *paths, ru=PLENTY_RU, version=2, **options):
        """Create a container in a database of its own; the key is /pk if no path is given."""
        kind = "MultiHash" if len(paths) > 1 else "Hash"
        path = list(paths) if len(paths) > 1 else (paths or ("/pk",))[0]
        key = PartitionKey(path, kind=kind, version=version)
        return self.database().create_container("c", key, offer_throughput=ru, **options)

    def fail_next(self, count, **fault):
        self.fail({**fault, "count": count})

    def fail(self, *faults):
        """Make calls fail, by one fault after the other until its count is used up."""
        answer = self.http.post(
            "/_localcloud/faults", json=[{"scope": "request", **fault} for fault in faults]
        )
        assert answer.status_code == 204, answer.text

    def heal(self):
        self.http.delete("/_localcloud/faults")

    def statistics(self, container):
        database = container.container_link.split("/")[1]
        return self.http.get("/_localcloud/statistics").json()["containers"][f"{database}/{container.id}"]

    def posts(self):
        """How often anyone has written or queried; the SDK's clients read the account whenever they like."""
        return self.http.get("/_localcloud/statistics").json()["requests"].get("POST", 0)

    def restart(self):
        """End the service as asked, and start it again on its state."""
        self.stop()
        self._start(port=self._port)

    def kill_and_restart(self):
        """End the service without a warning, and start it again on its state."""
        self.service.process.kill()
        self.service.process.wait()
        self.stop()
        self._start(port=self._port)

    def stop(self):
        self.http.close()
        stop_service(self.service)

    @property
    def _port(self):
        return int(self.url.rsplit(":", 1)[1])
