"""The lake's events on their way to Microsoft's blob extension, as Event Grid delivers them.

https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage
"""

import asyncio
import logging
import uuid
from datetime import UTC, datetime
from typing import Any

import requests

from localcloud.functions_host.triggers.blob import BlobTrigger

logger = logging.getLogger(__name__)
TIMEOUT_SECONDS = 60
HOOK = "/runtime/webhooks/blobs"


class DeliveredTrigger(BlobTrigger):
    """A blob trigger whose events the extension takes: it calls the function, again if that fails, and gives up."""

    _extension = ""

    def deliver_to(self, extension: str) -> None:
        """Set the address that takes events."""
        self._extension = extension

    def called(self, path: str) -> None:
        """Call the function for a blob, from a thread, as the extension asks for it.

        Args:
            path: the container's name, a slash and the blob's.
        """
        blob = path.removeprefix(f"{self.container}/")
        content, _ = self._download(blob)
        assert self._app.loop is not None  # noqa: S101 - the extension starts after the loop
        asyncio.run_coroutine_threadsafe(self._call(blob, content), self._app.loop).result()

    async def _try(self, blob: str, etag: str) -> bool:
        """Deliver an event; return whether the extension has taken it."""
        try:
            answer = await asyncio.to_thread(self._deliver, blob, etag)
        except requests.RequestException as error:
            logger.warning("The extension took no event of %s: %s", blob, type(error).__name__)
            return False
        if not answer.ok:
            logger.warning("The extension refused the event of %s: %s", blob, answer.status_code)
            return False
        self._note(blob, etag, 0)
        return True

    def _deliver(self, blob: str, etag: str) -> requests.Response:
        event: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "topic": "/subscriptions/local/resourceGroups/local/providers/Microsoft.Storage/storageAccounts/lake",
            "subject": f"/blobServices/default/containers/{self.container}/blobs/{blob}",
            "eventType": "Microsoft.Storage.BlobCreated",
            "eventTime": datetime.now(UTC).isoformat(),
            "dataVersion": "",
            "metadataVersion": "1",
            "data": {
                "api": "PutBlob",
                "blobType": "BlockBlob",
                "eTag": etag,
                "url": self._client.get_blob_client(blob).url,
            },
        }
        return requests.post(
            f"{self._extension}{HOOK}",
            params={"functionName": f"Host.Functions.{self.name}"},
            headers={"aeg-event-type": "Notification"},
            json=[event],
            timeout=TIMEOUT_SECONDS,
        )
