"""Tokens of Microsoft Entra ID as a call brings them: ``type=aad&ver=1.0&sig=<token>``, URL-encoded.

https://learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from localcloud.common.names import COSMOS_ACCOUNT, TENANT_ID
from localcloud.common.principals import Principal
from localcloud.cosmos.data_plane.rights import blocked
from localcloud.cosmos.errors import (
    TOKEN_EXPIRED,
    TOKEN_MALFORMED,
    TOKEN_OF_ANOTHER_ISSUER,
    TOKEN_TO_ANOTHER,
    CosmosError,
)
from localcloud.entra.tokens import Claims, Fault, TokenChecks, TokenError

# In the order in which the service tells them: https://github.com/Azure/azure-sdk-for-java/issues/42800
AUDIENCES = (
    f"https://{COSMOS_ACCOUNT}.documents.azure.com",
    f"https://{COSMOS_ACCOUNT}.sql.cosmos.azure.com",
    f"https://{COSMOS_ACCOUNT}.sqlx.cosmos.azure.com",
    "https://cosmos.azure.com",
)
_HEADER = re.compile(r"type=aad&ver=1\.0&sig=(.+)")


class Tokens:
    """Tells who calls.

    Args:
        keys: the public keys of token issuers, as a JSON Web Key Set by issuer.
    """

    def __init__(self, keys: Mapping[str, Any]) -> None:
        self._checks = TokenChecks(keys, AUDIENCES)

    def caller(self, header: str) -> Principal | None:
        """Return who a request's header ``Authorization`` belongs to, or None if it holds no token.

        Raises:
            CosmosError: 401, with what is wrong with the token.
        """
        found = _HEADER.fullmatch(unquote(header))
        if not found:
            return None
        try:
            return self._checks.caller(found[1])
        except TokenError as error:
            raise _REFUSALS[error.fault](error.claims) from error


def token_header(token: str) -> str:
    """Return the value of the header ``Authorization`` that brings a token."""
    return f"type%3Daad%26ver%3D1.0%26sig%3D{token}"


def _wrong_issuer(claims: Claims) -> CosmosError:
    """https://github.com/Azure/azure-cosmos-dotnet-v3/issues/3339."""
    authority = str(claims.get("iss")).rstrip("/").rpartition("/")[2]
    text = (
        f"Provided AAD token was issued by the authority [{authority}] which is not trusted by this database account. "
        f"Please ensure the token has been issued by the AAD tenant(s) [{TENANT_ID}]."
    )
    return blocked(401, TOKEN_OF_ANOTHER_ISSUER, text)


def _wrong_audience(claims: Claims) -> CosmosError:
    text = (
        f"Provided AAD token is intended for [{claims.get('aud')}]. This database account accepts tokens intended for "
        f"[{', '.join(AUDIENCES)}]."
    )
    return blocked(401, TOKEN_TO_ANOTHER, text)


def _expired(claims: Claims) -> CosmosError:
    """https://github.com/Azure/azure-sdk-for-js/issues/22620."""
    end, now = (
        f"{time:%m/%d/%Y %I:%M:%S %p} (UTC)"
        for time in (datetime.fromtimestamp(claims["exp"], UTC), datetime.now(UTC))
    )
    text = (
        f"Provided AAD token has been expired since [{end}]. Current server time is [{now}]. Please refresh the AAD "
        "token."
    )
    return blocked(401, TOKEN_EXPIRED, text)


def _malformed(_: Claims) -> CosmosError:
    return blocked(401, TOKEN_MALFORMED, "Provided AAD token is not valid.")


_REFUSALS: dict[Fault, Callable[[Claims], CosmosError]] = {
    "issuer": _wrong_issuer,
    "audience": _wrong_audience,
    "expired": _expired,
    "malformed": _malformed,
}
