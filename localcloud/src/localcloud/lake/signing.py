"""Requests signed with the account's key, as Azurite checks them.

https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import unquote_plus

from localcloud.lake import ACCOUNT

SIGNED = (
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
)


def signature(key: str, method: str, target: str, headers: Mapping[str, str]) -> str:
    """Return the header ``Authorization`` of a request.

    Args:
        key: the account's, base64.
        method: the request's.
        target: its path and query as they are sent.
        headers: those that are sent, whose names know no upper case.
    """
    values = [headers.get(name, "") for name in SIGNED]
    values[SIGNED.index("content-length")] = headers.get("content-length", "").removeprefix("0") or ""
    own = sorted((name.lower(), value.strip()) for name, value in headers.items() if _is_own(name))
    path, _, query = target.partition("?")
    text = "\n".join([method, *values, *(f"{name}:{value}" for name, value in own), f"/{ACCOUNT}{path}"])
    digest = hmac.new(base64.b64decode(key), (text + _parameters(query)).encode(), hashlib.sha256).digest()
    return f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"


def _is_own(name: str) -> bool:
    return name.lower().startswith("x-ms-")


def _parameters(query: str) -> str:
    """Return the query's part of the signature; Azurite leaves out what has no or several equals signs."""
    pairs = (pair.split("=") for pair in query.split("&"))
    found = sorted((pair[0].lower(), unquote_plus(pair[1])) for pair in pairs if len(pair) == 2 and pair[0])
    return "".join(f"\n{name}:{value}" for name, value in found)
