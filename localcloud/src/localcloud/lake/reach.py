"""How others reach an account of storage: with its key, or as the managed identity of their process.

Settings are named as the Functions runtime names them: ``NAME`` is a connection string, ``NAME__blobServiceUri`` and
``NAME__queueServiceUri`` are addresses for an identity.
https://learn.microsoft.com/azure/azure-functions/functions-reference#configure-an-identity-based-connection
"""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from azure.storage.blob import BlobServiceClient
from azure.storage.blob.aio import BlobServiceClient as AsyncBlobServiceClient

if TYPE_CHECKING:
    from azure.identity import ManagedIdentityCredential

SCOPE = "https://storage.azure.com/.default"


class Reach(NamedTuple):
    """A connection string, or the addresses of an account's blobs and queues; what is not known is empty."""

    connection_string: str
    blob_url: str = ""
    queue_url: str = ""

    def blobs(self, **options: Any) -> BlobServiceClient:
        """Return a client of the account.

        Args:
            options: of azure-storage-blob's client.
        """
        if self.connection_string:
            return BlobServiceClient.from_connection_string(self.connection_string, **options)
        return BlobServiceClient(self.blob_url, credential=own_identity(), **options)

    def async_blobs(self, **options: Any) -> AsyncBlobServiceClient:
        """Return an asynchronous client of the account.

        Args:
            options: of azure-storage-blob's client.
        """
        if self.connection_string:
            return AsyncBlobServiceClient.from_connection_string(self.connection_string, **options)
        from azure.identity.aio import ManagedIdentityCredential

        return AsyncBlobServiceClient(self.blob_url, credential=ManagedIdentityCredential(), **options)


def find_reach(environment: Mapping[str, str], name: str) -> Reach | None:
    """Return how an account is reached; None without settings.

    Args:
        environment: has the settings.
        name: the connection's.
    """
    text, url = environment.get(name, ""), environment.get(f"{name}__blobServiceUri", "")
    if not text and not url:
        return None
    return Reach(text, url, environment.get(f"{name}__queueServiceUri", ""))


def required_reach(environment: Mapping[str, str], name: str) -> Reach:
    """Return how an account is reached.

    Raises:
        SystemExit: without settings.
    """
    found = find_reach(environment, name)
    if found is None:
        raise SystemExit(f"Set {name}, a connection string, or {name}__blobServiceUri, an address.")
    return found


@cache
def own_identity() -> "ManagedIdentityCredential":
    """Return the managed identity of this process."""
    # Importing it delays the start of a service.
    from azure.identity import ManagedIdentityCredential

    return ManagedIdentityCredential()
