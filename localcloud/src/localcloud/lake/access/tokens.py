"""Tokens of Microsoft Entra ID, refused in the words of Azure Storage."""

from collections.abc import Mapping
from typing import Any

from localcloud.common.principals import Principal
from localcloud.entra.tokens import Fault, TokenChecks, TokenError
from localcloud.lake import ACCOUNT
from localcloud.lake.access.refusals import bad_token

# https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory#use-oauth-access-tokens-for-authentication
AUDIENCES = (
    "https://storage.azure.com",
    "https://storage.azure.com/",
    f"https://{ACCOUNT}.blob.core.windows.net",
    f"https://{ACCOUNT}.queue.core.windows.net",
)
# https://github.com/Azure/AzureStor/issues/119 and https://github.com/Azure/azure-sdk-for-java/issues/8667 have two of
# these as the service says them.
CAUSES: Mapping[Fault, str] = {
    "issuer": "Issuer validation failed. Issuer did not match.",
    "audience": "Audience validation failed. Audience did not match.",
    "expired": "Lifetime validation failed. The token is expired.",
    "malformed": "Signature validation failed.",
}


class Tokens:
    """Tells who calls.

    Args:
        keys: the public keys of token issuers, as a JSON Web Key Set by issuer.
    """

    def __init__(self, keys: Mapping[str, Any]) -> None:
        self._checks = TokenChecks(keys, AUDIENCES)

    def caller(self, token: str) -> Principal:
        """Return whose token it is.

        Raises:
            StorageError: 401, with what is wrong with it.
        """
        try:
            return self._checks.caller(token)
        except TokenError as error:
            raise bad_token(CAUSES[error.fault]) from error
