r"""Map key attributes to the document id: one text per value, escaped, and hashed if it is too long.

Azure refuses `/` and `\` in ids and its SDKs also `?`, `#`, control characters and a space at the end.
Source: https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-item-limits
A document whose id has `%XX` in it is created, and then the service's gateway refuses to read, replace or delete it by
id, so the sign of an escape is `~`.
Sources: https://github.com/Azure/azure-cosmos-dotnet-v3/issues/4954, the item-id encoding tests of Microsoft's clients
"""

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from d2c.mapping.numbers import positional
from d2c.mapping.rejected import MISSING_KEY, Fault
from d2c.mapping.values import fault_of_shape

MAX_ID_BYTES = 1023
HASH_PREFIX = "sha256:"
# HTTP clients resolve these parts of an address before they send it, so that no SDK could read a document of this id.
# https://www.rfc-editor.org/rfc/rfc3986#section-5.2.4
DOT_SEGMENTS = (".", "..")
JOINER = "|"

KEY_TAGS = frozenset({"S", "N", "B"})
PARTITION_KEY_TAGS = KEY_TAGS | {"BOOL", "NULL"}

_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")
_URL_SAFE = str.maketrans("+/", "-_", "=")


def read_keys(item: dict[str, Any], required: Sequence[tuple[str, frozenset[str]]]) -> list[tuple[str, Any]]:
    """Return tag and value of each attribute that every item must have.

    Args:
        item: attributes in DynamoDB JSON.
        required: names of the attributes, each with the type tags that it may have.

    Raises:
        Fault: missing_key, if one is absent, empty or of another type; malformed_line, if it has no type.
    """
    keys = []
    for name, allowed_tags in required:
        if name not in item:
            raise Fault(MISSING_KEY, f"{name}: the attribute is absent")
        tagged = item[name]
        if type(tagged) is not dict or len(tagged) != 1:
            raise fault_of_shape(tagged)
        ((tag, value),) = tagged.items()
        if tag not in allowed_tags:
            allowed = ", ".join(sorted(allowed_tags))
            raise Fault(MISSING_KEY, f"{name}: the attribute's type cannot be a key (allowed: {allowed})")
        if value == "":
            raise Fault(MISSING_KEY, f"{name}: the attribute is empty")
        keys.append((tag, value))
    return keys


def key_text(tag: str, value: str) -> str:
    """Return the text of a key value: S itself, N in positional notation, B as base64url without padding."""
    if tag == "S":
        return value
    return positional(value) if tag == "N" else value.translate(_URL_SAFE)


def escape(text: str, *, joined: bool = False) -> str:
    """Return a text with the characters that an id cannot hold as `~XX`.

    Args:
        text: a key value's text, not empty.
        joined: whether the text becomes one of several parts, in which `|` is escaped too.
    """
    # Unrolled, since it is on the hot path. The tilde is first, since every escape begins with one.
    if "~" in text:
        text = text.replace("~", "~7E")
    if "%" in text:
        text = text.replace("%", "~25")
    if "/" in text:
        text = text.replace("/", "~2F")
    if "\\" in text:
        text = text.replace("\\", "~5C")
    if "?" in text:
        text = text.replace("?", "~3F")
    if "#" in text:
        text = text.replace("#", "~23")
    if joined and JOINER in text:
        text = text.replace(JOINER, "~7C")
    if not text.isprintable():  # a fast check; some unprintable characters are not control characters
        text = _CONTROL_CHARACTER.sub(_escaped, text)
    if text[0] == " ":
        text = "~20" + text[1:]
    return text[:-1] + "~20" if text[-1] == " " else text


def document_id(texts: Sequence[str]) -> str:
    """Return the document id made of the texts of one or more key values.

    Different sequences of non-empty texts of one length give different ids, except for a collision of SHA-256.
    """
    escaped = (
        escape(texts[0]) if len(texts) == 1 else JOINER.join([escape(text, joined=True) for text in texts])
    )
    if escaped in DOT_SEGMENTS:
        return escaped.replace(".", "~2E")
    content = escaped.encode()
    if len(content) <= MAX_ID_BYTES and not escaped.startswith(HASH_PREFIX):
        return escaped
    return HASH_PREFIX + sha256(content).hexdigest()


def _escaped(match: re.Match[str]) -> str:
    return f"~{ord(match[0]):02X}"
