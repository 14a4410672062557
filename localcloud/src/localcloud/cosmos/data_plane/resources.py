"""Calls about the account, databases, containers, partition key ranges and offers."""

import struct
from collections.abc import Mapping
from typing import Any

import orjson

from localcloud.cosmos.data_plane.calls import Answer, Call, json_answer
from localcloud.cosmos.errors import CosmosError
from localcloud.cosmos.storage import throughput
from localcloud.cosmos.storage.store import Container, Store, new_etag, rid_of

FORBIDDEN_IN_NAMES = "/\\?#"
LONGEST_NAME = 255
LARGEST_TTL = 2_147_483_647
CHANGEABLE = ("indexingPolicy", "defaultTtl", "conflictResolutionPolicy")
# What a container may be created with here; a policy that would not be kept is refused rather than ignored.
CONTAINER_PROPERTIES = frozenset({"id", "partitionKey", *CHANGEABLE})
ONE_RANGE_ETAG = '"1"'

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
        return _listing("Databases", _named(call, list(call.store.databases.values())))
    if throughput.offer_content(call.headers):
        raise CosmosError(400, "Throughput that a database's containers share is not supported here.")
    return json_answer(call.store.create_database(_checked_name(call.object())), 201)


def list_databases(call: Call) -> Answer:
    """Return all databases."""
    return _listing("Databases", list(call.store.databases.values()))


def get_database(call: Call) -> Answer:
    """Return a database."""
    return json_answer(call.store.find_database(call.names[0]))


def delete_database(call: Call) -> Answer:
    """Delete a database."""
    call.store.delete_database(call.names[0])
    return Answer(status=204)


def post_containers(call: Call) -> Answer:
    """Create a container, or find containers by name."""
    database = call.store.find_database(call.names[0])["id"]
    if call.is_query:
        found = [container.properties for container in call.store.containers_of(database)]
        return _listing("DocumentCollections", _named(call, found))
    definition = call.object()
    _checked_name(definition)
    _check_definition(definition)
    container = call.store.create_container(database, definition, throughput.offer_content(call.headers))
    return _container_answer(call.store, container, 201)


def list_containers(call: Call) -> Answer:
    """Return a database's containers."""
    database = call.store.find_database(call.names[0])["id"]
    return _listing(
        "DocumentCollections", [container.properties for container in call.store.containers_of(database)]
    )


def get_container(call: Call) -> Answer:
    """Return a container."""
    return _container_answer(call.store, call.store.find_container(*call.names))


def put_container(call: Call) -> Answer:
    """Change a container's indexing or time to live; its partition key cannot change."""
    container, definition = call.store.find_container(*call.names), call.object()
    _check_definition(definition)
    wanted = (definition.get("partitionKey") or {}).get("paths")
    if wanted != container.paths or definition.get("id") != container.name:
        raise CosmosError(400, "The partition key and the id of a container cannot be changed.")
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
    """Return a container's one range; 304 to who knows it already."""
    container = call.store.find_container(*call.names)
    if call.headers.get("if-none-match") == ONE_RANGE_ETAG:
        return Answer(status=304, headers={"etag": ONE_RANGE_ETAG})
    whole = {
        "id": "0",
        "_rid": rid_of(container.rid_bytes + struct.pack("<Q", 1 | 0x50 << 56)),
        "_self": f"{container.properties['_self']}pkranges/0/",
        "_etag": ONE_RANGE_ETAG,
        "minInclusive": "",
        "maxExclusive": "FF",
        "ridPrefix": 0,
        "throughputFraction": 1,
        "status": "online",
        "parents": [],
    }
    content = {"_rid": container.properties["_rid"], "PartitionKeyRanges": [whole], "_count": 1}
    return json_answer(content, headers={"etag": ONE_RANGE_ETAG, "x-ms-item-count": "1"})


def list_offers(call: Call) -> Answer:
    """Return offers; a query for one asks by the container's link or resource id, as the two SDKs do."""
    offers = [container.offer or {} for container in call.store.offers()]
    if call.is_query:
        values = [str(entry.get("value")).strip("/") for entry in call.object().get("parameters") or []]
        offers = [
            offer
            for offer in offers
            if not values or values[0] in (offer["resource"].strip("/"), offer["offerResourceId"])
        ]
    return _listing("Offers", offers)


def get_offer(call: Call) -> Answer:
    """Return an offer."""
    return json_answer(_offered(call).offer)


def put_offer(call: Call) -> Answer:
    """Change a container's throughput; here it takes effect at once."""
    container = _offered(call)
    call.store.change_offer(container, call.object().get("content") or {})
    return json_answer(container.offer)


def _offered(call: Call) -> Container:
    for container in call.store.offers():
        if container.offer and container.offer["id"].lower() == call.names[0].lower():
            return container
    raise CosmosError(404, f"Resource Not Found: offer {call.names[0]}")


def _container_answer(store: Store, container: Container, status: int = 200) -> Answer:
    headers = {
        "etag": container.properties["_etag"],
        "x-ms-alt-content-path": f"dbs/{container.database}",
        "x-ms-content-path": store.databases[container.database]["_rid"],
    }
    return json_answer(container.properties, status, headers=headers)


def _listing(name: str, entries: list[Json]) -> Answer:
    return json_answer({"_rid": "", name: entries, "_count": len(entries)})


def _named(call: Call, entries: list[Json]) -> list[Json]:
    """Return what a query for resources by id finds; the SDKs ask so, and with no other condition."""
    query = call.object()
    values = [entry.get("value") for entry in query.get("parameters") or []]
    if "where" in str(query.get("query")).lower() and len(values) != 1:
        raise CosmosError(400, "A query for databases or containers other than by id is not supported here.")
    return [entry for entry in entries if not values or entry["id"] == values[0]]


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
    if not isinstance(definition.get("indexingPolicy", {}), dict):
        raise CosmosError(400, "The indexing policy is not a JSON object.")
    ttl = definition.get("defaultTtl")
    if ttl is not None and (type(ttl) is not int or not (ttl == -1 or 0 < ttl <= LARGEST_TTL)):
        raise CosmosError(400, f"The defaultTtl {ttl} is invalid.")
