"""How blob triggers find blobs: one listing of a container for all of them, and writes that the lake reports."""

import asyncio
import html
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import requests
from aiohttp import web
from azure.core.exceptions import AzureError
from azure.storage.blob import ContainerSasPermissions, generate_container_sas
from requests.adapters import HTTPAdapter

from localcloud.functions_host import BLOBS_WRITTEN
from localcloud.functions_host.triggers.blob import BlobTrigger
from localcloud.lake.reach import SCOPE, Reach, own_identity

logger = logging.getLogger(__name__)
SHORTEST_INTERVAL_SECONDS = 0.5
# To list a blob costs Azurite and this host 0.09 ms together, so looking costs less than 5 % of a core.
PAUSE_SECONDS_PER_BLOB = 0.002
TIMEOUT_SECONDS = 60
SAS_LIFETIME = timedelta(days=365)
API_VERSION = "2021-12-02"
NOT_FOUND = 404
# The SDK's listing takes twenty times as long: it makes objects of all properties.
BLOB = re.compile(r"<Name>([^<]*)</Name>.*?<Etag>\"?([^<\"]*)\"?</Etag>", re.DOTALL)
NEXT_MARKER = re.compile(r"<NextMarker>([^<]+)</NextMarker>")


class BlobWatch:
    """Looks at one container for all triggers that watch it.

    Args:
        reach: how the account is reached.
        container: the container's name.
        triggers: the ones that watch it.
        list_seconds: how long it waits at least before it lists again.
    """

    def __init__(
        self, reach: Reach, container: str, triggers: Sequence[BlobTrigger], list_seconds: float
    ) -> None:
        self.container = container
        self._list_seconds = list_seconds
        self._triggers = triggers
        self._prefixes = shortest_prefixes(trigger.prefix for trigger in triggers)
        self._url = _listing_url(reach, container)
        self._is_signed = bool(reach.connection_string)
        self._session = requests.Session()
        # Between two looks the lake may have closed the connection.
        self._session.mount("http://", HTTPAdapter(max_retries=2))
        self._firing: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Fire for every new version of a matching blob, for ever."""
        while True:
            blobs = 0
            try:
                blobs = await self._look()
            except (requests.RequestException, AzureError) as error:
                logger.warning("Container %s could not be listed: %s", self.container, type(error).__name__)
            await asyncio.sleep(max(self._list_seconds, blobs * PAUSE_SECONDS_PER_BLOB))

    def tell(self, blob: str, etag: str) -> None:
        """Fire for an event about a version of a blob: one that is told twice fires twice, as Event Grid's do."""
        for trigger in self._triggers:
            if trigger.matches(blob):
                self._fire(trigger, blob, etag)

    def _fire(self, trigger: BlobTrigger, blob: str, etag: str) -> None:
        task = asyncio.create_task(trigger.fire(blob, etag))
        self._firing.add(task)
        task.add_done_callback(self._firing.discard)

    async def _look(self) -> int:
        """Fire for what a listing finds, forget what it finds no longer, and return how many blobs there are."""
        known = [trigger.known_blobs() for trigger in self._triggers]
        found = await asyncio.to_thread(lambda: dict(self._blobs()))
        for trigger, blobs in zip(self._triggers, known, strict=True):
            for blob, etag in found.items():
                if trigger.is_new(blob, etag):
                    self._fire(trigger, blob, etag)
            trigger.forget(blobs - found.keys())
        return len(found)

    def _blobs(self) -> Iterator[tuple[str, str]]:
        """Return names and etags of all blobs below the prefixes; none while there is no such container."""
        headers = {} if self._is_signed else _identity_headers()
        for prefix in self._prefixes:
            marker = ""
            while True:
                url = f"{self._url}&prefix={quote(prefix)}&marker={quote(marker)}"
                answer = self._session.get(url, headers=headers, timeout=TIMEOUT_SECONDS)
                if answer.status_code == NOT_FOUND:
                    return
                answer.raise_for_status()
                text = answer.content.decode()
                yield from ((html.unescape(name), etag) for name, etag in BLOB.findall(text))
                following = NEXT_MARKER.search(text)
                if following is None:
                    break
                marker = html.unescape(following[1])


def add_listener(watches: Sequence[BlobWatch], router: web.UrlDispatcher) -> None:
    """Add the route on which the lake reports written blobs, so that they are found before the next listing."""

    async def listen(request: web.Request) -> web.Response:
        for entry in await request.json():
            for watch in watches:
                if watch.container == entry["container"]:
                    watch.tell(entry["blob"], entry["etag"].strip('"'))
        return web.Response(status=204)

    router.add_post(BLOBS_WRITTEN, listen)


def watches(
    triggers: Iterable[BlobTrigger], list_seconds: float = SHORTEST_INTERVAL_SECONDS
) -> list[BlobWatch]:
    """Return one watch for each container, with its triggers."""
    by_container: dict[tuple[Reach, str], list[BlobTrigger]] = {}
    for trigger in triggers:
        by_container.setdefault((trigger.reach, trigger.container), []).append(trigger)
    return [BlobWatch(*place, found, list_seconds) for place, found in by_container.items()]


def shortest_prefixes(prefixes: Iterable[str]) -> list[str]:
    """Return the prefixes without those that another one covers."""
    kept: list[str] = []
    for prefix in sorted(set(prefixes)):
        if not kept or not prefix.startswith(kept[-1]):
            kept.append(prefix)
    return kept


def _identity_headers() -> dict[str, str]:
    token = own_identity().get_token(SCOPE).token
    return {"Authorization": f"Bearer {token}", "x-ms-version": API_VERSION}


def _listing_url(reach: Reach, container: str) -> str:
    """Return the address of a listing, with a signature if the account is reached with its key."""
    account = reach.blobs()
    url = f"{account.url.rstrip('/')}/{container}?restype=container&comp=list"
    if not reach.connection_string:
        return url
    signature = generate_container_sas(
        str(account.account_name),
        container,
        account_key=account.credential.account_key,
        permission=ContainerSasPermissions(list=True),
        expiry=datetime.now(UTC) + SAS_LIFETIME,
    )
    return f"{url}&{signature}"
