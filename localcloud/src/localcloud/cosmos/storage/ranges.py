"""Partition key ranges: the parts of the hash ring, each of which a physical partition holds.

The ring is told in positions from 0 up to `RING`; only the names of the bounds depend on how a container hashes.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from azure.cosmos.partition_key import _to_hex_encoded_binary_string_v1

RING = 2**32
FIRST, LAST = "", "FF"


class KeyRange(NamedTuple):
    """A range: its id, its part of the ring, and the ids of those that it came from by splits."""

    id: int
    start: int
    end: int
    parents: tuple[int, ...] = ()


def even_ranges(count: int) -> list[KeyRange]:
    """Return the ranges of a new container."""
    bounds = [RING * place // count for place in range(count + 1)]
    return [KeyRange(place, bounds[place], bounds[place + 1]) for place in range(count)]


def split(ranges: Sequence[KeyRange], count: int) -> list[KeyRange]:
    """Return ranges split in halves, the widest first, until there are as many as wanted; they are never merged."""
    left = list(ranges)
    while len(left) < count:
        place = max(range(len(left)), key=lambda place: left[place].end - left[place].start)
        left[place : place + 1] = _halves(left[place], max(each.id for each in left) + 1)
    return left


def bound(definition: dict[str, Any], position: int) -> str:
    """Return the name of a position on the ring, which compares with effective partition keys.

    Args:
        definition: the container's partition key definition.
        position: from 0 to `RING`.
    """
    if position in (0, RING):
        return FIRST if position == 0 else LAST
    if definition["version"] == 1:
        return str(_to_hex_encoded_binary_string_v1([float(position)])).upper()
    # Hashes of the second version have 128 bits of which the first two are zero.
    return f"{position << 94:032X}"


def _halves(whole: KeyRange, next_id: int) -> list[KeyRange]:
    middle = (whole.start + whole.end) // 2
    parents = (*whole.parents, whole.id)
    return [
        KeyRange(next_id, whole.start, middle, parents),
        KeyRange(next_id + 1, middle, whole.end, parents),
    ]
