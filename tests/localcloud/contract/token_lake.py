"""A lake that takes tokens, with its clients, for contract tests."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from azure.storage.blob import BlobServiceClient, ContainerClient
from azure.storage.queue import QueueClient

from localcloud.cloud.processes import start_service, stop_service
from localcloud.cloud.services import ROLES
from localcloud.common.certificates import make_certificates
from localcloud.common.names import LOOPBACK
from localcloud.common.ports import free_port
from localcloud.entra.tokens import KEYS_VARIABLE, issue_token, new_signing_key, public_keys
from localcloud.lake import ACCOUNT, connection_string
from tests.contract.signed import Signed

KEY = base64.b64encode(b"a key for tests only, 32 bytes..").decode()
SIGNING_KEY = new_signing_key()


@dataclass(frozen=True)
class Account:
    """A running lake: its addresses that take tokens, and the authority that vouches for them."""

    blob_url: str
    queue_url: str
    authority: str
    plain: ContainerClient

    def files(self, caller, *, audience="https://storage.azure.com", signing_key=SIGNING_KEY, **claims):
        token = issue_token(signing_key, audience, caller, **claims)
        return self.service(Signed(token)).get_container_client("lake")

    def service(self, credential):
        return BlobServiceClient(
            self.blob_url, credential=credential, connection_verify=self.authority, retry_total=0
        )

    def queue(self, caller):
        credential = Signed(issue_token(SIGNING_KEY, "https://storage.azure.com/", caller))
        return QueueClient(
            self.queue_url, "mail", credential=credential, connection_verify=self.authority, retry_total=0
        )


@contextmanager
def running_account(folder: Path) -> Iterator[Account]:
    """Run a lake with a file system for as long as the context lasts."""
    certificates = make_certificates(folder / "certificates")
    queues, blobs_by_token, queues_by_token = (free_port() for _ in range(3))
    service = start_service(
        "lake",
        folder / "lake",
        arguments=[
            *("--queue-port", str(queues), "--roles", str(ROLES)),
            *("--token-port", str(blobs_by_token), "--token-queue-port", str(queues_by_token)),
        ],
        environment={
            "LOCALCLOUD_LAKE_KEY": KEY,
            KEYS_VARIABLE: json.dumps(public_keys(SIGNING_KEY)),
            **certificates.server_environment(),
        },
    )
    by_key = BlobServiceClient.from_connection_string(connection_string(service.url, KEY))
    addresses = (f"https://{LOOPBACK}:{port}/{ACCOUNT}" for port in (blobs_by_token, queues_by_token))
    try:
        yield Account(*addresses, str(certificates.authority), by_key.create_container("lake"))
    finally:
        stop_service(service)
