"""The app's own identity in Azure, and its names in access tokens."""

import base64
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import Any
from urllib.parse import unquote

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import DefaultAzureCredential

from d2c.clients import retries
from d2c.foreign_json import json_value

# Claims of an access token by their usual names; a token of version 2 has `azp` for `appid`.
# https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
MOST_CLAIMS_BYTES = 65_536
CLAIMS = (("client id", ("appid", "azp")), ("object id", ("oid",)), ("tenant", ("tid",)))


class AppIdentity:
    """Signs in as a managed identity on Azure and as a developer elsewhere, and remembers the name.

    ``name`` is empty until the first token arrives.

    Args:
        connect: makes azure-identity's credential, for the first token; None: `new_credential`.
    """

    def __init__(self, connect: Callable[[], DefaultAzureCredential] | None = None) -> None:
        self._connect = connect or new_credential
        self.name = ""

    @cached_property
    def _credential(self) -> DefaultAzureCredential:
        return self._connect()

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Return an access token for scopes, as `azure.core.credentials.TokenCredential` requires."""
        token = self._credential.get_token(*scopes, **options)
        self.name = name_in_token(token.token)
        return token

    def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """Return an access token with its renewal time, as `azure.core.credentials.SupportsTokenInfo` requires."""
        token = self._credential.get_token_info(*scopes, options=options)
        self.name = name_in_token(token.token)
        return token


@cache
def azure_credential() -> AppIdentity:
    """Return the app's own identity: managed identity on Azure, a developer's sign-in elsewhere."""
    return AppIdentity()


def new_credential() -> DefaultAzureCredential:
    """Return azure-identity's credential, whose calls end in seconds; it takes no policy of retries."""
    return DefaultAzureCredential(transport=_ShortPauses(**retries.CORE), **retries.CORE)


class _ShortPauses(RequestsTransport):  # type: ignore[misc]
    """The transport, but for a pause that a service asks for and that is longer than a call may make."""

    def sleep(self, duration: float) -> None:
        super().sleep(min(duration, retries.LONGEST_PAUSE_SECONDS))


def claims_of(token: str) -> Mapping[str, Any]:
    """Return the claims of an access token, unverified and for messages only; none if it is any other text."""
    payload = token.partition(".")[2].partition(".")[0]
    try:
        claims = json_value(
            base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), "a token", MOST_CLAIMS_BYTES
        )
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) else {}


def name_in_token(token: str) -> str:
    """Return the caller's name in an access token, which is not secret; empty if there is none.

    Args:
        token: a token of Entra ID, or any other text.
    """
    claims = claims_of(token)
    values = [(name, next((claims[key] for key in keys if key in claims), None)) for name, keys in CLAIMS]
    return ", ".join(f"{name} {value}" for name, value in values if value)


def name_in_headers(headers: Mapping[str, str]) -> str:
    """Return the caller's name from a request's token; a key or a local token has none.

    Cosmos DB takes the token as ``type=aad&ver=1.0&sig=<token>``, URL-encoded.
    https://learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources
    """
    authorization = unquote(headers.get("Authorization") or headers.get("authorization") or "")
    return name_in_token(authorization.removeprefix("Bearer ").rpartition("sig=")[2])
