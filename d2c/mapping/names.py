"""The names that Cosmos DB reserves, and the paths of a partition key.

Source: https://learn.microsoft.com/azure/cosmos-db/resource-model#properties-of-an-item
"""

import re

KEPT_PREFIX = "dynamodb_"
SYSTEM_PROPERTIES = frozenset({"_rid", "_self", "_etag", "_ts", "_attachments"})
# An attribute cannot have these top-level names in a container. `ttl` is one of them whether or not time to live is on:
# documents with an attribute of this name would expire as soon as somebody turned it on.
NAMES_OF_COSMOS = SYSTEM_PROPERTIES | {"id", "ttl"}

_PLAIN_PATH_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LEVEL = re.compile(r'/(?:"([^"]*)"|([^/]*))')
# The SDKs' path parsers do not undo escapes inside quotes, so such a name would never match.
_IMPOSSIBLE_IN_PATH = re.compile(r'["\\\x00-\x1f\x7f]')


def is_name(value: object) -> bool:
    """Return whether a value can be a property's name: text that is not empty and has a UTF-8 form."""
    if not isinstance(value, str) or not value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return False
    return True


def can_stand_in_path(name: str) -> bool:
    """Return whether a property of this name can be part of a partition key."""
    return not _IMPOSSIBLE_IN_PATH.search(name)


def has_form_of_path(name: str) -> bool:
    """Return whether a name reads as a path: from the root, as ``/pk``, or into an object, as ``product.sku``."""
    return "/" in name or "." in name


def levels_of(path: str) -> tuple[str, ...]:
    """Return the names in a path: ``/device-id`` and ``/"device-id"`` are one."""
    return tuple(quoted or plain for quoted, plain in _LEVEL.findall(path))


def path_of(name: str) -> str:
    """Return the path of a top-level property, such as `/CustomerId` or `/"a b"`."""
    return f"/{name}" if _PLAIN_PATH_NAME.fullmatch(name) else f'/"{name}"'
