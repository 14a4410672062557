"""Blob triggers: the account is looked at every second, and each version of a blob fires once.

A trigger with the Event Grid source gets the same events; their delivery itself is not simulated. A function that
raises is called again for the same version, five times at the most.
"""

import asyncio
import logging
import os
import re
from typing import Any

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.functions.blob import InputStream
from azure.storage.blob import BlobServiceClient

from localcloud.functions_host.app import App, AppError, resolve_settings
from localcloud.functions_host.store import Store

logger = logging.getLogger(__name__)
POLL_SECONDS = 0.5
MOST_TRIES = 5


class BlobTrigger:
    """One function with a blob trigger.

    Args:
        app: the app.
        store: keeps which versions have fired.
        name: the function's name.

    Raises:
        AppError: if the trigger's connection is not set.
    """

    def __init__(self, app: App, store: Store, name: str) -> None:
        self._app = app
        self._store = store
        self._name = name
        self._function = app.of_type("blobTrigger")[name]
        trigger = self._function.get_trigger()
        path = resolve_settings(trigger.path)
        self._container, _, pattern = path.partition("/")
        self._pattern = path_pattern(pattern)
        self._prefix = pattern.partition("{")[0]
        connection = os.environ.get(trigger.connection)
        if not connection:
            raise AppError(
                f"The blob trigger {name} needs the app setting {trigger.connection}, a connection string."
            )
        self._client = BlobServiceClient.from_connection_string(connection).get_container_client(
            self._container
        )

    async def run(self) -> None:
        """Fire for every new version of a matching blob, for ever."""
        while True:
            try:
                for blob, etag in await asyncio.to_thread(self._unseen):
                    await self._fire(blob, etag)
            except AzureError as error:
                logger.warning("The blob trigger %s could not look: %s", self._name, type(error).__name__)
            await asyncio.sleep(POLL_SECONDS)

    def _unseen(self) -> list[tuple[str, str]]:
        known = {
            blob: (etag, tries)
            for blob, etag, tries in self._store.read(
                "select blob, etag, tries from receipts where trigger=?", self._name
            )
        }
        found = []
        try:
            for blob in self._client.list_blobs(name_starts_with=self._prefix):
                etag, tries = known.get(blob.name, ("", 0))
                if self._pattern.fullmatch(blob.name) and (etag != blob.etag or 0 < tries < MOST_TRIES):
                    found.append((blob.name, str(blob.etag)))
        except ResourceNotFoundError:
            return []
        return found

    async def _fire(self, blob: str, etag: str) -> None:
        content = await asyncio.to_thread(lambda: self._client.download_blob(blob).readall())
        name = f"{self._container}/{blob}"
        value: Any = InputStream(
            data=content, name=name, uri=f"{self._client.url}/{blob}", length=len(content)
        )
        try:
            await self._app.invoke(self._function, value)
        except Exception:
            logger.exception("Function %s failed for blob %s", self._name, name)
            self._note(blob, etag, failed=True)
        else:
            self._note(blob, etag, failed=False)

    def _note(self, blob: str, etag: str, *, failed: bool) -> None:
        """Keep that a version has fired; ``tries`` counts failures in a row, 0 after a success."""
        with self._store.transaction() as connection:
            connection.execute(
                "insert into receipts values(?,?,?,?) on conflict(trigger, blob) do update set "
                "tries=case when excluded.tries=0 then 0 when etag=excluded.etag then tries+1 else 1 end, "
                "etag=excluded.etag",
                (self._name, blob, etag, int(failed)),
            )


def path_pattern(pattern: str) -> re.Pattern[str]:
    """Return what the blob names of a trigger's path look like; a name in braces stands for any text."""
    parts = re.split(r"(\{\w+\})", pattern)
    return re.compile("".join(".+" if part.startswith("{") else re.escape(part) for part in parts))
