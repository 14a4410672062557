"""The container that a table needs: partition key, time to live, and the tables that may share it."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple, Protocol

from d2c.mapping.comparison import document_identity
from d2c.mapping.indexing import is_indexed, named_paths, write_factor
from d2c.mapping.mapper import Mapper
from d2c.mapping.names import levels_of
from d2c.mapping.rules import Rules

Json = dict[str, Any]
SHORT_KEY_BYTES = 101
LONG_KEY = "?" * (SHORT_KEY_BYTES + 1)
MUCH_MORE = 1.25
_CHANGE_POLICY = (
    "A migration leaves it as it is. Change the policy before the load (az cosmosdb sql container update --idx), or, "
    "where it cannot be changed, name another container."
)


class Misfit(NamedTuple):
    """Why a container does not fit; ``cause`` completes the sentence "Container X has ..."."""

    title: str
    cause: str
    next_step: str


class ContainerLike(Protocol):
    """The compared properties of a container."""

    @property
    def partition_key_paths(self) -> Sequence[str]: ...

    @property
    def default_ttl(self) -> int | None: ...

    @property
    def hashes_whole_keys(self) -> bool: ...

    @property
    def unique_keys(self) -> Sequence[Sequence[str]]: ...

    @property
    def indexing_policy(self) -> Mapping[str, Any]: ...


def wanted_container(mapper: Mapper) -> Json:
    """Return the properties that a container needs for a mapper's documents."""
    return {
        "partition_key_paths": list(mapper.partition_key_paths),
        "default_ttl": -1 if mapper.rules.container_has_ttl else None,
    }


def find_misfit(wanted: Mapping[str, Any], container: ContainerLike) -> Misfit | None:
    """Return why a container does not fit, or None if it does.

    Args:
        wanted: the needed properties, as returned by `wanted_container`.
        container: the existing container.
    """
    paths, default_ttl = wanted["partition_key_paths"], container.default_ttl
    if list(map(levels_of, container.partition_key_paths)) != list(map(levels_of, paths)):
        return Misfit(
            "The container has a different partition key",
            f"the partition key {', '.join(container.partition_key_paths)} and the plan needs {', '.join(paths)}; "
            "a partition key cannot be changed.",
            "Name another container in the plan, or set rules.partition_key to the container's.",
        )
    if default_ttl == wanted["default_ttl"]:
        return None
    if default_ttl is None:
        cause = "time to live off, but the table's items expire."
        next_step = "Turn time to live on (no default) in the container, or set rules.ttl to off in the plan."
    elif default_ttl == -1:
        cause = (
            "time to live on, but the table's items do not expire: an attribute `ttl` would delete documents."
        )
        next_step = "Turn time to live off in the container, or name another container in the plan."
    else:
        cause = f"a default time to live of {default_ttl} seconds, which deletes documents without their own `ttl`."
        next_step = "Remove the default in the container, or name another container in the plan."
    return Misfit("The container has a different time to live", cause, next_step)


def find_short_key(mapper: Mapper, container: ContainerLike, number_keys: Collection[str]) -> Misfit | None:
    """Return why keys may be too long for a container whose partition key has version 1, or None if they are not.

    "101 bytes if large partition-key is not enabled": longer keys that begin alike share a logical partition, with its
    limits and unique keys. https://learn.microsoft.com/azure/cosmos-db/large-partition-keys

    A number is short. Its text is longer than that only beyond 100 digits before or after the point, of which 38 count.

    Args:
        mapper: the table's.
        container: the existing container.
        number_keys: the table's key attributes that are numbers.
    """
    short = {**dict.fromkeys(number_keys, ""), **mapper.rules.constants}
    levels = [str(short.get(name, LONG_KEY)) for name in mapper.rules.partition_key]
    if container.hashes_whole_keys or len("".join(levels).encode()) <= SHORT_KEY_BYTES:
        return None
    return Misfit(
        "The container's partition key has version 1",
        f"a partition key of version 1, which takes keys of at most {SHORT_KEY_BYTES} bytes, and the table's may be "
        "longer.",
        "Name another container, or delete this one if it is empty: a new one gets version 2.",
    )


def find_concerns(container: ContainerLike, wanted_policy: Mapping[str, Any] | None = None) -> list[Misfit]:
    """Return what may go wrong in an existing container that fits, or costs more than it has to.

    Args:
        container: the existing container.
        wanted_policy: the indexing policy that the table would get in a new container; None if it is not known.
    """
    concerns = [] if wanted_policy is None else list(_concerns_of_indexing(container, wanted_policy))
    if container.unique_keys:
        names = "; ".join(", ".join(paths) for paths in container.unique_keys)
        concerns.append(
            Misfit(
                "The container has unique keys",
                f"the unique keys {names}: the load ends with error 409 at a document that repeats a value of another "
                "with its partition key; lacking it counts as a value.",
                "Make sure that the table's items differ in them, or name another container.",
            )
        )
    return concerns


def _concerns_of_indexing(container: ContainerLike, wanted: Mapping[str, Any]) -> Iterator[Misfit]:
    """Yield what an existing policy, which no migration changes, lacks or indexes in vain."""
    policy = container.indexing_policy
    lacking = [path for path in named_paths(wanted) if not is_indexed(policy, levels_of(path)[0])]
    if lacking:
        yield Misfit(
            "The container lacks indexes",
            f"no index for {', '.join(lacking)}: a query by them reads every document.",
            f"{_CHANGE_POLICY} Add to its includedPaths: {_json([{'path': path} for path in lacking])}",
        )
    factor, wanted_factor = write_factor(policy), write_factor(wanted)
    if factor > wanted_factor * MUCH_MORE:
        yield Misfit(
            "The container indexes more than it needs",
            f"an indexing policy with which a write costs about {factor:.2g} times as many RU as without indexes, and "
            f"{wanted_factor:.3g} times with what the plan asks for.",
            f"{_CHANGE_POLICY} What the plan asks for: {_json(wanted)}",
        )


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def marks_of(mapper: Mapper) -> Json:
    """Return the constants that distinguish a table's documents in a shared container."""
    constants = mapper.rules.constants
    return {name: constants[name] for name in mapper.partition_key_properties if name in constants}


def faults_of_sharing(rules_by_table: Mapping[str, Rules]) -> list[str]:
    """Return why tables cannot share a container; empty if documents of two tables cannot collide.

    Args:
        rules_by_table: the rules of each table of the container, by table name.
    """
    faults = []
    for (table, rules), (other_table, other_rules) in combinations(rules_by_table.items(), 2):
        pair = f"tables `{table}` and `{other_table}` share a container"
        if rules.partition_key_paths != other_rules.partition_key_paths:
            faults.append(
                f"partition_key: {pair}, but {table} has {', '.join(rules.partition_key_paths)} and {other_table} "
                f"{', '.join(other_rules.partition_key_paths)}; give both the same properties, with `rename` if needed"
            )
        elif rules.container_has_ttl != other_rules.container_has_ttl:
            faults.append(
                f"ttl: {pair}, but only one of them has time to live on; set it to the same in both"
            )
        elif not _are_kept_apart(rules, other_rules):
            faults.append(
                f"set: {pair}, but no constant in the partition key distinguishes their documents; add one to "
                "both with `set`, with different values, and name it in `partition_key`"
            )
    return faults


def _are_kept_apart(rules: Rules, other: Rules) -> bool:
    """Return whether a level of the partition key is a constant in both, with different values."""
    return any(
        level in rules.constants
        and other_level in other.constants
        and document_identity([rules.constants[level]], "")
        != document_identity([other.constants[other_level]], "")
        for level, other_level in zip(rules.partition_key, other.partition_key, strict=True)
    )
