"""Explain the effect of the rules on an item in words."""

from collections.abc import Iterator
from typing import Any

import orjson

from d2c.mapping.export_line import read_item
from d2c.mapping.keys import HASH_PREFIX, key_text
from d2c.mapping.mapper import Document, Expired, Mapped
from d2c.mapping.names import KEPT_PREFIX
from d2c.mapping.numbers import NUMBER_RULES, positional
from d2c.mapping.parse_rules import default_document_id
from d2c.mapping.rejected import INEXACT_NUMBER
from d2c.mapping.rules import Rules

_KEPT_ID = KEPT_PREFIX + "id"


def explain(line: bytes, mapped: Mapped, rules: Rules) -> Iterator[tuple[str, str]]:
    """Yield each rule that changed an item, with an example of its effect.

    Args:
        line: the item's line of a data file.
        mapped: the result of mapping it.
        rules: the rules used for mapping.
    """
    if isinstance(mapped, Document):
        yield from _explain_document(read_item(line), mapped, rules)
    elif isinstance(mapped, Expired):
        yield "ttl", f"{rules.ttl_attribute} expired at {mapped.expires_at}, so the item is not written"
    elif mapped.reason == INEXACT_NUMBER:
        yield f"numbers: {rules.numbers}", f"the item is rejected: {mapped.detail}"


def _explain_document(item: dict[str, Any], mapped: Document, rules: Rules) -> Iterator[tuple[str, str]]:
    document = orjson.loads(mapped.body)
    yield from _explain_identity(mapped, rules)
    for name in sorted(rules.drop & item.keys()):
        yield "drop", f"{name} omitted"
    for name in sorted(rules.rename.keys() & item.keys()):
        yield "rename", f"{name} became {rules.rename[name]}"
    yield from _explain_names(item, document, rules)
    for name, value in rules.constants.items():
        yield "set", f"{name} added as {value!r}"
    yield from _explain_numbers(item, rules)
    if "ttl" in document:
        yield "ttl", f"{rules.ttl_attribute} gave ttl {document['ttl']} seconds"
    yield from _explain_id(item, document, rules)


def _explain_identity(mapped: Document, rules: Rules) -> Iterator[tuple[str, str]]:
    """Explain a partition key and a document id that are not the default ones."""
    if rules.partition_key != (rules.key_schema.hash_key,):
        values = orjson.dumps(mapped.partition_key).decode()
        yield "partition_key", f"{', '.join(rules.partition_key)} gave the partition key {values}"
    if rules.document_id != default_document_id(rules.key_schema, rules.partition_key):
        yield "document_id", f"{', '.join(rules.document_id)} gave the document id {mapped.document_id}"


def _explain_names(item: dict[str, Any], document: dict[str, Any], rules: Rules) -> Iterator[tuple[str, str]]:
    for name, kept_as in sorted(rules.moved_names().items()):
        if name in item and name not in rules.drop and name not in rules.rename:
            yield "names of Cosmos DB", f"{name} became {kept_as}"
    properties = {rules.property_of(name) for name in item.keys() - rules.drop}
    if _KEPT_ID in document.keys() - properties - rules.constants.keys():
        yield "names of Cosmos DB", f"id is also kept as {_KEPT_ID}, because its value is not the document id"


def _explain_id(item: dict[str, Any], document: dict[str, Any], rules: Rules) -> Iterator[tuple[str, str]]:
    texts = [key_text(tag, value) for name in rules.document_id for tag, value in item[name].items()]
    if document["id"].startswith(HASH_PREFIX):
        yield "document id hashed", f"{', '.join(rules.document_id)} became {document['id']}"
    elif document["id"] != "|".join(texts):
        yield "document id escaped", f"{', '.join(rules.document_id)} became {document['id']}"


def _explain_numbers(item: dict[str, Any], rules: Rules) -> Iterator[tuple[str, str]]:
    number = NUMBER_RULES[rules.numbers]
    for name, tagged in item.items():
        if name in rules.drop:
            continue
        for text in _texts_of_numbers(tagged):
            if isinstance(number(text), str):
                yield f"numbers: {rules.numbers}", f"{name}: {positional(text)} became a string"


def _texts_of_numbers(tagged: dict[str, Any]) -> Iterator[str]:
    ((tag, value),) = tagged.items()
    if tag == "N":
        yield value
    elif tag == "NS":
        yield from value
    elif tag == "M":
        for member in value.values():
            yield from _texts_of_numbers(member)
    elif tag == "L":
        for member in value:
            yield from _texts_of_numbers(member)
