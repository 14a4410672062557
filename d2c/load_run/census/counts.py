"""The census of a table's content, taken during assess: sizes, types, inexact numbers, large partitions.

Each data file has a census of a few kilobytes, and these are merged. All counts, sums and largest values are exact in
any order of merging. Percentiles and logical partitions have errors, which are documented with them.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from d2c.load_run.census.attribute_types import AttributeTypes
from d2c.load_run.census.document_sizes import PERCENTILE_ERROR, DocumentSizes
from d2c.load_run.census.first_levels import FirstLevels
from d2c.load_run.census.heavy_hitters import HeavyHitters
from d2c.load_run.throughput.request_units import SYSTEM_PROPERTIES_BYTES
from d2c.mapping import Document, Mapped, MappedShape, Rejected

LOGICAL_PARTITION_BYTES = 20 * 2**30
"""https://learn.microsoft.com/azure/cosmos-db/concepts-limits#provisioned-throughput"""
SHOWN_PARTITIONS = 20
# Partitions with less than this part of a file's bytes are omitted from its census, to limit its size.
LEFT_OUT = 4_000
# An expiry from here on, in the year 5138, is one in milliseconds since 1970.
MILLISECONDS = 10**11


class Census:
    """Counts of one data file, or of several after merging.

    Args:
        mapped_shape: that of the mapper whose results are added.
        dropped: attributes that the rules drop; they are not counted.
        ttl_attribute: the attribute that becomes the time to live, None if there is none.
    """

    def __init__(
        self,
        mapped_shape: MappedShape | None = None,
        dropped: frozenset[str] = frozenset(),
        ttl_attribute: str | None = None,
    ) -> None:
        self._mapped_shape = mapped_shape or MappedShape()
        self._dropped = dropped
        self._ttl_attribute = ttl_attribute
        self.never_expiring: Counter[str] = Counter()
        self.longest_id_bytes = 0
        self.attributes = AttributeTypes()
        self.sizes = DocumentSizes()
        self.partitions = HeavyHitters()
        self.first_levels = FirstLevels()

    def add(self, mapped: Mapped) -> None:
        """Count the item that the mapper mapped last, by its outcome."""
        if isinstance(mapped, Rejected):
            self._add_rejected(mapped)
            return
        if isinstance(mapped, Document):
            self._add_document(mapped)
        self.attributes.add(self._mapped_shape.shape)
        if self._mapped_shape.inexact:
            self.attributes.add_inexact(self._mapped_shape.inexact_by_attribute())

    def _add_document(self, document: Document) -> None:
        body, identifier, partition_key, expires_at = document
        size = len(body)
        self.sizes.add(size)
        self.partitions.add(orjson.dumps(partition_key).decode(), size + SYSTEM_PROPERTIES_BYTES)
        id_bytes = len(identifier) if identifier.isascii() else len(identifier.encode())
        if id_bytes > self.longest_id_bytes:
            self.longest_id_bytes = id_bytes
        if self._ttl_attribute is not None and (expires_at is None or expires_at >= MILLISECONDS):
            self._add_never_expiring(self._ttl_attribute, expires_at)

    def _add_never_expiring(self, attribute: str, expires_at: int | None) -> None:
        """Count a document whose item has the time-to-live attribute, with a value by which it never expires."""
        tag = self._mapped_shape.tag_of(attribute)
        if expires_at is not None:
            self.never_expiring["milliseconds"] += 1
        elif tag is not None:
            self.never_expiring["long_past" if tag == "N" else "not_a_number"] += 1

    def _add_rejected(self, rejected: Rejected) -> None:
        item = orjson.loads(rejected.item)
        if isinstance(item, dict):
            kept = {name: tagged for name, tagged in item.items() if name not in self._dropped}
            self.attributes.add_rejected(kept)

    def merge(self, other: "Census") -> None:
        """Add the counts of another file."""
        self.longest_id_bytes = max(self.longest_id_bytes, other.longest_id_bytes)
        self.attributes.merge(other.attributes)
        self.sizes.merge(other.sizes)
        self.partitions.merge(other.partitions)
        self.first_levels.merge(other.first_levels)
        self.never_expiring.update(other.never_expiring)

    def to_json(self) -> dict[str, Any]:
        """Return the counts of a data file as plain JSON, without its light partitions."""
        sizes = self.sizes.to_json()
        stored_bytes = sizes["total_bytes"] + SYSTEM_PROPERTIES_BYTES * sizes["documents"]
        self.partitions.leave_out(stored_bytes // LEFT_OUT)
        return {
            "longest_id_bytes": self.longest_id_bytes,
            "attributes": self.attributes.to_json(),
            "sizes": sizes,
            "partitions": self.partitions.to_json(),
            "never_expiring": self.never_expiring,
            "first_levels": self.first_levels.to_json(),
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Census":
        """Return the counts that `to_json` returned."""
        census = cls()
        census.longest_id_bytes = found["longest_id_bytes"]
        census.attributes = AttributeTypes.from_json(found["attributes"])
        census.sizes = DocumentSizes.from_json(found["sizes"])
        census.partitions = HeavyHitters.from_json(found["partitions"])
        census.never_expiring.update(found["never_expiring"])
        census.first_levels = FirstLevels.from_json(found["first_levels"])
        return census


def merged(censuses: Iterable[Mapping[str, Any]]) -> Census:
    """Merge the censuses of files, as returned by `Census.to_json`."""
    total = Census()
    for found in censuses:
        total.merge(Census.from_json(found))
    return total


def summarise(census: Census) -> dict[str, Any]:
    """Return the census in the report's form; its size does not grow with the table."""
    sizes = census.sizes
    return {
        "document_bytes": {
            "total": sizes.total_bytes,
            "p50": sizes.percentile(50),
            "p99": sizes.percentile(99),
            "max": sizes.largest if sizes.documents else None,
            "percentile_error": PERCENTILE_ERROR,
        },
        "documents_near_2_mb": sizes.near_limit,
        "longest_document_id_bytes": census.longest_id_bytes,
        **_attributes(census.attributes.to_json()),
        "never_expiring": dict(census.never_expiring),
        "logical_partitions": _partitions(census.partitions),
        "hot_first_level": census.first_levels.hottest(),
        "write_ru": math.ceil(sizes.write_milli_ru / 1000),
    }


def _attributes(counts: Mapping[str, Any]) -> dict[str, Any]:
    types, inexact = counts["types"], counts["inexact"]
    return {
        "attributes": [
            {"name": name, "types": dict(types[name]), "inexact_numbers": inexact.get(name, 0)}
            for name in sorted(types)
        ],
        "values_of_other_attributes": counts["values"] - sum(found.total() for found in types.values()),
    }


def _partitions(partitions: HeavyHitters) -> dict[str, Any]:
    """Return the largest logical partitions; no other is larger than ``others_at_most_bytes``."""
    shown = partitions.largest(SHOWN_PARTITIONS)
    others = partitions.largest(SHOWN_PARTITIONS + 1)[len(shown) :]
    return {
        "limit_bytes": LOGICAL_PARTITION_BYTES,
        "largest": [
            {
                "partition_key": orjson.loads(key),
                "at_least_bytes": weight,
                "at_most_bytes": weight + partitions.error,
                "part_of_limit": round((weight + partitions.error) / LOGICAL_PARTITION_BYTES, 6),
            }
            for key, weight in shown
        ],
        "others_at_most_bytes": partitions.error + sum(weight for _, weight in others),
    }
