"""Item to document, one line of an export at a time."""

from itertools import pairwise
from typing import Any, NamedTuple

import orjson

from d2c.mapping.export_line import read_item
from d2c.mapping.keys import KEY_TAGS, PARTITION_KEY_TAGS, document_id, key_text, read_key
from d2c.mapping.names import KEPT_PREFIX
from d2c.mapping.numbers import Numbers
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
)
from d2c.mapping.rules import Rules
from d2c.mapping.time_to_live import read_expiry, ttl_seconds
from d2c.mapping.values import locate_faults, map_object

MAX_PARTITION_KEY_BYTES = 2048
MAX_DOCUMENT_BYTES = 2_000_000
"""Cosmos DB takes 2 MB, its own properties included."""

_KEPT_ID = KEPT_PREFIX + "id"


class Document(NamedTuple):
    """A document to write.

    `body` is compact UTF-8 JSON with sorted names, `partition_key` has one JSON value per level, and
    `expires_at` is when the document is to vanish (epoch seconds), or None.
    """

    body: bytes
    document_id: str
    partition_key: tuple[Any, ...]
    expires_at: int | None


class Expired(NamedTuple):
    """An item whose time to live is over, so that it is not written; `expires_at` is in epoch seconds."""

    expires_at: int


Mapped = Document | Expired | Rejected


class Mapper:
    """Maps the items of one table; picklable, but not to be shared by threads.

    Args:
        rules: as `parse_rules` returns them.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.partition_key_paths = rules.partition_key_paths
        self.partition_key_properties = rules.partition_key_properties
        self._numbers = Numbers(rules.numbers)
        self._moved_names = rules.moved_names()
        self._document_id_places = tuple(map(rules.required_attributes.index, rules.document_id))
        self._required = tuple(
            (name, KEY_TAGS if name in rules.key_schema.names else PARTITION_KEY_TAGS)
            for name in rules.required_attributes
        )

    def __reduce__(self) -> tuple[type["Mapper"], tuple[Rules]]:
        return Mapper, (self.rules,)

    def map_line(self, line: bytes, now: int) -> Mapped:
        """Return the document of an exported item, or why there is none; no bytes make it raise.

        Args:
            line: one line of a data file, with or without its line end.
            now: epoch seconds at which the document is written; only `ttl` and expiry depend on it.
        """
        try:
            return self._map_item(read_item(line), now)
        except Fault as fault:
            return reject_line(line, fault, self.rules.key_schema.names)

    def _map_item(self, item: dict[str, Any], now: int) -> Document | Expired:
        """Map an item; the order of the checks is the order in which the reasons win."""
        rules = self.rules
        kept = item
        if rules.drop:
            kept = {name: tagged for name, tagged in item.items() if name not in rules.drop}
        faults: list[Fault] = []
        mapped = map_object(kept, 1, self._numbers, faults)
        if faults:
            self._raise_if_any(MALFORMED_LINE, faults, kept)
        keys = [read_key(item, name, tags) for name, tags in self._required]
        if faults:
            self._raise_if_any(UNKNOWN_TYPE, faults, kept)
        expires_at = read_expiry(item.get(rules.ttl_attribute), now) if rules.ttl_attribute else None
        if expires_at is not None and expires_at <= now:
            return Expired(expires_at)
        identifier = document_id([key_text(*keys[place]) for place in self._document_id_places])
        document = self._name_properties(mapped, identifier)
        if faults:
            self._raise_if_any(INEXACT_NUMBER, faults, kept)
        if expires_at is not None:
            document["ttl"] = ttl_seconds(expires_at, now)
        return _finish(document, identifier, self.partition_key_properties, expires_at)

    def _name_properties(self, mapped: dict[str, Any], identifier: str) -> dict[str, Any]:
        """Give every value its property's name, then add the constants and the document id."""
        moved, constants = self._moved_names, self.rules.constants
        document = mapped
        if not moved.keys().isdisjoint(mapped):
            document = {moved.get(name, name): value for name, value in mapped.items()}
            if len(document) != len(mapped):
                raise _collision([moved.get(name, name) for name in mapped])
        if constants:
            if not constants.keys().isdisjoint(document):
                raise _collision([*document, *constants])
            document.update(constants)
        # Only the attribute that the document id is made of can be called `id` by now.
        unlike_id = document.get("id", identifier)
        document["id"] = identifier
        if unlike_id != identifier:
            if _KEPT_ID in document:
                raise _collision([*document, _KEPT_ID])
            document[_KEPT_ID] = unlike_id
        return document

    def _raise_if_any(self, reason: str, faults: list[Fault], kept: dict[str, Any]) -> None:
        """Raise the fault of this reason whose detail comes first, if there is any."""
        if not any(fault.reason == reason for fault in faults):
            return
        located = [
            fault for name, tagged in kept.items() for fault in locate_faults(name, tagged, self._numbers)
        ]
        raise min((fault for fault in located if fault.reason == reason), key=lambda fault: fault.detail)


def compile_mapper(rules: Rules) -> Mapper:
    """Return the mapper of a table's items by these rules."""
    return Mapper(rules)


def _collision(names: list[str]) -> Fault:
    ordered = sorted(names)
    twice = next(name for name, after in pairwise(ordered) if name == after)
    return Fault(NAME_COLLISION, f"more than one value would be the property {twice}")


def _finish(
    document: dict[str, Any],
    identifier: str,
    partition_key_properties: tuple[str, ...],
    expires_at: int | None,
) -> Document:
    """Write the document and check the sizes, which only the whole one has."""
    partition_key = tuple([document[name] for name in partition_key_properties])
    # Sorted, so that the same item gives the same bytes whatever order its attributes came in.
    body = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    if len(body) > MAX_PARTITION_KEY_BYTES:  # a shorter one holds no longer key
        _check_sizes(body, partition_key)
    return Document(body, identifier, partition_key, expires_at)


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
