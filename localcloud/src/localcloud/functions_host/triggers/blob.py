"""Blob triggers: each version of a blob that matches fires once.

A trigger with the Event Grid source gets the same. A function that raises is called again for the same version at once,
five times at the most; then its event lies in the poison queue. A version that is gone before its turn is left out,
as on Azure: a newer one fires by itself.
"""

import asyncio
import logging
import os
import re
from typing import Any

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.functions.blob import InputStream
from azure.storage.blob import ContainerClient

from localcloud.functions_host.app import App, AppError, resolve_settings
from localcloud.functions_host.durable.store import Store
from localcloud.functions_host.triggers.poison import PoisonQueue
from localcloud.lake.reach import find_reach

logger = logging.getLogger(__name__)
MOST_TRIES = 5
# Five tries within half a second, as the blob extension 5.3.10 makes them.
RETRY_SECONDS = 0.1
# As on Azure: sixteen messages of its queue, and eight more once half of them are done.
MOST_AT_ONCE = 24


class BlobTrigger:
    """One function with a blob trigger.

    Args:
        app: the app.
        store: keeps which versions have fired.
        name: the function's name.
        files: the client of the blobs' container; None: by the trigger's connection.
        poison: takes the events that keep failing; None: likewise.

    Raises:
        AppError: if the trigger's connection is not set.
    """

    def __init__(
        self,
        app: App,
        store: Store,
        name: str,
        files: ContainerClient | None = None,
        poison: PoisonQueue | None = None,
    ) -> None:
        self._app = app
        self._store = store
        self.name = name
        self._function = app.of_type("blobTrigger")[name]
        trigger = self._function.get_trigger()
        self.path = resolve_settings(trigger.path)
        self.container, _, pattern = self.path.partition("/")
        self._pattern = path_pattern(pattern)
        self.prefix = pattern.partition("{")[0]
        reach = find_reach(os.environ, trigger.connection)
        if reach is None:
            raise AppError(
                f"The blob trigger {name} needs the app setting {trigger.connection}, a connection string, or "
                f"{trigger.connection}__blobServiceUri, an address."
            )
        self.reach = reach
        self._client = files or reach.blobs().get_container_client(self.container)
        self._poison = poison or PoisonQueue(reach)
        self._under_way: set[tuple[str, str]] = set()
        self._free = asyncio.Semaphore(MOST_AT_ONCE)
        rows = store.read("select blob, etag, tries from receipts where trigger=?", name)
        self._receipts: dict[str, tuple[str, int]] = {blob: (etag, tries) for blob, etag, tries in rows}

    def matches(self, blob: str) -> bool:
        """Return whether the trigger is for blobs of this name."""
        return bool(self._pattern.fullmatch(blob))

    def is_new(self, blob: str, etag: str) -> bool:
        """Return whether a version of a blob that a listing has found is still to fire."""
        if not self.matches(blob) or (blob, etag) in self._under_way:
            return False
        known, tries = self._receipts.get(blob, ("", 0))
        return known != etag or 0 < tries < MOST_TRIES

    async def fire(self, blob: str, etag: str) -> None:
        """Call the function for a version of a blob until it succeeds, five times at the most."""
        known, tries = self._receipts.get(blob, ("", 0))
        self._under_way.add((blob, etag))
        try:
            async with self._free:
                await self._try_often(blob, etag, tries if known == etag and tries < MOST_TRIES else 0)
        finally:
            self._under_way.discard((blob, etag))

    async def _try_often(self, blob: str, etag: str, tries: int) -> None:
        while tries < MOST_TRIES:
            if await self._try(blob, etag):
                return
            tries += 1
            self._note(blob, etag, tries)
            await asyncio.sleep(RETRY_SECONDS)
        await self._poisoned(blob, etag)

    def known_blobs(self) -> set[str]:
        """Return the blobs of which a version has fired."""
        return set(self._receipts)

    def forget(self, gone: set[str]) -> None:
        """Forget the receipts of blobs that are gone."""
        if not gone:
            return
        for blob in gone:
            del self._receipts[blob]
        with self._store.transaction() as connection:
            connection.executemany(
                "delete from receipts where trigger=? and blob=?", [(self.name, blob) for blob in gone]
            )

    async def _try(self, blob: str, etag: str) -> bool:
        """Call the function once; return whether nothing is left to do."""
        try:
            content, current = await asyncio.to_thread(self._download, blob)
        except ResourceNotFoundError:
            return True
        except AzureError as error:
            logger.warning("The blob trigger %s could not read %s: %s", self.name, blob, type(error).__name__)
            return False
        if current != etag:
            return True
        try:
            await self._call(blob, content)
        except Exception:
            logger.exception("Function %s failed for blob %s/%s", self.name, self.container, blob)
            return False
        self._note(blob, etag, 0)
        return True

    async def _call(self, blob: str, content: bytes) -> None:
        name, uri = f"{self.container}/{blob}", f"{self._client.url}/{blob}"
        value: Any = InputStream(data=content, name=name, uri=uri, length=len(content))
        await self._app.invoke(self._function, value)

    async def _poisoned(self, blob: str, etag: str) -> None:
        """Leave an event whose function has failed too often in the poison queue."""
        logger.error(
            "Function %s failed %s times for blob %s/%s", self.name, MOST_TRIES, self.container, blob
        )
        try:
            await asyncio.to_thread(self._poison.put, self.name, self.container, blob, etag)
        except AzureError as error:
            logger.warning("The poison queue could not be written: %s", type(error).__name__)

    def _download(self, blob: str) -> tuple[bytes, str]:
        download = self._client.download_blob(blob)
        return download.readall(), str(download.properties.etag).strip('"')

    def _note(self, blob: str, etag: str, tries: int) -> None:
        """Keep that a version has fired; ``tries`` counts failures in a row, 0 after a success."""
        self._receipts[blob] = (etag, tries)
        with self._store.transaction() as connection:
            connection.execute(
                "insert or replace into receipts values(?,?,?,?)", (self.name, blob, etag, tries)
            )


def path_pattern(pattern: str) -> re.Pattern[str]:
    """Return what the blob names of a trigger's path look like; without a pattern all are meant.

    A name in braces stands for any text, slashes and nothing at all included, and one between slashes may be left out
    with one of them; case does not matter. So filter the subscriptions of `infra/events.bicep`, by what a subject
    begins and ends with; the blob extension 5.3.10 was seen to call a function for whatever it is told of.
    """
    if not pattern:
        return re.compile(".*", re.DOTALL)
    parts = re.split(r"(/\{\w+\}(?=/)|\{\w+\})", pattern)
    text = "".join(map(_part_pattern, parts))
    return re.compile(text, re.IGNORECASE | re.DOTALL)


def _part_pattern(part: str) -> str:
    if part.startswith("/{"):
        return "(/.*)?"
    return ".*" if part.startswith("{") else re.escape(part)
