"""Tokens of Microsoft Entra ID, refused in the words of Azure Resource Manager."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from localcloud.arm.errors import ArmError
from localcloud.common.names import TENANT_ID
from localcloud.common.principals import Principal
from localcloud.entra.tokens import ISSUER, Claims, Fault, TokenChecks, TokenError

# https://github.com/Azure-Samples/active-directory-dotnetcore-daemon-v2/issues/145
AUDIENCES = (
    "https://management.core.windows.net/",
    "https://management.core.windows.net",
    "https://management.azure.com/",
    "https://management.azure.com",
)
NOT_VALID = "The access token is invalid."


class Tokens:
    """Tells who calls.

    Args:
        keys: the public keys of token issuers, as a JSON Web Key Set by issuer.
        address: the API's own, by which its tenant knows it, too.
    """

    def __init__(self, keys: Mapping[str, Any], address: str = "") -> None:
        self._checks = TokenChecks(keys, (*AUDIENCES, address))

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
        try:
            return self._checks.caller(token)
        except TokenError as error:
            raise _REFUSALS[error.fault](error.claims) from error


def _wrong_issuer(claims: Claims) -> ArmError:
    return ArmError(
        401,
        "InvalidAuthenticationTokenTenant",
        f"The access token is from the wrong issuer '{claims.get('iss')}'. It must match the tenant '{ISSUER}' "
        f"associated with this subscription. Please use the authority (URL) 'https://login.windows.net/{TENANT_ID}' to "
        "get the token.",
    )


def _wrong_audience(claims: Claims) -> ArmError:
    allowed = ",".join(f"'{each}'" for each in AUDIENCES)
    return ArmError(
        401,
        "InvalidAuthenticationTokenAudience",
        f"The access token has been obtained for wrong audience or resource '{claims.get('aud')}'. It should exactly "
        f"match with one of the allowed audiences {allowed}.",
    )


def _expired(claims: Claims) -> ArmError:
    end, now = (f"{time:%m/%d/%Y %I:%M:%S %p}" for time in (_time(claims["exp"]), datetime.now(UTC)))
    text = f"The access token expiry UTC time '{end}' is earlier than current UTC time '{now}'."
    return ArmError(401, "ExpiredAuthenticationToken", text)


def _malformed(_: Claims) -> ArmError:
    return ArmError(401, "InvalidAuthenticationToken", NOT_VALID)


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


_REFUSALS: dict[Fault, Callable[[Claims], ArmError]] = {
    "issuer": _wrong_issuer,
    "audience": _wrong_audience,
    "expired": _expired,
    "malformed": _malformed,
}
