"""Tokens of Microsoft Entra ID, checked as Azure Resource Manager checks them.

https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-tokens
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import jwt

from localcloud.arm.errors import ArmError
from localcloud.common.names import TENANT_ID
from localcloud.common.principals import Principal

# https://github.com/Azure-Samples/active-directory-dotnetcore-daemon-v2/issues/145
AUDIENCES = (
    "https://management.core.windows.net/",
    "https://management.core.windows.net",
    "https://management.azure.com/",
    "https://management.azure.com",
)
ISSUER = f"https://sts.windows.net/{TENANT_ID}/"
NOT_VALID = "The access token is invalid."

Claims = Mapping[str, Any]


class Tokens:
    """Tells who calls.

    Args:
        keys: the public keys of token issuers, as a JSON Web Key Set by issuer.
    """

    def __init__(self, keys: Mapping[str, Any]) -> None:
        self._keys = {key["kid"]: key for key in keys.get(ISSUER, {}).get("keys", ())}

    def caller(self, header: str) -> Principal:
        """Return who a request's header ``Authorization`` belongs to.

        Raises:
            ArmError: 401, with what is wrong with the token.
        """
        kind, _, token = header.partition(" ")
        if not header:
            text = "Authentication failed. The 'Authorization' header is missing."
            raise ArmError(401, "AuthenticationFailed", text)
        if kind.lower() != "bearer":
            raise ArmError(401, "InvalidAuthenticationToken", NOT_VALID)
        claims = self._claims(token)
        return Principal(str(claims["appid"]), str(claims["oid"]))

    def _claims(self, token: str) -> Claims:
        try:
            unchecked = jwt.decode(token, options={"verify_signature": False})
            _check_issuer(unchecked)
            _check_audience(unchecked)
            key = jwt.PyJWK(self._keys[jwt.get_unverified_header(token)["kid"]])
            needed = ["appid", "exp", "oid"]
            return jwt.decode(token, key, ["RS256"], options={"require": needed}, audience=AUDIENCES)
        except jwt.ExpiredSignatureError as error:
            raise _expired(unchecked) from error
        except (jwt.InvalidTokenError, KeyError) as error:
            raise ArmError(401, "InvalidAuthenticationToken", NOT_VALID) from error


def _check_issuer(claims: Claims) -> None:
    if claims.get("iss") == ISSUER:
        return
    raise ArmError(
        401,
        "InvalidAuthenticationTokenTenant",
        f"The access token is from the wrong issuer '{claims.get('iss')}'. It must match the tenant '{ISSUER}' "
        f"associated with this subscription. Please use the authority (URL) 'https://login.windows.net/{TENANT_ID}' to "
        "get the token.",
    )


def _check_audience(claims: Claims) -> None:
    if claims.get("aud") in AUDIENCES:
        return
    allowed = ",".join(f"'{each}'" for each in AUDIENCES)
    raise ArmError(
        401,
        "InvalidAuthenticationTokenAudience",
        f"The access token has been obtained for wrong audience or resource '{claims.get('aud')}'. It should exactly "
        f"match with one of the allowed audiences {allowed}.",
    )


def _expired(claims: Claims) -> ArmError:
    end, now = (f"{time:%m/%d/%Y %I:%M:%S %p}" for time in (_time(claims["exp"]), datetime.now(UTC)))
    text = f"The access token expiry UTC time '{end}' is earlier than current UTC time '{now}'."
    return ArmError(401, "ExpiredAuthenticationToken", text)


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
