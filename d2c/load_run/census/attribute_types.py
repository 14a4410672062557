"""Count the types and inexact numbers of each attribute, in bounded memory."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from d2c.mapping import count_inexact

MOST_ATTRIBUTES = 1_000
LONGEST_NAME = 255
"""In characters. Longer names, and those beyond the `MOST_ATTRIBUTES` shortest ones, are counted together."""

T = TypeVar("T")
TAGS = frozenset({"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"})
NO_TYPE = "none"

# Items of one table have few shapes, so they are counted by shape; a shape can have a thousand attributes.
MOST_SHAPES = 512
MOST_CHARACTERS_IN_SHAPES = 2**20


class AttributeTypes:
    """Counts of types and of inexact numbers by attribute.

    Counts of the kept attributes are exact: a name is dropped only if ``most`` names precede it, and those are kept.
    The order is by length and then by alphabet, which puts names given by people before generated ones.

    Args:
        most: the number of attributes to keep.
    """

    def __init__(self, most: int = MOST_ATTRIBUTES) -> None:
        self._most = most
        self.values = 0
        self._types: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._inexact: Counter[str] = Counter()
        self._shapes: dict[tuple[str, ...], int] = {}
        self._characters_in_shapes = 0

    def add(self, shape: tuple[str, ...], items: int = 1) -> None:
        """Count the attributes of items by their names and then as many type tags."""
        shapes = self._shapes
        count = shapes.get(shape)
        if count is not None:
            shapes[shape] = count + items
            return
        shapes[shape] = items
        self._characters_in_shapes += sum(map(len, shape))
        if len(shapes) > MOST_SHAPES or self._characters_in_shapes > MOST_CHARACTERS_IN_SHAPES:
            self._fold()

    def add_inexact(self, counts: Mapping[str, int]) -> None:
        """Count inexact numbers by attribute, for an item already counted by `add`."""
        for name, count in counts.items():
            if len(name) <= LONGEST_NAME:
                self._inexact[name] += count
        if len(self._inexact) > 2 * self._most:
            self._fold()

    def add_rejected(self, item: Mapping[str, Any]) -> None:
        """Count types and inexact numbers of an item in DynamoDB JSON with any faults."""
        self.add((*item, *map(_tag_of, item.values())))
        self.add_inexact({name: count for name, tagged in item.items() if (count := count_inexact(tagged))})

    def merge(self, other: "AttributeTypes") -> None:
        """Add the counts of another file."""
        other._fold()
        self.values += other.values
        for name, types in other._types.items():
            self._types[name].update(types)
        self._inexact.update(other._inexact)
        self._fold()

    def to_json(self) -> dict[str, Any]:
        """Return the counts as plain JSON: of types and of inexact numbers by name, and of values in all."""
        self._fold()
        return {"values": self.values, "types": self._types, "inexact": self._inexact}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "AttributeTypes":
        """Return the counts that `to_json` returned."""
        counts = cls()
        counts.values = found["values"]
        for name, types in found["types"].items():
            counts._types[name].update(types)
        counts._inexact.update(found["inexact"])
        return counts

    def _fold(self) -> None:
        for shape, count in self._shapes.items():
            half = len(shape) // 2
            self.values += half * count
            for name, tag in self._first(zip(shape[:half], shape[half:], strict=True)):
                self._types[name][tag] += count
        self._shapes, self._characters_in_shapes = {}, 0
        kept = self._first(self._types.items())
        self._types = defaultdict(Counter, kept)
        for name in self._inexact.keys() - self._types.keys():
            del self._inexact[name]

    def _first(self, by_name: Iterable[tuple[str, T]]) -> list[tuple[str, T]]:
        """Return the entries whose names are kept, of those given."""
        short = [entry for entry in by_name if len(entry[0]) <= LONGEST_NAME]
        return short if len(short) <= self._most else heapq.nsmallest(self._most, short, _place)


def _place(entry: tuple[str, Any]) -> tuple[int, str]:
    return len(entry[0]), entry[0]


def _tag_of(tagged: Any) -> str:
    if type(tagged) is dict and len(tagged) == 1:
        (tag,) = tagged
        return tag if tag in TAGS else NO_TYPE
    return NO_TYPE
