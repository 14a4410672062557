"""What a read or a write must know of the container before it starts."""

from dataclasses import dataclass

import orjson

from localcloud.databricks.connector.errors import CallFailedError
from localcloud.databricks.connector.gateway import Gateway


@dataclass(frozen=True)
class Container:
    """A container's resource id, the definition of its partition key, and its one partition key range."""

    rid: str
    paths: tuple[str, ...]
    hierarchical: bool
    range_id: str


def look_up_container(gateway: Gateway) -> Container:
    """Return the container as the service describes it.

    Raises:
        CallFailedError: if the service does not answer, or if the container has several physical partitions.
    """
    what = f"Looking up the container {'/'.join(gateway.link[1::2])}"
    properties = orjson.loads(gateway.call_patiently("GET", (), {}, what=what).body)
    answer = gateway.call_patiently("GET", ("pkranges",), {}, what=what)
    ranges = orjson.loads(answer.body)["PartitionKeyRanges"]
    if len(ranges) != 1:
        raise CallFailedError(
            f"{what}: it has {len(ranges)} physical partitions, and this data source serves one. "
            "Use the connector itself with a container of this size."
        )
    definition = properties["partitionKey"]
    return Container(
        rid=properties["_rid"],
        paths=tuple(definition["paths"]),
        hierarchical=definition.get("kind") == "MultiHash",
        range_id=ranges[0]["id"],
    )
