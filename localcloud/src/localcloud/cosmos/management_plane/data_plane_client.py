"""The account's data plane, which keeps what the management plane is asked for."""

from email.utils import formatdate
from typing import Any
from urllib.parse import quote

import aiohttp

from localcloud.arm.errors import ArmError
from localcloud.cosmos.data_plane.authorization import sign

TIMEOUT = aiohttp.ClientTimeout(total=20)
REST_VERSION = "2020-07-15"
# As `localcloud.cosmos.data_plane.server` has them.
ADMIN, ADMIN_KEY_HEADER = "_localcloud", "x-localcloud-key"
CODES = {400: "BadRequest", 404: "NotFound", 409: "Conflict"}

Json = dict[str, Any]


class DataPlaneClient:
    """Signed calls to the account's endpoint.

    Args:
        url: the endpoint.
        key: the account's key, base64.
    """

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._key = key

    async def get(self, *parts: str) -> Json:
        """Return the resource at a path, given by its parts.

        Raises:
            ArmError: as the data plane answers, or 503 if it does not.
        """
        return await self._call("GET", parts)

    async def put(self, parts: tuple[str, ...], content: Json) -> Json:
        """Replace the resource at a path. Raises as `get` does."""
        return await self._call("PUT", parts, content)

    async def post(
        self, parts: tuple[str, ...], content: Json, headers: dict[str, str] | None = None
    ) -> Json:
        """Create something at a path. Raises as `get` does."""
        return await self._call("POST", parts, content, headers)

    async def administer(self, what: str) -> Json:
        """Return what the stand-in tells beside the service's API. Raises as `get` does."""
        return await self._call("GET", (ADMIN, what), headers={ADMIN_KEY_HEADER: self._key})

    async def offer_of(self, resource_id: str) -> Json | None:
        """Return the offer of a container by its ``_rid``, or None."""
        offers = (await self.get("offers"))["Offers"]
        return next((offer for offer in offers if offer["offerResourceId"] == resource_id), None)

    async def _call(
        self,
        method: str,
        parts: tuple[str, ...],
        content: Json | None = None,
        headers: dict[str, str] | None = None,
    ) -> Json:
        date = formatdate(usegmt=True)
        signed = {
            "authorization": sign(self._key, method, parts, date),
            "x-ms-date": date,
            "x-ms-version": REST_VERSION,
        }
        url = f"{self._url}/{'/'.join(quote(part, safe='') for part in parts)}"
        try:
            async with (
                aiohttp.ClientSession(timeout=TIMEOUT) as session,
                session.request(method, url, json=content, headers={**signed, **(headers or {})}) as answer,
            ):
                body: Json = await answer.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ArmError(
                503, "ServiceUnavailable", f"Cosmos DB at {self._url} did not answer: {error}"
            ) from error
        text = f"{body.get('code')}: {body.get('message')}"
        if answer.status in CODES:
            raise ArmError(answer.status, CODES[answer.status], text)
        if answer.status >= 400:
            # The key or the service is at fault, not whoever called the management plane.
            raise ArmError(500, "InternalServerError", f"Cosmos DB answered {answer.status} {text}")
        return body
