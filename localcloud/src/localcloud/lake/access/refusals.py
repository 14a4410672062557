"""What Azure Storage answers to calls that it does not carry out.

https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2
"""

import uuid
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from localcloud.common.names import TENANT_ID

VERSION = "2021-12-02"
# https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory#bearer-challenge
CHALLENGE = (
    f"Bearer authorization_uri=https://login.microsoftonline.com/{TENANT_ID}/oauth2/authorize "
    "resource_id=https://storage.azure.com"
)
SEE_HEADER = (
    "Server failed to authenticate the request. "
    "Please refer to the information in the www-authenticate header."
)


class StorageError(Exception):
    """A call is refused.

    Args:
        status: HTTP status.
        code: the error's code.
        message: its text.
        detail: what is wrong with a token, or empty.
    """

    def __init__(self, status: int, code: str, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.detail = status, code, detail
        self.request_id = str(uuid.uuid4())

    @property
    def headers(self) -> dict[str, str]:
        """The headers that go with it."""
        challenge = {"WWW-Authenticate": CHALLENGE} if self.status == 401 else {}
        return {
            "Content-Type": "application/xml",
            "x-ms-error-code": self.code,
            "x-ms-request-id": self.request_id,
            "x-ms-version": VERSION,
            **challenge,
        }

    def body(self) -> bytes:
        """Return the answer's body."""
        time = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"
        detail = (
            f"<AuthenticationErrorDetail>{escape(self.detail)}</AuthenticationErrorDetail>"
            if self.detail
            else ""
        )
        return (
            '<?xml version="1.0" encoding="utf-8"?>'
            f"<Error><Code>{self.code}</Code><Message>{escape(str(self))}\n"
            f"RequestId:{self.request_id}\nTime:{time}</Message>{detail}</Error>"
        ).encode()


def invalid(cause: str) -> StorageError:
    """Return the refusal of a request that is none of the service."""
    return StorageError(
        400, "InvalidUri", f"The requested URI does not represent any resource on the server: {cause}."
    )


def not_supported(what: str) -> StorageError:
    """Return the refusal of a call that this stand-in does not know, or that takes no tokens on Azure either."""
    return StorageError(
        403, "AuthorizationFailure", f"This request is not authorized to perform this operation: {what}."
    )


def not_allowed() -> StorageError:
    """Return the refusal of a call that the caller's roles do not allow."""
    return StorageError(
        403,
        "AuthorizationPermissionMismatch",
        "This request is not authorized to perform this operation using this permission.",
    )


def no_keys() -> StorageError:
    """Return the refusal of a key, where the account takes identities only."""
    return StorageError(
        403,
        "KeyBasedAuthenticationNotPermitted",
        "Key based authentication is not permitted on this storage account.",
    )


def no_token() -> StorageError:
    """Return the refusal of a call without any sign of who calls."""
    return StorageError(401, "NoAuthenticationInformation", SEE_HEADER)


def bad_token(detail: str) -> StorageError:
    """Return the refusal of a token.

    Args:
        detail: what is wrong with it.
    """
    return StorageError(401, "InvalidAuthenticationInfo", SEE_HEADER, detail)
