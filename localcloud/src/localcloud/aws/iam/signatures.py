"""Signatures of requests, version 4.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any

from localcloud.aws.errors import RefusedError

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<scope>(?P<date>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)"
    r"/aws4_request), ?SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
MISMATCH = "The request signature we calculated does not match the signature you provided. Check your key."
MISMATCHES = {
    "s3": ("SignatureDoesNotMatch", MISMATCH, 403),
    "dynamodb": ("InvalidSignatureException", MISMATCH, 400),
    "sts": ("SignatureDoesNotMatch", MISMATCH, 403),
}


def read_authorization(environment: Mapping[str, Any]) -> re.Match[str] | None:
    """Return the parts of a request's Authorization header, or None if it has none of this kind."""
    return AUTHORIZATION.fullmatch(environment.get("HTTP_AUTHORIZATION", ""))


def check_signature(
    environment: Mapping[str, Any], body: bytes, parts: re.Match[str], secret_key: str, service: str
) -> None:
    """Hold a request's signature to its content.

    Raises:
        RefusedError: as the service refuses it, if another key or another content was signed.
    """
    canonical = _canonical_request(environment, body, parts["headers"])
    moment = environment.get("HTTP_X_AMZ_DATE", "")
    text = "\n".join(
        ("AWS4-HMAC-SHA256", moment, parts["scope"], hashlib.sha256(canonical.encode()).hexdigest())
    )
    key = f"AWS4{secret_key}".encode()
    for part in (parts["date"], parts["region"], parts["service"], "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    expected = hmac.digest(key, text.encode(), "sha256").hex()
    if not hmac.compare_digest(expected, parts["signature"]):
        raise RefusedError(*MISMATCHES[service])


def _canonical_request(environment: Mapping[str, Any], body: bytes, signed_headers: str) -> str:
    path, _, query = environment["RAW_URI"].partition("?")
    pairs = sorted(part.partition("=")[::2] for part in query.split("&") if part)
    headers = [f"{name}:{_header(environment, name)}\n" for name in signed_headers.split(";")]
    payload = environment.get("HTTP_X_AMZ_CONTENT_SHA256") or hashlib.sha256(body).hexdigest()
    return "\n".join(
        (
            environment["REQUEST_METHOD"],
            path,
            "&".join(f"{name}={value}" for name, value in pairs),
            "".join(headers),
            signed_headers,
            payload,
        )
    )


def _header(environment: Mapping[str, Any], name: str) -> str:
    variable = name.upper().replace("-", "_")
    value = environment.get(f"HTTP_{variable}") or environment.get(variable, "")
    return " ".join(str(value).split())
