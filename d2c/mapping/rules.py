"""The rules for mapping a table's items to documents, checked as a whole before the first item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from d2c.mapping.names import KEPT_PREFIX, NAMES_OF_COSMOS, path_of


class RulesError(ValueError):
    """Invalid rules, with all their faults.

    Args:
        faults: one text per fault, each naming the rule, the cause and the remedy.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(self.faults))


@dataclass(frozen=True, slots=True)
class KeySchema:
    """Names of a table's key attributes; `range_key` is None if the table has no sort key."""

    hash_key: str
    range_key: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The key attributes in order."""
        return (self.hash_key,) if self.range_key is None else (self.hash_key, self.range_key)


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules for mapping a table's items to documents, with every default filled in.

    Attributes:
        key_schema: the table's key attributes.
        partition_key: one to three attributes or names of constants, one for each level.
        document_id: the key attributes of the document id, in order.
        rename: new names of attributes.
        drop: attributes that do not become properties.
        constants: properties added to every document (the rule `set`), as JSON values.
        numbers: `exact`, `reject` or `string`.
        ttl_attribute: the attribute that becomes `ttl`, None if time to live is not converted.
        container_has_ttl: whether time to live is on.
    """

    key_schema: KeySchema
    partition_key: tuple[str, ...]
    document_id: tuple[str, ...]
    rename: Mapping[str, str]
    drop: frozenset[str]
    constants: Mapping[str, Any]
    numbers: str
    ttl_attribute: str | None
    container_has_ttl: bool

    @property
    def partition_key_attributes(self) -> tuple[str, ...]:
        """The attributes of the item in the partition key."""
        return tuple(name for name in self.partition_key if name not in self.constants)

    @property
    def required_attributes(self) -> tuple[str, ...]:
        """The attributes that every item must have: the key attributes, then others of the partition key."""
        return tuple(dict.fromkeys((*self.key_schema.names, *self.partition_key_attributes)))

    @property
    def id_attribute_is_document_id(self) -> bool:
        """Whether the attribute `id` becomes the property `id`, because it alone is the document id."""
        return self.document_id == ("id",) and "id" not in self.rename

    @property
    def partition_key_properties(self) -> tuple[str, ...]:
        """The document's top-level properties that hold the partition key."""
        return tuple(
            name if name in self.constants else self.property_of(name) for name in self.partition_key
        )

    @property
    def partition_key_paths(self) -> tuple[str, ...]:
        """The container's partition key paths, such as `/CustomerId`."""
        return tuple(map(path_of, self.partition_key_properties))

    def property_of(self, attribute: str) -> str:
        """Return the property that an attribute becomes."""
        if attribute == "id" and self.id_attribute_is_document_id:
            return "id"
        name = self.rename.get(attribute, attribute)
        return KEPT_PREFIX + name if name in NAMES_OF_COSMOS else name

    def moved_names(self) -> dict[str, str]:
        """Return the property names of all attributes that do not keep their names."""
        candidates = {*self.rename, *NAMES_OF_COSMOS}
        return {name: self.property_of(name) for name in candidates if self.property_of(name) != name}
