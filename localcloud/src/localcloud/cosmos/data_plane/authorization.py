"""The signature by the account's key that every call carries.

https://learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote, unquote

from localcloud.cosmos.errors import CosmosError

_HEADER = re.compile(r"type=master&ver=1\.0&sig=(.+)")


def sign(key: str, method: str, parts: Sequence[str], date: str) -> str:
    """Return the ``authorization`` header of a call that the account's key signs.

    Args:
        key: the account's key, base64.
        method: HTTP method.
        parts: the parts of the path, decoded.
        date: the call's ``x-ms-date`` header.
    """
    kind, link = _resource(parts)
    text = f"{method.lower()}\n{kind}\n{link}\n{date.lower()}\n\n"
    return quote(f"type=master&ver=1.0&sig={_signature(key, text)}", safe="")


def check_signature(key: str, method: str, parts: Sequence[str], headers: Mapping[str, str]) -> None:
    """Refuse a call that the account's key did not sign.

    Args:
        key: the account's key, base64.
        method: HTTP method.
        parts: the parts of the path, decoded.
        headers: case-insensitive.

    Raises:
        CosmosError: 401.
    """
    found = _HEADER.fullmatch(unquote(headers.get("authorization", "")))
    if not found:
        raise CosmosError(401, "Required Header authorization is missing or of a kind not supported here.")
    kind, link = _resource(parts)
    # Calls that address a resource by its resource id are signed over the last id alone, in lower case.
    by_rid = parts[-1 if len(parts) % 2 == 0 else -2].lower() if len(parts) > 1 else ""
    date = headers.get("x-ms-date", "").lower()
    for signed_link in (link, by_rid):
        text = f"{method.lower()}\n{kind}\n{signed_link}\n{date}\n\n"
        if hmac.compare_digest(_signature(key, text), found[1]):
            return
    raise CosmosError(401, "The input authorization token can't serve the request.")


def _resource(parts: Sequence[str]) -> tuple[str, str]:
    """Return the type and the link that a call is signed over."""
    if not parts:
        return "", ""
    if parts[-1] == "partitionkeydelete":
        return "colls", "/".join(parts[:4])
    if parts[0] == "offers" and len(parts) == 2:
        return "offers", parts[1].lower()
    if len(parts) % 2:
        return parts[-1], "/".join(parts[:-1])
    return parts[-2], "/".join(parts)


def _signature(key: str, text: str) -> str:
    return base64.b64encode(hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()).decode()
