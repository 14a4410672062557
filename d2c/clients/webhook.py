"""The webhook that notifications go to, signed as Standard Webhooks says.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import asyncio
import base64
import functools
import hashlib
import hmac
import logging
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx
from httpx import create_ssl_context

from d2c.app.settings import LOOPBACK_HOSTS, Settings
from d2c.errors import TransientError

# It logs every address that it asks, tokens included.
logging.getLogger("httpx").setLevel(logging.WARNING)

TIMEOUT_SECONDS = 15.0
SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets begin with, not one


class Webhook:
    """One address that events are sent to.

    Args:
        client: httpx's client.
        url: the address. It may hold a token, so no message names more of it than its host.
        secret: what events are signed with: ``whsec_`` and base64.
        timeout_seconds: how long one delivery may take in all.
    """

    def __init__(
        self, client: httpx.AsyncClient, url: str, secret: str, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self._client = client
        self._url = url
        self._key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
        self._timeout_seconds = timeout_seconds

    async def send(self, event_id: str, event: bytes) -> None:
        """Send an event once.

        Args:
            event_id: the same at every try, so that the receiver can tell an event that it has.
            event: a CloudEvent as JSON.

        Raises:
            TransientError: with what came in place of an answer of 200 to 299.
        """
        headers = {
            "content-type": "application/cloudevents+json",
            "user-agent": "d2c",
            **self._signed(event_id, event),
        }
        try:
            # httpx bounds each read alone, and a receiver may send its answer a byte at a time; hence a bound of ours.
            async with (
                asyncio.timeout(self._timeout_seconds),
                self._client.stream("POST", self._url, content=event, headers=headers) as answer,
            ):
                status = answer.status_code
        except TimeoutError:
            raise self._not_delivered(f"did not answer within {self._timeout_seconds:g} seconds") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._not_delivered(f"could not be reached: {type(error).__name__}") from error
        if not 200 <= status < 300:
            raise self._not_delivered(f"answered {status}")

    def _signed(self, event_id: str, event: bytes) -> dict[str, str]:
        timestamp = str(int(time.time()))
        signed = b".".join((event_id.encode(), timestamp.encode(), event))
        signature = base64.b64encode(hmac.digest(self._key, signed, hashlib.sha256)).decode()
        return {
            "webhook-id": event_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": f"v1,{signature}",
        }

    def _not_delivered(self, what: str) -> TransientError:
        return TransientError(
            f"The webhook at {urlsplit(self._url).hostname} {what}.",
            "It is tried again for a day; check D2C_WEBHOOK_URL, and the receiver's log.",
        )


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Return the authorities that are trusted; to read them takes long enough to hold up a host's event loop."""
    return create_ssl_context()


@asynccontextmanager
async def connect_webhook(settings: Settings) -> AsyncIterator[Webhook]:
    """Connect to the webhook in the settings, which must have one."""
    local = urlsplit(settings.webhook_url).hostname in LOOPBACK_HOSTS
    async with httpx.AsyncClient(
        verify=_trusted(), follow_redirects=False, timeout=TIMEOUT_SECONDS, trust_env=not local
    ) as client:
        yield Webhook(client, settings.webhook_url, settings.webhook_secret)
