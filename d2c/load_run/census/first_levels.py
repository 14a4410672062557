"""Whether a hierarchical partition key begins with few values, by a sample: the first items of each data file.

The files of an export are ranges of hashes of the table's key, so the first items of each are like the others.
All documents with one value of the first level begin in one physical partition, whatever the container has.
https://learn.microsoft.com/azure/cosmos-db/hierarchical-partition-keys
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson

from d2c.load_run.census.heavy_hitters import HeavyHitters
from d2c.load_run.throughput.sizing import RU_PER_PARTITION
from d2c.mapping import Document, Mapped

SAMPLED_OF_A_TABLE = 2_000
LEAST_OF_A_FILE = 10
# Fewer say nothing, and a small table is loaded in seconds.
LEAST_SAMPLED = 100
# A value with a smaller part of the documents leaves a load 200,000 RU/s.
HOT_PART = 0.05
MOST_TEXT = 100


def sampled_of_a_file(files: int) -> int:
    """Return how many items of each file are sampled.

    Args:
        files: those of the table.
    """
    return max(SAMPLED_OF_A_TABLE // max(files, 1), LEAST_OF_A_FILE)


@dataclass
class FirstLevels:
    """How many sampled documents have each value of the first level."""

    sampled: int = 0
    values: HeavyHitters = field(default_factory=HeavyHitters)

    def add(self, mapped: Mapped) -> None:
        """Count a document; what is none does not count."""
        if isinstance(mapped, Document):
            self.sampled += 1
            self.values.add(_text(mapped.partition_key[0]), 1)

    def merge(self, other: "FirstLevels") -> None:
        """Add those of another file."""
        self.sampled += other.sampled
        self.values.merge(other.values)

    def to_json(self) -> dict[str, Any]:
        """Return them as plain JSON."""
        return {"sampled": self.sampled, **self.values.to_json()}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "FirstLevels":
        """Return them from the result of `to_json`."""
        return cls(found["sampled"], HeavyHitters.from_json(found))

    def hottest(self) -> dict[str, Any] | None:
        """Return the value of so many documents that it slows down a load; None if there is none."""
        first = next(iter(self.values.largest(1)), None)
        if first is None or self.sampled < LEAST_SAMPLED or first[1] < HOT_PART * self.sampled:
            return None
        value, count = first
        return {
            "value": value,
            "part": round(count / self.sampled, 3),
            "sampled": self.sampled,
            "most_ru_per_second": RU_PER_PARTITION * self.sampled // count // 100 * 100,
        }


def _text(value: Any) -> str:
    """Return a value as JSON; a long one by its beginning and a digest."""
    text = orjson.dumps(value).decode()
    return (
        text
        if len(text) <= MOST_TEXT
        else f"{text[:MOST_TEXT]}... ({sha256(text.encode()).hexdigest()[:16]})"
    )
