"""Sizes of documents: exact sums, and percentiles to within one percent, in bounded memory."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from d2c.load_run.throughput.request_units import write_ru

NEAR_LIMIT_BYTES = 1_800_000
"""A document larger than this is close to Cosmos DB's limit of 2 MB."""

# Sizes are counted exactly up to this many different ones.
MOST_SIZES = 4_096
SIGNIFICANT_BITS = 8
PERCENTILE_ERROR = 2.0 ** (1 - SIGNIFICANT_BITS)
"""A percentile is never too small, and too large by less than this part of it."""


@dataclass
class DocumentSizes:
    """Sizes of documents in bytes; `write_milli_ru` is what writing them costs, in thousandths and without indexes."""

    documents: int = 0
    total_bytes: int = 0
    write_milli_ru: int = 0
    largest: int = 0
    near_limit: int = 0
    rounded: Counter[int] = field(default_factory=Counter)
    exact: dict[int, int] = field(default_factory=dict)

    def add(self, size_bytes: int, documents: int = 1) -> None:
        """Count documents of a size."""
        exact = self.exact
        exact[size_bytes] = exact.get(size_bytes, 0) + documents
        if len(exact) > MOST_SIZES:
            self._fold()

    def merge(self, other: "DocumentSizes") -> None:
        """Count the documents of another file too."""
        for sizes in (self, other):
            sizes._fold()
        self.documents += other.documents
        self.total_bytes += other.total_bytes
        self.write_milli_ru += other.write_milli_ru
        self.largest = max(self.largest, other.largest)
        self.near_limit += other.near_limit
        self.rounded.update(other.rounded)

    def percentile(self, percent: float) -> int | None:
        """Return the size that ``percent`` of the documents do not exceed, or None without documents."""
        self._fold()
        counted = 0
        for size in sorted(self.rounded):
            counted += self.rounded[size]
            if counted * 100 >= percent * self.documents:
                return min(size, self.largest)
        return None

    def to_json(self) -> dict[str, Any]:
        """Return the sizes as plain JSON."""
        self._fold()
        return {name: value for name, value in vars(self).items() if name != "exact"}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "DocumentSizes":
        """Return the sizes from the result of `to_json`, with JSON's text keys as numbers again."""
        rounded = Counter({int(size): count for size, count in found["rounded"].items()})
        return cls(**{**found, "rounded": rounded})

    def _fold(self) -> None:
        """Add the exactly counted sizes to the sums."""
        for size, count in self.exact.items():
            self.documents += count
            self.total_bytes += size * count
            self.write_milli_ru += round(write_ru(size) * 1000) * count
            self.largest = max(self.largest, size)
            self.near_limit += count if size > NEAR_LIMIT_BYTES else 0
            self.rounded[rounded_up(size)] += count
        self.exact = {}


def rounded_up(size: int) -> int:
    """Return the next size that has no more than `SIGNIFICANT_BITS` significant bits."""
    shift = max(0, size.bit_length() - SIGNIFICANT_BITS)
    return -(-size >> shift) << shift
