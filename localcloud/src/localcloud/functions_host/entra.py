"""Microsoft Entra ID as App Service shows it to an app: tokens for the app's managed identity.

https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
"""

import json
import os
import secrets
import time
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from localcloud.common.names import APP_OBJECT_ID, TENANT_ID, TOKEN_AUDIENCE

TOKEN_PATH = "/msi/token"  # noqa: S105 - an address, not a secret
API_VERSION = "2019-08-01"
KEY_ID = "local"
ISSUER = f"https://sts.windows.net/{TENANT_ID}/"
LIFETIME_SECONDS = 24 * 3600
HEADER = "IDENTITY_HEADER"
SIGNING_KEY = "LOCALCLOUD_TOKEN_SIGNING_KEY"


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


def issue_token(signing_key: str, audience: str, **claims: Any) -> str:
    """Return a token of version 1 for the app's managed identity.

    Args:
        signing_key: the private key.
        audience: the App ID URI that it is made out to.
        claims: others than such a token has.
    """
    now = int(time.time())
    content = {
        "aud": audience,
        "iss": ISSUER,
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME_SECONDS,
        "idtyp": "app",
        "oid": APP_OBJECT_ID,
        "sub": APP_OBJECT_ID,
        "tid": TENANT_ID,
        "ver": "1.0",
        **claims,
    }
    return jwt.encode(content, signing_key, "RS256", {"kid": KEY_ID})


def add_token_endpoint(router: web.UrlDispatcher) -> None:
    """Give the app on this host tokens, if the environment brings a key to sign them with."""
    key, header = os.environ.get(SIGNING_KEY), os.environ.get(HEADER, "")
    if not key:
        return

    async def token(request: web.Request) -> web.Response:
        if not secrets.compare_digest(request.headers.get("X-IDENTITY-HEADER", ""), header):
            return _refused(403, "The header X-IDENTITY-HEADER is not the one of IDENTITY_HEADER.")
        unknown = request.query.keys() - {"api-version", "resource"}
        if unknown or request.query.get("api-version") != API_VERSION:
            return _refused(400, f"Only api-version {API_VERSION} and the app's one identity are there.")
        audience = request.query.get("resource", "")
        if audience != TOKEN_AUDIENCE:
            return _refused(
                400,
                f"AADSTS500011: The resource principal named {audience} was not found in the tenant named {TENANT_ID}.",
            )
        expires_on = str(int(time.time()) + LIFETIME_SECONDS)
        return web.json_response(
            {
                "access_token": issue_token(key, audience),
                "expires_on": expires_on,
                "resource": audience,
                "token_type": "Bearer",
                "client_id": APP_OBJECT_ID,
            }
        )

    router.add_get(TOKEN_PATH, token)


def _refused(status: int, message: str) -> web.Response:
    return web.json_response({"statusCode": status, "message": message}, status=status)
