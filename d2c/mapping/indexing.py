"""The indexing policy of a container: which properties have an index, and what that adds to the cost of a write.

Sources: https://learn.microsoft.com/azure/cosmos-db/index-policy (which path decides, what is always indexed),
https://learn.microsoft.com/azure/cosmos-db/concepts-limits#sql-query-limits (the limits)
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from d2c.mapping.names import can_stand_in_path, levels_of, path_of
from d2c.mapping.rules import Rules

Json = dict[str, Any]
Indexing = str | Mapping[str, Any]

KEYS, ALL = "keys", "all"
AT_CREATION, AFTER_LOAD = "at_creation", "after_load"
ROOT = "/*"
# Below an excluded root it changes nothing: it marks a container that gets its policy once it is loaded.
LATE = "/d2c_indexes_after_load/?"
MOST_COMPOSITE_PROPERTIES = 8
# With the mode `consistent` they are indexed whatever a policy says.
ALWAYS_INDEXED = frozenset({"id", "_ts"})
# A write of 1 KB costs about 5 RU without indexes, and Microsoft's examples plan 10 with all of them: twice as much.
# https://learn.microsoft.com/azure/cosmos-db/key-value-store-cost
ALL_FACTOR = 2.0
# An assumption, for want of a published figure: twenty indexed properties cost as much as a policy with all.
FACTOR_OF_A_PATH = 0.05


@dataclass(frozen=True, slots=True)
class TableIndex:
    """A secondary index of a table: up to four attributes in each part of a GSI's key, one in an LSI's.

    ``kind`` is ``GSI`` or ``LSI``; ``types`` has the type of each attribute, those of the hash key first.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.DesignPattern.MultiAttributeKeys.html
    """

    name: str
    kind: str
    hash_keys: tuple[str, ...]
    range_keys: tuple[str, ...] = ()
    types: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The attributes in order."""
        return (*self.hash_keys, *self.range_keys)


def default_policy() -> Json:
    """Return the policy that the service gives to a container without one: it indexes every property."""
    return {
        "indexingMode": "consistent",
        "automatic": True,
        "includedPaths": [{"path": ROOT}],
        "excludedPaths": [{"path": '/"_etag"/?'}],
    }


def late_policy() -> Json:
    """Return the policy of a container that is loaded without indexes; the mode `none` would rule out time to live."""
    excluded = [{"path": path} for path in (ROOT, LATE, '/"_etag"/?')]
    return {
        "indexingMode": "consistent",
        "automatic": True,
        "includedPaths": [],
        "excludedPaths": excluded,
    }


def is_late(policy: Mapping[str, Any]) -> bool:
    """Return whether a container has the policy with which it is loaded, and not its own yet."""
    return levels_of(LATE) in _paths(policy, "excludedPaths")


def policy_of(indexing: Indexing, rules: Rules, index_keys: Iterable[str]) -> Json:
    """Return the indexing policy of a new container.

    Args:
        indexing: the plan's: ``keys``, ``all`` or a policy.
        rules: the table's.
        index_keys: the key attributes of its secondary indexes.
    """
    if isinstance(indexing, Mapping):
        return dict(indexing)
    if indexing == ALL:
        return default_policy()
    return policy_with(indexed_properties(rules, index_keys))


def policy_with(properties: Iterable[str]) -> Json:
    """Return a policy that indexes some properties at the top of documents and excludes all others."""
    return {
        "indexingMode": "consistent",
        "automatic": True,
        "includedPaths": [{"path": f"{path_of(name)}/?"} for name in dict.fromkeys(properties)],
        "excludedPaths": [{"path": ROOT}, {"path": '/"_etag"/?'}],
    }


def indexed_properties(rules: Rules, index_keys: Iterable[str]) -> list[str]:
    """Return the properties that ``keys`` indexes: those of the partition key, all key attributes, and ``ttl``.

    The partition key is among them as the service does not index it by itself where `/*` is excluded.

    Args:
        rules: the table's.
        index_keys: the key attributes of its secondary indexes; those that the rules drop have no property.
    """
    kept = [name for name in index_keys if name not in rules.drop]
    attributes = map(rules.property_of, (*rules.key_schema.names, *kept))
    names = [*rules.partition_key_properties, *attributes, *(["ttl"] if rules.container_has_ttl else [])]
    return [name for name in dict.fromkeys(names) if name not in ALWAYS_INDEXED and can_stand_in_path(name)]


def is_indexed(policy: Mapping[str, Any], name: str) -> bool:
    """Return whether a policy indexes a property at the top of documents; the most precise path decides."""
    if policy.get("indexingMode") == "none":
        return False
    if name in ALWAYS_INDEXED:
        return True
    included, excluded = _paths(policy, "includedPaths"), _paths(policy, "excludedPaths")
    for path in ((name, "?"), (name, "*"), ("*",)):
        if path in included or path in excluded:
            return path in included
    return False


def indexes_all(policy: Mapping[str, Any]) -> bool:
    """Return whether a policy indexes every property that it does not exclude."""
    return policy.get("indexingMode") != "none" and ("*",) in _paths(policy, "includedPaths")


def named_paths(policy: Mapping[str, Any]) -> list[str]:
    """Return the paths of single properties at the top of documents that a policy indexes."""
    paths = [str(each["path"]) for each in policy.get("includedPaths") or ()]
    return [path for path in paths if len(levels_of(path)) == 2 and path.endswith("/?")]


def write_factor(policy: Mapping[str, Any]) -> float:
    """Return by how much a policy multiplies the request units of a write without any index.

    Args:
        policy: a container's, as the service describes it.
    """
    if policy.get("indexingMode") == "none":
        return 1.0
    composites = FACTOR_OF_A_PATH * len(policy.get("compositeIndexes") or ())
    if indexes_all(policy):
        return ALL_FACTOR + composites
    return min(ALL_FACTOR, 1.0 + FACTOR_OF_A_PATH * len(_paths(policy, "includedPaths")) + composites)


def composite_of(rules: Rules, index: TableIndex) -> list[Json] | None:
    """Return the composite index for a secondary index, in the order of its key; None if it needs none or cannot be.

    Args:
        rules: the table's.
        index: one of its secondary indexes.
    """
    names = [rules.property_of(name) for name in index.keys]
    if not 2 <= len(names) <= MOST_COMPOSITE_PROPERTIES or any(missing_keys(rules, index)):
        return None
    return [{"path": path_of(name), "order": "ascending"} for name in names]


def missing_keys(rules: Rules, index: TableIndex) -> Iterator[str]:
    """Yield the attributes of a secondary index that cannot have an index: dropped, or of a name that no path holds."""
    for name in index.keys:
        if name in rules.drop or not can_stand_in_path(rules.property_of(name)):
            yield name


def with_composites(policy: Mapping[str, Any], rules: Rules, indexes: Sequence[TableIndex]) -> Json:
    """Return a policy with the composite index of each secondary index added to its own."""
    own = list(policy.get("compositeIndexes") or ())
    found = [composite for index in indexes if (composite := composite_of(rules, index))]
    return {**policy, "compositeIndexes": own + [each for each in found if each not in own]}


def _paths(policy: Mapping[str, Any], part: str) -> set[tuple[str, ...]]:
    """Return the names in each path of a part; the root is `/` or `/*`."""
    return {levels_of(ROOT if each["path"] == "/" else each["path"]) for each in policy.get(part) or ()}
