"""The two ways to sign in to Cosmos DB: with a service principal's token, or with the account's key."""

import http.client
import os
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol
from urllib.parse import urlencode, urlsplit

import orjson

from localcloud.cosmos.data_plane.authorization import sign
from localcloud.cosmos.data_plane.tokens import token_header
from localcloud.databricks.connector.errors import OptionError

# By this variable the SDKs of Azure, too, know where Microsoft Entra ID is.
AUTHORITY = "AZURE_AUTHORITY_HOST"
# To this the connector falls back where Entra ID does not know the account by its address.
SCOPE = "https://cosmos.azure.com/.default"
RENEWED_BEFORE_SECONDS = 300
TIMEOUT_SECONDS = 30


class SignIn(Protocol):
    """Gives each call its ``authorization`` header."""

    def header(self, method: str, parts: Sequence[str], date: str) -> str:
        """Return the header of a call, given by its method, the decoded parts of its path, and its date."""


@dataclass(frozen=True)
class AccountKey:
    """The account's key, base64."""

    key: str = field(repr=False)

    def header(self, method: str, parts: Sequence[str], date: str) -> str:
        """Return the signature of a call."""
        return sign(self.key, method, parts, date)


@dataclass(frozen=True)
class ServicePrincipal:
    """A service principal and its secret."""

    tenant_id: str
    client_id: str
    client_secret: str = field(repr=False)

    def header(self, method: str, parts: Sequence[str], date: str) -> str:
        """Return a token, which does for any call.

        Raises:
            OptionError: if there is none to be had.
        """
        return token_header(_tokens.token(self))


class KeptTokens:
    """The tokens of service principals, each asked for once until it is about to end.

    Args:
        log_in: returns a new token, and for how many seconds it is good.
        clock: the time in epoch seconds.
    """

    def __init__(
        self,
        log_in: Callable[[ServicePrincipal], tuple[str, float]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._log_in = log_in
        self._clock = clock
        self._asking = threading.Lock()
        self._tokens: dict[ServicePrincipal, tuple[str, float]] = {}

    def token(self, principal: ServicePrincipal) -> str:
        """Return a principal's token."""
        with self._asking:
            token, until = self._tokens.get(principal, ("", 0.0))
            if until < self._clock():
                token, seconds = self._log_in(principal)
                self._tokens[principal] = token, self._clock() + seconds - RENEWED_BEFORE_SECONDS
        return token


@cache
def trust() -> ssl.SSLContext:
    """Return what servers are trusted by; reading it for each connection would take longer than the connection."""
    return ssl.create_default_context()


def _log_in(principal: ServicePrincipal) -> tuple[str, float]:
    """Return a token, and for how many seconds it is good.

    https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
    """
    authority = urlsplit(os.environ.get(AUTHORITY, ""))
    if authority.scheme != "https" or not authority.hostname:
        raise OptionError(
            f"Signing in as a service principal needs the address of Entra ID: set {AUTHORITY}."
        )
    form = {
        "grant_type": "client_credentials",
        "client_id": principal.client_id,
        "client_secret": principal.client_secret,
        "scope": SCOPE,
    }
    connection = http.client.HTTPSConnection(
        authority.hostname, authority.port, timeout=TIMEOUT_SECONDS, context=trust()
    )
    try:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", f"/{principal.tenant_id}/oauth2/v2.0/token", urlencode(form), kind)
        content = orjson.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, orjson.JSONDecodeError) as error:
        raise OptionError(f"Entra ID at {authority.geturl()} gave no answer: {error}") from error
    finally:
        connection.close()
    if "access_token" not in content:
        raise OptionError(
            f"Entra ID refused the service principal {principal.client_id}: {content.get('error_description')}"
        )
    return content["access_token"], content["expires_in"]


_tokens = KeptTokens(_log_in)
