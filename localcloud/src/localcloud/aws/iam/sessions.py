"""Temporary credentials of roles. Like AWS's, a session token holds all that is known of its session, sealed."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt

from localcloud.aws.errors import RefusedError

ALGORITHM = "HS256"
# What each service says of credentials that it does not take: code, text and status.
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
UNKNOWN_KEY = {
    "s3": ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403),
    "dynamodb": (
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
        400,
    ),
    "sts": ("InvalidClientTokenId", "The security token included in the request is invalid.", 403),
}
BAD_TOKEN = {
    **UNKNOWN_KEY,
    "s3": ("InvalidToken", "The provided token is malformed or otherwise invalid.", 400),
}
EXPIRED = {
    "s3": ("ExpiredToken", "The provided token has expired.", 400),
    "dynamodb": ("ExpiredTokenException", "The security token included in the request is expired", 400),
    "sts": ("ExpiredToken", "The security token included in the request is expired", 403),
}


@dataclass(frozen=True)
class Session:
    """A session of a role: ``policy`` is what it allows of what the role does, None for all."""

    role_arn: str
    name: str
    policy: dict[str, Any] | None

    @property
    def account(self) -> str:
        """The role's account."""
        return self.role_arn.split(":")[4]

    @property
    def arn(self) -> str:
        """What errors and CloudTrail call whoever holds the credentials."""
        role = self.role_arn.rpartition("/")[2]
        return f"arn:aws:sts::{self.account}:assumed-role/{role}/{self.name}"


class Sessions:
    """Gives credentials out and knows them again, also after a restart.

    Args:
        seal: the secret that session tokens are sealed with.
    """

    def __init__(self, seal: str) -> None:
        # A seal of any length is as good, and the library wants one of at least this.
        self._seal = hashlib.sha256(seal.encode()).digest()

    def issue(self, session: Session, seconds: int) -> dict[str, Any]:
        """Return new credentials as STS answers them: ``Expiration`` is a datetime."""
        key_id = "ASIA" + base64.b32encode(secrets.token_bytes(10)).decode()
        expires_at = int(datetime.now(UTC).timestamp()) + seconds
        claims = {
            "key": key_id,
            "role": session.role_arn,
            "name": session.name,
            "policy": session.policy,
            "exp": expires_at,
        }
        return {
            "AccessKeyId": key_id,
            "SecretAccessKey": self.secret_key(key_id),
            "SessionToken": jwt.encode(claims, self._seal, ALGORITHM),
            "Expiration": datetime.fromtimestamp(expires_at, UTC),
        }

    def secret_key(self, key_id: str) -> str:
        """Return the secret access key of an access key."""
        digest = hmac.digest(self._seal, key_id.encode(), "sha256")
        return base64.b64encode(digest)[:40].decode()

    def read(self, service: str, key_id: str, token: str) -> Session:
        """Return the session that an access key and its token are of.

        Raises:
            RefusedError: as the service refuses it, if they are of none, or it has ended.
        """
        try:
            claims = jwt.decode(token, self._seal, [ALGORITHM])
        except jwt.ExpiredSignatureError as error:
            raise RefusedError(*EXPIRED[service]) from error
        except jwt.InvalidTokenError as error:
            raise RefusedError(*BAD_TOKEN[service]) from error
        if claims["key"] != key_id:
            raise RefusedError(*BAD_TOKEN[service])
        return Session(claims["role"], claims["name"], claims["policy"])
