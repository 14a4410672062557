"""Map items to documents, one line of an export at a time."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import orjson

from d2c.mapping.comparison import canonical_value
from d2c.mapping.export_line import NAME_TWICE, check_names, parse_item, read_item
from d2c.mapping.keys import KEY_TAGS, PARTITION_KEY_TAGS, document_id, key_text, read_keys
from d2c.mapping.mapped_shape import MappedShape
from d2c.mapping.names import KEPT_PREFIX
from d2c.mapping.numbers import NUMBER_RULES, as_binary64, exact
from d2c.mapping.rejected import (
    DOCUMENT_TOO_LARGE,
    INEXACT_NUMBER,
    MALFORMED_LINE,
    NAME_COLLISION,
    PARTITION_KEY_TOO_LONG,
    UNKNOWN_TYPE,
    Fault,
    Rejected,
    reject_line,
    shown,
)
from d2c.mapping.rules import Rules
from d2c.mapping.time_to_live import read_expiry, ttl_seconds
from d2c.mapping.values import first_faults, map_values

MAX_PARTITION_KEY_BYTES = 2048
MAX_DOCUMENT_BYTES = 2_000_000
"""Cosmos DB's limit is 2 MB, its own properties included."""

_KEPT_ID = KEPT_PREFIX + "id"


class Document(NamedTuple):
    """A document to write.

    `body` is compact UTF-8 JSON with sorted names, `partition_key` has one JSON value per level, and
    `expires_at` is the expiry of the document (epoch seconds), or None.
    """

    body: bytes
    document_id: str
    partition_key: tuple[Any, ...]
    expires_at: int | None


class Expired(NamedTuple):
    """An expired item, which is not written; `expires_at` is in epoch seconds."""

    expires_at: int


Mapped = Document | Expired | Rejected
# Values by attribute, tags and texts of the required attributes, the expiry, and an inexact number that is a fault.
_Read = tuple[dict[str, Any], Sequence[tuple[str, Any]], int | None, Fault | None]


class Mapper:
    """Maps the items of one table; picklable and stateless.

    Args:
        rules: as `parse_rules` returns them.
        mapped_shape: if given, records the shape of each item.
        is_canonical: whether bodies are what `fingerprint` digests instead of what is written. They may be longer, so
            some that are near a limit are rejected for their size.
    """

    def __init__(
        self, rules: Rules, mapped_shape: MappedShape | None = None, *, is_canonical: bool = False
    ) -> None:
        self.rules = rules
        self._is_canonical = is_canonical
        self._constants = canonical_value(dict(rules.constants)) if is_canonical else rules.constants
        self.partition_key_paths = rules.partition_key_paths
        self.partition_key_properties = rules.partition_key_properties
        number = NUMBER_RULES[rules.numbers]
        if is_canonical:
            number = as_binary64(number)
        self._number = mapped_shape.watched(number) if mapped_shape else number
        self._exact = as_binary64(exact) if is_canonical else exact
        self._mapped_shape = mapped_shape
        self._moved_names = rules.moved_names()
        # The attributes of the document id are first, in its order.
        self._required = tuple(
            (name, KEY_TAGS if name in rules.key_schema.names else PARTITION_KEY_TAGS)
            for name in dict.fromkeys((*rules.document_id, *rules.required_attributes))
        )
        self._names_in_id = len(rules.document_id)

    def __reduce__(self) -> tuple[type["Mapper"], tuple[Rules]]:
        return Mapper, (self.rules,)

    def map_line(self, line: bytes, now: int) -> Mapped:
        """Return the document of an exported item, or the reason for none; never raises, for any bytes.

        Args:
            line: one line of a data file, with or without the line end.
            now: epoch seconds at which the document is written; only `ttl` and expiry depend on it.
        """
        try:
            try:
                read = self._read_quickly(line, now)
            except Fault:
                read = self._read_carefully(line, now)
            return self._complete(*read, now)
        except Fault as fault:
            return reject_line(line, fault, self.rules.key_schema.names)

    def _read_quickly(self, line: bytes, now: int) -> _Read:
        """Read and map an item's values in one pass up to the first fault, which may not be the one to report."""
        rules = self.rules
        item = parse_item(line)
        # Each name and text has two quotes, so their count shows whether parsing kept all names, provided that
        # no text contains quotes and none is dropped. Otherwise the names are checked by serializing the item again.
        counts_quotes = not rules.drop and b"\\" not in line
        if not counts_quotes:
            check_names(line, item)
        keys = read_keys(item, self._required)
        expires_at = read_expiry(item.get(rules.ttl_attribute), now) if rules.ttl_attribute else None
        for name in rules.drop:
            item.pop(name, None)
        if self._mapped_shape is not None:
            self._mapped_shape.look(line, item)
        strings = 1 + len(item) + map_values(item, item.items(), self._number)
        if counts_quotes and line.count(b'"') != 2 * strings:
            raise Fault(MALFORMED_LINE, NAME_TWICE)
        return item, keys, expires_at, None

    def _read_carefully(self, line: bytes, now: int) -> _Read:
        """Read and map an item's values check by check, in the order in which reasons take precedence."""
        rules = self.rules
        item = read_item(line)
        kept = {name: tagged for name, tagged in item.items() if name not in rules.drop}
        faults = first_faults(kept, self._number)
        if MALFORMED_LINE in faults:
            raise faults[MALFORMED_LINE]
        keys = read_keys(item, self._required)
        if UNKNOWN_TYPE in faults:
            raise faults[UNKNOWN_TYPE]
        expires_at = read_expiry(item.get(rules.ttl_attribute), now) if rules.ttl_attribute else None
        # The remaining faults are inexact numbers, and names are checked before them.
        map_values(kept, kept.items(), self._exact if faults else self._number)
        return kept, keys, expires_at, faults.get(INEXACT_NUMBER)

    def _complete(
        self,
        mapped: dict[str, Any],
        keys: Sequence[tuple[str, Any]],
        expires_at: int | None,
        inexact: Fault | None,
        now: int,
    ) -> Document | Expired:
        """Build a document of mapped values and read keys, unless it is expired or a later reason applies."""
        if expires_at is not None and expires_at <= now:
            return Expired(expires_at)
        texts = [value if tag == "S" else key_text(tag, value) for tag, value in keys[: self._names_in_id]]
        identifier = document_id(texts)
        document = self._name_properties(mapped, identifier)
        if inexact is not None:
            raise inexact
        if expires_at is not None and not self._is_canonical:
            document["ttl"] = ttl_seconds(expires_at, now)
        partition_key = tuple(map(document.__getitem__, self.partition_key_properties))
        # Sorted, so that the same item gives the same bytes in any order of its attributes.
        body = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
        if len(body) > MAX_PARTITION_KEY_BYTES:  # a shorter body cannot contain a longer key
            _check_sizes(body, partition_key)
        return Document(body, identifier, partition_key, expires_at)

    def _name_properties(self, mapped: dict[str, Any], identifier: str) -> dict[str, Any]:
        """Give every value its property's name, then add the constants and the document id."""
        moved, constants = self._moved_names, self._constants
        document = mapped
        if not mapped.keys().isdisjoint(moved):
            document = {moved.get(name, name): value for name, value in mapped.items()}
            if len(document) != len(mapped):
                raise _collision([moved.get(name, name) for name in mapped])
        if constants:
            if not document.keys().isdisjoint(constants):
                raise _collision([*document, *constants])
            document.update(constants)
        # At this point only the attribute of the document id can have the name `id`.
        unlike_id = document.get("id", identifier)
        document["id"] = identifier
        if unlike_id != identifier:
            if _KEPT_ID in document:
                raise _collision([*document, _KEPT_ID])
            document[_KEPT_ID] = unlike_id
        return document


def compile_mapper(
    rules: Rules, mapped_shape: MappedShape | None = None, *, is_canonical: bool = False
) -> Mapper:
    """Return the mapper for a table's rules; the other arguments are those of `Mapper`."""
    return Mapper(rules, mapped_shape, is_canonical=is_canonical)


def _collision(names: list[str]) -> Fault:
    ordered = sorted(names)
    twice = next(name for name, after in pairwise(ordered) if name == after)
    return Fault(NAME_COLLISION, f"more than one value would become the property {shown(twice)}")


def _check_sizes(body: bytes, partition_key: tuple[Any, ...]) -> None:
    key_bytes = sum(map(_text_bytes, partition_key))
    if key_bytes > MAX_PARTITION_KEY_BYTES:
        raise Fault(
            PARTITION_KEY_TOO_LONG,
            f"the partition key has {key_bytes} bytes, {MAX_PARTITION_KEY_BYTES} are allowed",
        )
    if len(body) > MAX_DOCUMENT_BYTES:
        raise Fault(
            DOCUMENT_TOO_LARGE, f"the document has {len(body)} bytes, {MAX_DOCUMENT_BYTES} are allowed"
        )


def _text_bytes(value: Any) -> int:
    """Return the size of a partition key value's text, in UTF-8."""
    return len(value.encode()) if isinstance(value, str) else len(orjson.dumps(value))
