"""The queue of events whose function kept failing, which the blob extension writes.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-blob-trigger#poison-blobs
"""

import json
from contextlib import suppress

from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from localcloud.lake.reach import Reach, own_identity

QUEUE = "webjobs-blobtrigger-poison"


class PoisonQueue:
    """The queue in the storage account of the blobs; an account without queues has none.

    Args:
        reach: how the account is reached.
    """

    def __init__(self, reach: Reach) -> None:
        self._queue = _queue(reach)

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


def _queue(reach: Reach) -> QueueClient | None:
    encoding = TextBase64EncodePolicy()
    if "QueueEndpoint=" in reach.connection_string:
        return QueueClient.from_connection_string(
            reach.connection_string, QUEUE, message_encode_policy=encoding
        )
    if reach.queue_url:
        return QueueClient(reach.queue_url, QUEUE, credential=own_identity(), message_encode_policy=encoding)
    return None
