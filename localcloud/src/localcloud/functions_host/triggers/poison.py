"""The queue of events whose function kept failing, which the blob extension writes.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-blob-trigger#poison-blobs
"""

import json
from contextlib import suppress

from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

QUEUE = "webjobs-blobtrigger-poison"


class PoisonQueue:
    """The queue in the storage account of the blobs; an account without queues has none.

    Args:
        connection: the account's connection string.
    """

    def __init__(self, connection: str) -> None:
        self._queue = (
            QueueClient.from_connection_string(
                connection, QUEUE, message_encode_policy=TextBase64EncodePolicy()
            )
            if "QueueEndpoint=" in connection
            else None
        )

    def put(self, function: str, container: str, blob: str, etag: str) -> None:
        """Put an event into the queue.

        Args:
            function: the function's name.
            container: of the blob.
            blob: its name.
            etag: of the version whose event it is.

        Raises:
            AzureError: if the queue cannot be written.
        """
        if self._queue is None:
            return
        message = {
            "Type": "BlobTrigger",
            "FunctionId": f"Host.Functions.{function}",
            "BlobType": "BlockBlob",
            "ContainerName": container,
            "BlobName": blob,
            "ETag": f'"{etag}"',
        }
        with suppress(ResourceExistsError):
            self._queue.create_queue()
        self._queue.send_message(json.dumps(message))
