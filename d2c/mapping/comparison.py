"""Compare expected documents with stored ones: their identities and their values.

A JSON store keeps numbers as binary64 and may write 1 as 1.0, -0.0 as 0 and names in another order. Documents with
only such differences are equal; any other difference counts.
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import orjson

from d2c.mapping.names import SYSTEM_PROPERTIES

DIGEST_BYTES = 16
MAX_DIFFERENCES = 20

_NOTHING: dict[str, Any] = {}
"""The value of a partition key level that a document lacks; no level can be an object."""
_TTL = frozenset({"ttl"})


def document_identity(partition_key: Sequence[Any], document_id: str) -> str:
    """Return the canonical text of a document's identity, unique within its container.

    Args:
        partition_key: one JSON value per level; 1 and 1.0 are equal; 1, "1", true and null differ.
        document_id: the document's `id`.
    """
    return orjson.dumps([*map(canonical_value, partition_key), document_id]).decode()


def identity_of(document: Mapping[str, Any], partition_key_properties: Sequence[str]) -> str:
    """Return the identity of a stored document, equal to the `document_identity` it was written under.

    Args:
        document: as read from the container.
        partition_key_properties: as `Mapper.partition_key_properties`; a missing property differs from null.
    """
    levels = [document.get(name, _NOTHING) for name in partition_key_properties]
    return document_identity(levels, document["id"])


def fingerprint(document: Mapping[str, Any], *, ignore_ttl: bool = False) -> bytes:
    """Return a digest of a document's values, which storing it as JSON does not change.

    Args:
        document: parsed JSON; Cosmos DB's own properties are ignored.
        ignore_ttl: whether `ttl` is ignored too, because it depends on the time of writing.

    Returns:
        16 bytes.
    """
    content = canonical_value(_own_properties(document, ignore_ttl))
    return digest(orjson.dumps(content, option=orjson.OPT_SORT_KEYS))


def digest(canonical: bytes) -> bytes:
    """Return the digest of a document's canonical JSON; see `canonical_value`."""
    return blake2b(canonical, digest_size=DIGEST_BYTES).digest()


def differences(
    expected: Mapping[str, Any],
    actual: Mapping[str, Any],
    *,
    ignore_ttl: bool = False,
    limit: int = MAX_DIFFERENCES,
) -> list[str]:
    """Return the paths of properties that differ, such as `lines[0].price`; none where fingerprints agree.

    Args:
        expected: the document that should be stored, as parsed JSON.
        actual: the stored document.
        ignore_ttl: whether `ttl` may differ.
        limit: the most paths to return.
    """
    left = canonical_value(_own_properties(expected, ignore_ttl))
    right = canonical_value(_own_properties(actual, ignore_ttl))
    return [path for path, _ in zip(_differing("", left, right), range(limit), strict=False)]


def _own_properties(document: Mapping[str, Any], ignore_ttl: bool) -> dict[str, Any]:
    ignored = SYSTEM_PROPERTIES | _TTL if ignore_ttl else SYSTEM_PROPERTIES
    return {name: value for name, value in document.items() if name not in ignored}


def canonical_value(value: Any) -> Any:
    """Return a value with every number as a binary64, so that equal numbers are equal text in a digest."""
    kind = type(value)
    if kind is int or kind is float:
        return float(value) + 0.0  # -0.0 + 0.0 is 0.0
    if kind is dict:
        return {name: canonical_value(member) for name, member in value.items()}
    if kind is list:
        return [canonical_value(member) for member in value]
    return value


def _differing(path: str, left: Any, right: Any) -> Iterator[str]:
    if isinstance(left, dict) and isinstance(right, dict):
        for name in sorted(left.keys() | right.keys()):
            inner = f"{path}.{name}" if path else name
            if name not in left or name not in right:
                yield inner
            else:
                yield from _differing(inner, left[name], right[name])
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, (one, other) in enumerate(zip(left, right, strict=True)):
            yield from _differing(f"{path}[{index}]", one, other)
    elif type(left) is not type(right) or left != right:
        yield path
