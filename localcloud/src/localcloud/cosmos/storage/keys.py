"""Partition keys: where they are in a document, when two are the same, and their place on the hash ring."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
from azure.cosmos.partition_key import PartitionKey, _Undefined

from localcloud.cosmos.errors import PARTITION_KEY_MISMATCH, CosmosError

LONGEST_KEY_BYTES = 2048
MOST_LEVELS = 3
# The Java SDK sends the name of its constant, the others the number.
VERSIONS = {"1": 1, "2": 2, "V1": 1, "V2": 2}
# How a level that a document lacks stands in headers and bodies.
UNDEFINED: dict[str, Any] = {}
_PATH_PART = re.compile(r'/("(?:[^"\\]|\\.)*"|[^/]+)')


@lru_cache(maxsize=1000)
def path_parts(path: str) -> tuple[str, ...]:
    """Return the names along a path such as ``/address/"zip code"``."""
    return tuple(json.loads(part) if part.startswith('"') else part for part in _PATH_PART.findall(path))


def check_definition(definition: dict[str, Any]) -> dict[str, Any]:
    """Return a container's partition key definition with its defaults; a single path without a version has the first.

    https://learn.microsoft.com/azure/cosmos-db/large-partition-keys

    Raises:
        CosmosError: 400, if it is impossible.
    """
    paths = definition.get("paths") or []
    kind = definition.get("kind", "Hash")
    fits = len(paths) == 1 if kind == "Hash" else kind == "MultiHash" and 1 <= len(paths) <= MOST_LEVELS
    default = 2 if kind == "MultiHash" else 1
    version = VERSIONS.get(str(definition.get("version") or default).upper())
    versions = (1, 2) if kind == "Hash" else (2,)
    if not fits or version not in versions or not all(map(is_path, paths)):
        raise CosmosError(400, f"The partition key definition {definition} is invalid.")
    return {"paths": paths, "kind": kind, "version": version}


def key_of(document: dict[str, Any], paths: Sequence[str]) -> list[Any]:
    """Return a document's partition key, one value per path; a value that is no scalar counts as undefined."""
    return [value_at(document, path_parts(path)) for path in paths]


def canonical(key: Sequence[Any]) -> str:
    """Return the text that two keys share exactly if they are the same: 1, "1", true, null and undefined differ."""
    return json.dumps([float(value) if type(value) is int else value for value in key], ensure_ascii=False)


def header_key(headers: Mapping[str, str]) -> list[Any] | None:
    """Return the partition key that a call's header gives, or None.

    Raises:
        CosmosError: 400, if it is no array of scalars.
    """
    text = headers.get("x-ms-documentdb-partitionkey")
    return None if text is None else parse_key(text)


def parse_key(text: Any) -> list[Any]:
    """Return a partition key from its JSON text, as it stands in headers and in batches.

    Raises:
        CosmosError: 400, if it is no array of scalars.
    """
    try:
        key = orjson.loads(text) if isinstance(text, str) else None
    except orjson.JSONDecodeError:
        key = None
    if not isinstance(key, list) or any(isinstance(v, list) or (isinstance(v, dict) and v) for v in key):
        raise CosmosError(400, "The partition key is not a JSON array of scalars.")
    return key


def check_levels(key: Sequence[Any], paths: Sequence[str]) -> None:
    """Refuse a key that has not one value for each path.

    Raises:
        CosmosError: 400/1001.
    """
    if len(key) != len(paths):
        raise CosmosError(
            400,
            f"The partition key has {len(key)} values, the container's definition has {len(paths)} paths.",
            PARTITION_KEY_MISMATCH,
        )


def check_length(key: Sequence[Any]) -> None:
    """Refuse a key whose text is too long.

    Raises:
        CosmosError: 400.
    """
    if sum(len(value.encode()) for value in key if isinstance(value, str)) > LONGEST_KEY_BYTES:
        raise CosmosError(400, f"The partition key is longer than {LONGEST_KEY_BYTES} bytes.")


def effective_key(definition: dict[str, Any], key: Sequence[Any]) -> str:
    """Return the place of a key on the hash ring, as the SDKs compute it."""
    return _effective_key(
        definition["kind"], tuple(definition["paths"]), definition["version"], canonical(key)
    )


@lru_cache(maxsize=200_000)
def _effective_key(kind: str, paths: tuple[str, ...], version: int, key: str) -> str:
    values = [_Undefined() if value == UNDEFINED else value for value in json.loads(key)]
    path: Any = list(paths) if kind == "MultiHash" else paths[0]
    sdk_key: Any = PartitionKey(path, kind=kind, version=version)  # type: ignore[call-overload]
    # The Python SDK alone writes places of the first version in lower case.
    return str(sdk_key._get_effective_partition_key_string(values)).upper()


def is_path(path: Any) -> bool:
    """Return whether a text is a path such as ``/address/"zip code"``."""
    return isinstance(path, str) and "".join(found[0] for found in _PATH_PART.finditer(path)) == path != ""


def value_at(document: Any, parts: tuple[str, ...]) -> Any:
    """Return the scalar at a path's parts, or `UNDEFINED`."""
    for part in parts:
        if not isinstance(document, dict) or part not in document:
            return UNDEFINED
        document = document[part]
    return UNDEFINED if isinstance(document, dict | list) else document
