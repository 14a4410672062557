"""What a read or a write must know of the container before it starts."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

import orjson

from localcloud.cosmos.storage import keys
from localcloud.databricks.connector.gateway import Gateway


@dataclass(frozen=True)
class KeyRange:
    """A partition key range, the part of the hash ring that a physical partition holds; its end is not in it."""

    id: str
    start: str
    end: str


@dataclass(frozen=True)
class Container:
    """A container's resource id, the definition of its partition key, and its key ranges by their starts."""

    rid: str
    definition: dict[str, Any]
    ranges: tuple[KeyRange, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of the partition key."""
        return tuple(self.definition["paths"])

    @property
    def hierarchical(self) -> bool:
        """Whether the partition key has levels."""
        return bool(self.definition.get("kind") == "MultiHash")

    def range_of(self, partition_key: str) -> KeyRange:
        """Return the range that holds a partition key, which is given as its JSON text."""
        if len(self.ranges) == 1:
            return self.ranges[0]
        place = keys.effective_key(keys.check_definition(self.definition), keys.parse_key(partition_key))
        return self.ranges[bisect_right([one.start for one in self.ranges], place) - 1]


def look_up_container(gateway: Gateway) -> Container:
    """Return the container as the service describes it.

    Raises:
        CallFailedError: if the service does not answer.
    """
    what = f"Looking up the container {'/'.join(gateway.link[1::2])}"
    properties = orjson.loads(gateway.call_patiently("GET", (), {}, what=what).body)
    answer = gateway.call_patiently("GET", ("pkranges",), {}, what=what)
    ranges = [
        KeyRange(one["id"], one["minInclusive"], one["maxExclusive"])
        for one in orjson.loads(answer.body)["PartitionKeyRanges"]
    ]
    return Container(
        rid=properties["_rid"],
        definition=properties["partitionKey"],
        ranges=tuple(sorted(ranges, key=lambda one: one.start)),
    )
