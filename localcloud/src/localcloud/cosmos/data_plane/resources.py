"""Calls about the account, databases, containers, partition key ranges and offers."""

import struct
from collections.abc import Mapping
from typing import Any

import orjson

from localcloud.cosmos.data_plane.calls import Answer, Call, json_answer
from localcloud.cosmos.data_plane.queries import values_of
from localcloud.cosmos.errors import OWNER_MISSING, CosmosError
from localcloud.cosmos.sql.expressions import Row
from localcloud.cosmos.sql.parser import parse
from localcloud.cosmos.storage import throughput, unique_keys
from localcloud.cosmos.storage.container import Container, new_etag, rid_of
from localcloud.cosmos.storage.indexing import check_policy
from localcloud.cosmos.storage.partitions import Partition
from localcloud.cosmos.storage.store import Store

FORBIDDEN_IN_NAMES = "/\\?#"
LONGEST_NAME = 255
LARGEST_TTL = 2_147_483_647
CHANGEABLE = ("indexingPolicy", "defaultTtl", "conflictResolutionPolicy")
TRANSFORMATION_PROGRESS = "x-ms-documentdb-collection-index-transformation-progress"
# What a container may be created with here; a policy that would not be kept is refused rather than ignored.
CONTAINER_PROPERTIES = frozenset({"id", "partitionKey", "uniqueKeyPolicy", *CHANGEABLE})

Json = dict[str, Any]


def account_properties(url: str) -> Json:
    """Return what the account says about itself: one region, at this address."""
    location = [{"name": "Local", "databaseAccountEndpoint": url}]
    return {
        "id": "local",
        "_rid": "local",
        "_self": "",
        "_dbs": "//dbs/",
        "media": "//media/",
        "addresses": "//addresses/",
        "writableLocations": location,
        "readableLocations": location,
        "enableMultipleWriteLocations": False,
        "userConsistencyPolicy": {"defaultConsistencyLevel": "Session"},
        "userReplicationPolicy": {"minReplicaSetSize": 1, "maxReplicasetSize": 1, "asyncReplication": False},
        "systemReplicationPolicy": {"minReplicaSetSize": 1, "maxReplicasetSize": 1},
        "readPolicy": {"primaryReadCoefficient": 1, "secondaryReadCoefficient": 1},
        "queryEngineConfiguration": "{}",
    }


def post_databases(call: Call) -> Answer:
    """Create a database, or find databases by name."""
    if call.is_query:
        return listing("Databases", _found(call, list(call.store.databases.values())))
    offer = throughput.offer_content(call.headers)
    return json_answer(call.store.create_database(_checked_name(call.object()), offer), 201)


def list_databases(call: Call) -> Answer:
    """Return all databases."""
    return listing("Databases", list(call.store.databases.values()))


def get_database(call: Call) -> Answer:
    """Return a database."""
    return json_answer(call.store.find_database(call.names[0]))


def delete_database(call: Call) -> Answer:
    """Delete a database."""
    call.store.delete_database(call.names[0])
    return Answer(status=204)


def post_containers(call: Call) -> Answer:
    """Create a container, or find containers by name."""
    database = call.store.find_database(call.names[0], sub_status=OWNER_MISSING)["id"]
    if call.is_query:
        found = [container.properties for container in call.store.containers_of(database)]
        return listing("DocumentCollections", _found(call, found))
    definition = call.object()
    _checked_name(definition)
    _check_definition(definition)
    container = call.store.create_container(database, definition, throughput.offer_content(call.headers))
    return _container_answer(call.store, container, 201)


def list_containers(call: Call) -> Answer:
    """Return a database's containers."""
    database = call.store.find_database(call.names[0], sub_status=OWNER_MISSING)["id"]
    return listing(
        "DocumentCollections", [container.properties for container in call.store.containers_of(database)]
    )


def get_container(call: Call) -> Answer:
    """Return a container, with the progress of its index transformation if the caller wants its quota."""
    container = call.store.find_container(*call.names)
    answer = _container_answer(call.store, container)
    if call.is_set("x-ms-documentdb-populatequotainfo"):
        answer.headers[TRANSFORMATION_PROGRESS] = str(container.transform())
    return answer


def put_container(call: Call) -> Answer:
    """Change a container's indexing or time to live; its partition key and its unique keys cannot change."""
    container, definition = call.store.find_container(*call.names), call.object()
    _check_definition(definition)
    wanted = (definition.get("partitionKey") or {}).get("paths")
    if wanted != container.paths or definition.get("id") != container.name:
        raise CosmosError(400, "The partition key and the id of a container cannot be changed.")
    if unique_keys.paths_of(definition) != container.unique_paths:
        raise CosmosError(400, "The unique index cannot be modified. To change it, create a new container.")
    if "indexingPolicy" in definition:
        call.store.change_indexing(container, definition["indexingPolicy"])
    for name in CHANGEABLE:
        if name in definition:
            container.properties[name] = definition[name]
        elif name == "defaultTtl":
            container.properties.pop(name, None)
    container.properties["_etag"] = new_etag()
    call.store.save()
    return _container_answer(call.store, container)


def delete_container(call: Call) -> Answer:
    """Delete a container."""
    call.store.delete_container(call.store.find_container(*call.names))
    return Answer(status=204)


def partition_key_ranges(call: Call) -> Answer:
    """Return a container's ranges; 304 to a client that knows them already."""
    container = call.store.find_container(*call.names, sub_status=OWNER_MISSING)
    ranges = [_key_range(container, each) for each in container.partitions.all]
    # A split gives new ids, which are higher.
    etag = f'"{max(each.range.id for each in container.partitions.all) + 1}"'
    if call.headers.get("if-none-match") == etag:
        return Answer(status=304, headers={"etag": etag})
    content = {"_rid": container.properties["_rid"], "PartitionKeyRanges": ranges, "_count": len(ranges)}
    return json_answer(content, headers={"etag": etag, "x-ms-item-count": str(len(ranges))})


def _key_range(container: Container, partition: Partition) -> Json:
    number = partition.range.id
    return {
        "id": partition.id,
        "_rid": rid_of(container.rid_bytes + struct.pack("<Q", number + 1 | 0x50 << 56)),
        "_self": f"{container.properties['_self']}pkranges/{number}/",
        "_etag": f'"{number + 1}"',
        "minInclusive": partition.start,
        "maxExclusive": partition.end,
        "ridPrefix": number,
        "throughputFraction": 1 / len(container.partitions.all),
        "status": "online",
        "parents": [str(each) for each in partition.range.parents],
    }


def _container_answer(store: Store, container: Container, status: int = 200) -> Answer:
    headers = {
        "etag": container.properties["_etag"],
        "x-ms-alt-content-path": f"dbs/{container.database}",
        "x-ms-content-path": store.databases[container.database]["_rid"],
    }
    return json_answer(container.properties, status, headers=headers)


def listing(name: str, entries: list[Json]) -> Answer:
    """Return an answer with resources of a kind."""
    return json_answer({"_rid": "", name: entries, "_count": len(entries)})


def _found(call: Call, entries: list[Json]) -> list[Json]:
    """Return the whole resources that a query for some of them finds."""
    content = call.object()
    query, named = parse(content.get("query")), values_of(content.get("parameters"))
    if query.kind != "*" or not query.streams:
        raise CosmosError(400, "A query for databases or containers returns them whole here, in no order.")
    where = query.where
    return [entry for entry in entries if not where or where.expression(Row(entry, named, [])) is True]


def _checked_name(definition: Mapping[str, Any]) -> str:
    name = definition.get("id")
    fits = isinstance(name, str) and 0 < len(name) <= LONGEST_NAME and name.strip() == name
    if not fits or any(letter in FORBIDDEN_IN_NAMES for letter in str(name)):
        raise CosmosError(400, f"The id {orjson.dumps(name).decode()} is not one that a resource can have.")
    return str(name)


def _check_definition(definition: Mapping[str, Any]) -> None:
    unknown = {
        name for name, value in definition.items() if value and not name.startswith("_")
    } - CONTAINER_PROPERTIES
    if unknown:
        raise CosmosError(400, f"Containers with {', '.join(sorted(unknown))} are not supported here.")
    unique_keys.check_policy(definition.get("uniqueKeyPolicy") or {})
    ttl = definition.get("defaultTtl")
    check_policy(definition.get("indexingPolicy", {}), ttl)
    if ttl is not None and (type(ttl) is not int or not (ttl == -1 or 0 < ttl <= LARGEST_TTL)):
        raise CosmosError(400, f"The defaultTtl {ttl} is invalid.")
