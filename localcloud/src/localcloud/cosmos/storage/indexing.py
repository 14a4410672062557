"""What the service refuses of an indexing policy.

https://learn.microsoft.com/azure/cosmos-db/index-policy, https://learn.microsoft.com/azure/cosmos-db/concepts-limits
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from localcloud.cosmos.errors import CosmosError

MODES = ("consistent", "lazy", "none")
ROOT = ("/", "/*")
MOST_PATHS = 1500
MOST_COMPOSITES = 100
COMPOSITE_SIZES = range(2, 9)
_LEVEL = r'/([A-Za-z0-9_]+|"[^"\\]+"|\[\])'
_PATH = re.compile(rf"({_LEVEL})+/[?*]")
_COMPOSITE_PATH = re.compile(rf"({_LEVEL})+")

Json = Mapping[str, Any]


def check_policy(policy: Any, default_ttl: int | None) -> None:
    """Refuse a policy that no container can have.

    Args:
        policy: as a caller sends it.
        default_ttl: the container's default time to live, or None.

    Raises:
        CosmosError: 400, with the first fault.
    """
    if not isinstance(policy, dict):
        raise CosmosError(400, "The indexing policy is not a JSON object.")
    for fault in _faults(policy, default_ttl):
        raise CosmosError(400, fault)


def _faults(policy: Json, default_ttl: int | None) -> Iterator[str]:
    mode = str(policy.get("indexingMode", "consistent")).lower()
    if mode not in MODES:
        yield f"The indexing mode {mode} is unknown."
    if mode == "none" and default_ttl is not None:
        yield "Time to live needs an index: DefaultTimeToLive cannot be set while the indexing mode is None."
    included, excluded = (_paths(policy, part) for part in ("includedPaths", "excludedPaths"))
    paths = included + excluded
    if max(len(included), len(excluded)) > MOST_PATHS:
        yield f"An indexing policy has at most {MOST_PATHS} included and {MOST_PATHS} excluded paths."
    if paths and not any(path in ROOT for path in paths):
        yield (
            'The special mandatory indexing path "\\/" is not provided in any of the path type sets. Please provide '
            "this path in one of the sets."
        )
    for path in paths:
        if path not in ROOT and not (isinstance(path, str) and _PATH.fullmatch(path)):
            yield f"The indexing path '{path}' could not be accepted, failed near position '0'."
    if len(set(map(str, paths))) < len(paths):
        yield "An indexing path is in the policy twice."
    yield from _faults_of_composites(policy.get("compositeIndexes") or [])


def _faults_of_composites(composites: list[Any]) -> Iterator[str]:
    if len(composites) > MOST_COMPOSITES:
        yield f"An indexing policy has at most {MOST_COMPOSITES} composite indexes."
    for composite in composites:
        if len(composite) not in COMPOSITE_SIZES:
            yield f"A composite index has 2 to {COMPOSITE_SIZES[-1]} paths, and one has {len(composite)}."
        for each in composite:
            if not _COMPOSITE_PATH.fullmatch(str(each.get("path"))):
                yield f"The composite path '{each.get('path')}' could not be accepted: it has no wildcard at its end."
            if each.get("order", "ascending") not in ("ascending", "descending"):
                yield f"The order of a composite index is ascending or descending, not {each['order']}."


def _paths(policy: Json, part: str) -> list[Any]:
    return [each.get("path") for each in policy.get(part) or ()]
