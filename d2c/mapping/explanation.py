"""What the rules did to an item, told for people."""

from collections.abc import Iterator
from typing import Any

from d2c.mapping.keys import HASH_PREFIX, key_text
from d2c.mapping.numbers import NUMBER_RULES, positional
from d2c.mapping.rules import Rules


def explain(item: dict[str, Any], document: dict[str, Any], rules: Rules) -> Iterator[tuple[str, str]]:
    """Yield each rule that acted on an item, with an example of what it did.

    Args:
        item: the item in DynamoDB JSON.
        document: the document that it became.
        rules: by which it became one.
    """
    for name in sorted(rules.drop & item.keys()):
        yield "drop", f"{name} left out"
    for name in sorted(rules.rename.keys() & item.keys()):
        yield "rename", f"{name} became {rules.rename[name]}"
    for name, kept_as in sorted(rules.moved_names().items()):
        if name in item and name not in rules.drop and name not in rules.rename:
            yield "names of Cosmos DB", f"{name} became {kept_as}"
    for name, value in rules.constants.items():
        yield "set", f"{name} added as {value!r}"
    yield from _explain_numbers(item, rules)
    if rules.ttl_attribute and rules.ttl_attribute in item and "ttl" in document:
        yield "ttl", f"{rules.ttl_attribute} gave ttl {document['ttl']} seconds"
    yield from _explain_id(item, document, rules)


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
