"""The webhook that receives notifications, signed according to Standard Webhooks.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import standardwebhooks

from d2c.app.addresses import LOOPBACK_HOSTS
from d2c.app.settings import Settings
from d2c.clients.connections import trusted_authorities
from d2c.errors import TransientError

if TYPE_CHECKING:
    import httpx

# It logs the URL of every request, tokens included.
logging.getLogger("httpx").setLevel(logging.WARNING)

TIMEOUT_SECONDS = 15.0


class Webhook:
    """A receiver of events.

    Args:
        client: httpx's client.
        url: the receiver's. It may contain a token, so messages name its host only.
        secret: the signing key: ``whsec_`` and base64.
        timeout_seconds: the limit of one delivery as a whole.
    """

    def __init__(
        self, client: httpx.AsyncClient, url: str, secret: str, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self._client = client
        self._url = url
        self._signer = standardwebhooks.Webhook(secret)
        self._timeout_seconds = timeout_seconds

    async def send(self, event_id: str, event: bytes) -> None:
        """Send an event once.

        Args:
            event_id: the same at each attempt, so that the receiver can recognise duplicates.
            event: a CloudEvent as JSON.

        Raises:
            TransientError: if the response is not 200 to 299.
        """
        import httpx

        headers = {
            "content-type": "application/cloudevents+json",
            "user-agent": "d2c",
            **self._signed(event_id, event),
        }
        try:
            # httpx limits each read only, and a receiver may send its response a byte at a time.
            async with (
                asyncio.timeout(self._timeout_seconds),
                self._client.stream("POST", self._url, content=event, headers=headers) as response,
            ):
                status = response.status_code
        except TimeoutError:
            raise self._not_delivered(f"did not answer within {self._timeout_seconds:g} seconds") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._not_delivered(f"could not be reached: {type(error).__name__}") from error
        if not 200 <= status < 300:
            raise self._not_delivered(f"answered {status}")

    def _signed(self, event_id: str, event: bytes) -> dict[str, str]:
        now = datetime.now(UTC)
        return {
            "webhook-id": event_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer.sign(event_id, now, event.decode()),
        }

    def _not_delivered(self, cause: str) -> TransientError:
        return TransientError(
            f"The webhook at {urlsplit(self._url).hostname} {cause}.",
            "Retrying for a day; check D2C_WEBHOOK_URL and the receiver's log.",
        )


@asynccontextmanager
async def connect_webhook(settings: Settings) -> AsyncIterator[Webhook]:
    """Connect to the webhook of the settings, which must have one."""
    # Importing it delays the start of a worker.
    import httpx

    local = urlsplit(settings.webhook_url).hostname in LOOPBACK_HOSTS
    async with httpx.AsyncClient(
        verify=trusted_authorities(),
        follow_redirects=False,
        timeout=TIMEOUT_SECONDS,
        trust_env=not local,
    ) as client:
        yield Webhook(client, settings.webhook_url, settings.webhook_secret)
