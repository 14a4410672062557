"""What Cosmos DB's management plane says of an account, a container and its throughput."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from d2c.clients.answers import name_of
from d2c.mapping.indexing import default_policy
from d2c.shapes import DatabaseThroughput

SERVERLESS = "EnableServerless"
RU_PER_PARTITION = 10_000


@dataclass(frozen=True)
class Container:
    """An existing container.

    Args:
        partition_key_paths: one to three.
        default_ttl: its default time to live in seconds, or None.
        hashes_whole_keys: False for a partition key of version 1, which hashes only the first 101 bytes.
            https://learn.microsoft.com/azure/cosmos-db/large-partition-keys
        unique_keys: the paths of each unique key.
        indexing_policy: which properties have an index, in the service's words.
    """

    partition_key_paths: tuple[str, ...]
    default_ttl: int | None
    hashes_whole_keys: bool = True
    unique_keys: tuple[tuple[str, ...], ...] = ()
    indexing_policy: dict[str, Any] = field(default_factory=default_policy)


@dataclass(frozen=True)
class Throughput:
    """A container's own throughput in RU/s, or a database's, which its other containers share.

    ``autoscale``: whether ``ru_per_second`` is a maximum that the service scales below. ``pending``: whether an
    accepted change is still in progress. ``instant_maximum_ru_per_second``: what its partitions carry, up to which a
    change takes effect at once.
    """

    ru_per_second: int
    autoscale: bool
    minimum_ru_per_second: int
    pending: bool
    instant_maximum_ru_per_second: int = RU_PER_PARTITION

    def to_share(self) -> DatabaseThroughput:
        """Return a database's as its containers share it."""
        return {"ru_per_second": self.ru_per_second, "autoscale": self.autoscale}


@dataclass(frozen=True)
class Database:
    """An existing database.

    Args:
        throughput: what its containers without throughput of their own share; None if they cannot.
        is_serverless: whether its account has no throughput at all.
    """

    throughput: Throughput | None
    is_serverless: bool = False


@dataclass(frozen=True)
class Account:
    """The properties of a Cosmos DB account that matter for a load; ``throughput_limit`` is its maximum of RU/s.

    ``writes_in_all``: whether all of its regions may be written to, which has a price of its own.
    """

    kind: str
    is_serverless: bool
    is_free_tier: bool
    throughput_limit: int | None
    regions: tuple[str, ...]
    is_public: bool
    writes_in_all: bool = False


def container_of(resource: Mapping[str, Any]) -> Container:
    """Return a container from its resource; a partition key of one path that names no version has the first."""
    key = resource["partitionKey"]
    version = str(key.get("version") or ("2" if len(key["paths"]) > 1 else "1"))
    unique = (resource.get("uniqueKeyPolicy") or {}).get("uniqueKeys") or ()
    policy = resource.get("indexingPolicy")
    return Container(
        partition_key_paths=tuple(key["paths"]),
        default_ttl=resource.get("defaultTtl"),
        hashes_whole_keys=version.upper().removeprefix("V") != "1",
        unique_keys=tuple(tuple(each["paths"]) for each in unique),
        indexing_policy=_policy_of(policy) if policy else default_policy(),
    )


def _policy_of(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Return what matters of an indexing policy: its mode, its paths and its composite indexes."""
    composites = policy.get("compositeIndexes") or ()
    return {
        "indexingMode": name_of(policy.get("indexingMode") or "consistent").lower(),
        **{
            part: [{"path": name_of(each["path"])} for each in policy.get(part) or ()]
            for part in ("includedPaths", "excludedPaths")
        },
        "compositeIndexes": [
            [
                {"path": name_of(each["path"]), "order": name_of(each.get("order") or "ascending")}
                for each in one
            ]
            for one in composites
        ],
    }


def throughput_of(resource: Mapping[str, Any]) -> Throughput:
    """Return the throughput of a container or a database from its resource."""
    autoscale = resource.get("autoscaleSettings")
    ru_per_second = autoscale["maxThroughput"] if autoscale else resource["throughput"]
    # Where the service does not say what they carry, there are as many partitions as the RU/s need.
    carried = -(-ru_per_second // RU_PER_PARTITION) * RU_PER_PARTITION
    return Throughput(
        ru_per_second=ru_per_second,
        autoscale=bool(autoscale),
        minimum_ru_per_second=int(resource.get("minimumThroughput") or 400),
        pending=str(resource.get("offerReplacePending", "")).lower() == "true",
        instant_maximum_ru_per_second=int(resource.get("instantMaximumThroughput") or carried),
    )


def account_of(account: Mapping[str, Any]) -> Account:
    """Return an account from its resource."""
    properties = account["properties"]
    limit = (properties.get("capacity") or {}).get("totalThroughputLimit", -1)
    return Account(
        kind=account.get("kind") or "GlobalDocumentDB",
        is_serverless=any(
            capability["name"] == SERVERLESS for capability in properties.get("capabilities") or ()
        ),
        is_free_tier=bool(properties.get("enableFreeTier")),
        throughput_limit=limit if limit >= 0 else None,
        regions=tuple(location["locationName"] for location in _locations(properties)),
        is_public=properties.get("publicNetworkAccess", "Enabled") == "Enabled",
        writes_in_all=bool(properties.get("enableMultipleWriteLocations")),
    )


def _locations(properties: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return all regions of an account; it is billed in each."""
    return properties.get("locations") or properties.get("writeLocations") or ()
