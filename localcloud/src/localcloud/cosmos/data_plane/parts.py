"""The part of a container that a call is about, and the physical partitions that answer for it."""

from dataclasses import dataclass
from typing import Any

from localcloud.cosmos.data_plane.calls import Call
from localcloud.cosmos.storage import keys
from localcloud.cosmos.storage.container import Container
from localcloud.cosmos.storage.partitions import Partition
from localcloud.cosmos.storage.ranges import FIRST, LAST


@dataclass(frozen=True)
class ContainerPart:
    """A part of a container, as SQL over the table of documents, and the partitions that hold it."""

    where: str
    values: list[Any]
    partitions: list[Partition]

    def check_budget(self) -> None:
        """Refuse a call while one of the partitions is overdrawn.

        Raises:
            CosmosError: 429.
        """
        for each in self.partitions:
            each.budget.check()

    def spend(self, charge: float) -> float:
        """Take a charge from the partitions, in equal parts, and return it."""
        for each in self.partitions:
            each.budget.spend(charge / len(self.partitions))
        return charge


def part_of(call: Call, container: Container) -> ContainerPart:
    """Return the part of a container that a call's headers ask for: a key, a range of keys, or all.

    Raises:
        CosmosError: 400, for a key that is not whole; 410/1002, for a partition key range that is not there.
    """
    named, key = named_partition(call, container), keys.header_key(call.headers)
    if key is not None:
        keys.check_levels(key, container.paths)
        values = [container.number, keys.canonical(key)]
        return ContainerPart("container=? and key=?", values, [container.partitions.of(key)])
    start = call.headers.get("x-ms-start-epk", "").upper() or FIRST
    end = call.headers.get("x-ms-end-epk", "").upper() or LAST
    if named:
        start, end = max(start, named.start), min(end, named.end)
    partitions = [named] if named else container.partitions.between(start, end)
    return ContainerPart("container=? and ring>=? and ring<?", [container.number, start, end], partitions)


def named_partition(call: Call, container: Container) -> Partition | None:
    """Return the partition whose range a call's header names, or None if it names none.

    Raises:
        CosmosError: 410/1002, if there is no such range, or none any more.
    """
    named = call.headers.get("x-ms-documentdb-partitionkeyrangeid", "").split(",")[-1]
    return container.partitions.named(named) if named else None
