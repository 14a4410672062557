"""The blob extension's queue of events whose function failed five times: nothing else reads it.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-blob-trigger#poison-blobs
"""

import base64
import binascii
import json
import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from azure.core.exceptions import ResourceNotFoundError

from d2c.app.settings import Settings
from d2c.clients import retries
from d2c.clients.azure.sign_in import azure_credential, azure_errors
from d2c.clients.connections import connected_once

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient, QueueMessage

logger = logging.getLogger(__name__)
QUEUE = "webjobs-blobtrigger-poison"
# How long a message that was taken stays invisible; then it is there again.
HIDDEN_SECONDS = 600


class FailedEvent(NamedTuple):
    """An event whose function failed: the path of its file, and the message."""

    path: str
    message: "QueueMessage"


class FailedEvents:
    """The queue; without an address there is none, and nothing in it.

    Args:
        queue: azure-storage-queue's client, or None.
        file_system: whose events are meant.
    """

    def __init__(self, queue: "QueueClient | None", file_system: str) -> None:
        self._queue, self._file_system = queue, file_system

    def take(self, most: int) -> list[FailedEvent]:
        """Return events, which come again later unless they are removed.

        Args:
            most: how many at the most, up to 32.
        """
        if self._queue is None:
            return []
        with azure_errors(f"Queue {QUEUE}"):
            try:
                # By default the SDK asks for each message by a call of its own.
                received = self._queue.receive_messages(
                    messages_per_page=most, max_messages=most, visibility_timeout=HIDDEN_SECONDS
                )
                messages = list(received)
            except ResourceNotFoundError:
                # The extension makes the queue with the first such event.
                return []
        return [event for message in messages if (event := self._event(message))]

    def remove(self, event: FailedEvent) -> None:
        """Delete an event that has been handled."""
        self._delete(event.message)

    def _event(self, message: "QueueMessage") -> FailedEvent | None:
        """Return the event in a message; None if it is of another file system, or deleted because it is not one."""
        blob = _blob_of(message.content)
        if blob is None:
            logger.error("A message in the queue %s is no event of a blob, and is deleted", QUEUE)
            self._delete(message)
            return None
        container, path = blob
        return FailedEvent(path, message) if container == self._file_system else None

    def _delete(self, message: "QueueMessage") -> None:
        if self._queue is not None:
            with azure_errors(f"Queue {QUEUE}"):
                self._queue.delete_message(message)


def _blob_of(content: Any) -> tuple[str, str] | None:
    """Return the container and the path in a message, which is JSON in base64."""
    try:
        value = json.loads(base64.b64decode(content, validate=True))
        return str(value["ContainerName"]), str(value["BlobName"])
    except (binascii.Error, ValueError, TypeError, KeyError, RecursionError):
        return None


@connected_once
def connect_failed_events(settings: Settings) -> FailedEvents:
    """Return the queue in the lake's account, of which the blob extension has the address in its settings."""
    return FailedEvents(_queue(settings), settings.lake_file_system)


def _queue(settings: Settings) -> "QueueClient | None":
    from azure.storage.queue import QueueClient

    if any(mark in settings.lake_connection_string for mark in ("QueueEndpoint=", "EndpointSuffix=")):
        return QueueClient.from_connection_string(settings.lake_connection_string, QUEUE, **retries.STORAGE)
    if settings.lake_queue_url:
        return QueueClient(settings.lake_queue_url, QUEUE, credential=azure_credential(), **retries.STORAGE)
    return None
