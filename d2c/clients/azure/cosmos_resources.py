"""What Cosmos DB's management plane says of an account, a container and its throughput."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SERVERLESS = "EnableServerless"


@dataclass(frozen=True)
class Container:
    """An existing container.

    Args:
        partition_key_paths: one to three.
        default_ttl: its default time to live in seconds, or None.
        hashes_whole_keys: False for a partition key of version 1, which hashes only the first 101 bytes.
            https://learn.microsoft.com/azure/cosmos-db/large-partition-keys
        unique_keys: the paths of each unique key.
    """

    partition_key_paths: tuple[str, ...]
    default_ttl: int | None
    hashes_whole_keys: bool = True
    unique_keys: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Throughput:
    """A container's own throughput in RU/s.

    ``autoscale``: whether ``ru_per_second`` is a maximum that the service scales below. ``pending``: whether an
    accepted change is still in progress.
    """

    ru_per_second: int
    autoscale: bool
    minimum_ru_per_second: int
    pending: bool


@dataclass(frozen=True)
class Account:
    """The properties of a Cosmos DB account that matter for a load; ``throughput_limit`` is its maximum of RU/s."""

    kind: str
    is_serverless: bool
    is_free_tier: bool
    throughput_limit: int | None
    regions: tuple[str, ...]
    is_public: bool


def container_of(resource: Mapping[str, Any]) -> Container:
    """Return a container from its resource; a partition key of one path that names no version has the first."""
    key = resource["partitionKey"]
    version = str(key.get("version") or ("2" if len(key["paths"]) > 1 else "1"))
    unique = (resource.get("uniqueKeyPolicy") or {}).get("uniqueKeys") or ()
    return Container(
        partition_key_paths=tuple(key["paths"]),
        default_ttl=resource.get("defaultTtl"),
        hashes_whole_keys=version.upper().removeprefix("V") != "1",
        unique_keys=tuple(tuple(each["paths"]) for each in unique),
    )


def throughput_of(resource: Mapping[str, Any]) -> Throughput:
    """Return a container's throughput from its resource."""
    autoscale = resource.get("autoscaleSettings")
    return Throughput(
        ru_per_second=autoscale["maxThroughput"] if autoscale else resource["throughput"],
        autoscale=bool(autoscale),
        minimum_ru_per_second=int(resource.get("minimumThroughput") or 400),
        pending=str(resource.get("offerReplacePending", "")).lower() == "true",
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
        regions=tuple(location["locationName"] for location in properties.get("writeLocations") or ()),
        is_public=properties.get("publicNetworkAccess", "Enabled") == "Enabled",
    )
