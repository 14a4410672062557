"""Access tokens: how they are signed, and how a service checks them.

https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-tokens
"""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from localcloud.common.names import TENANT_ID
from localcloud.common.principals import APP, Principal

KEY_ID = "local"
ISSUER = f"https://sts.windows.net/{TENANT_ID}/"
LIFETIME_SECONDS = 24 * 3600
# What services check tokens by, from the environment: a JSON Web Key Set by issuer.
KEYS_VARIABLE = "LOCALCLOUD_TOKEN_KEYS"
# A caller has one for hours.
MOST_ACCEPTED = 1_000
NEEDED = ("appid", "exp", "oid")

Claims = Mapping[str, Any]
Fault = Literal["issuer", "audience", "expired", "malformed"]


class TokenError(Exception):
    """A token that is not accepted.

    Args:
        fault: what is wrong with it.
        claims: what it claims; nothing if it could not be read.
    """

    def __init__(self, fault: Fault, claims: Claims) -> None:
        super().__init__(fault)
        self.fault = fault
        self.claims = claims


def new_signing_key() -> str:
    """Return a new private key for tokens, as PEM."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def public_keys(signing_key: str) -> dict[str, Any]:
    """Return what tokens of a private key are checked with: a JSON Web Key Set by issuer."""
    public = serialization.load_pem_private_key(signing_key.encode(), None).public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise TypeError("The key for tokens is no RSA key.")
    return {ISSUER: {"keys": [{**json.loads(RSAAlgorithm.to_jwk(public)), "kid": KEY_ID}]}}


def issue_token(signing_key: str, audience: str, caller: Principal = APP, **claims: Any) -> str:
    """Return a token of version 1 for a service principal.

    Args:
        signing_key: the private key.
        audience: the App ID URI that it is made out to.
        caller: whose token.
        claims: others than such a token has.
    """
    now = int(time.time())
    content = {
        "aud": audience,
        "iss": ISSUER,
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME_SECONDS,
        "appid": caller.client_id,
        "idtyp": "app",
        "oid": caller.object_id,
        "sub": caller.object_id,
        "tid": TENANT_ID,
        "ver": "1.0",
        **claims,
    }
    return jwt.encode(content, signing_key, "RS256", {"kid": KEY_ID})


class TokenChecks:
    """Checks the tokens that a service gets.

    Args:
        keys: the public keys of token issuers, as a JSON Web Key Set by issuer.
        audiences: by which the service is known to the issuer.
    """

    def __init__(self, keys: Mapping[str, Any], audiences: Sequence[str]) -> None:
        self._keys = {key["kid"]: key for key in keys.get(ISSUER, {}).get("keys", ())}
        self._audiences = list(audiences)
        self._accepted: dict[str, tuple[Principal, float]] = {}

    def caller(self, token: str) -> Principal:
        """Return whose token it is; one that has been accepted is until it ends.

        Raises:
            TokenError: if it is not accepted.
        """
        principal, until = self._accepted.get(token, (None, 0.0))
        if principal is None or until <= time.time():
            claims = self._checked(token)
            principal = Principal(str(claims["appid"]), str(claims["oid"]))
            if len(self._accepted) >= MOST_ACCEPTED:
                self._accepted.clear()
            self._accepted[token] = principal, float(claims["exp"])
        return principal

    def _checked(self, token: str) -> Claims:
        unchecked = _unchecked(token)
        for name, accepted in (("iss", [ISSUER]), ("aud", self._audiences)):
            if unchecked.get(name) not in accepted:
                raise TokenError("issuer" if name == "iss" else "audience", unchecked)
        try:
            return self._claims(token)
        except jwt.ExpiredSignatureError as error:
            raise TokenError("expired", unchecked) from error
        except (jwt.InvalidTokenError, KeyError) as error:
            raise TokenError("malformed", unchecked) from error

    def _claims(self, token: str) -> Claims:
        key = jwt.PyJWK(self._keys[jwt.get_unverified_header(token)["kid"]])
        claims: Claims = jwt.decode(
            token, key, ["RS256"], options={"require": list(NEEDED)}, audience=self._audiences
        )
        return claims


def _unchecked(token: str) -> Claims:
    try:
        claims: Claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise TokenError("malformed", {}) from error
    return claims
