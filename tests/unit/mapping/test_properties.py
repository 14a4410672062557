"""Properties of every item and every line."""

import random
import re
from decimal import Decimal
from typing import Any

import orjson
from hypothesis import assume, example, given
from hypothesis import strategies as st

from d2c.mapping import Document, Expired, Mapper, Rejected, RulesError, document_identity, fingerprint
from d2c.mapping.keys import document_id, escape

from .corpus import NUMBERS
from .helpers import NOW, line_of, mapper_of
from .oracle import Table
from .strategies import any_item, binary, item, key_text, number, scalar, table, text


def mapper_or_none(made_up: Table) -> Mapper | None:
    try:
        return mapper_of(made_up.rules, keys=tuple(made_up.keys), ttl_attribute=made_up.ttl_attribute)
    except RulesError:
        return None


def shuffled(tagged: Any, source: random.Random) -> Any:
    """The same value with the attributes of its maps and the members of its sets in another order."""
    if not isinstance(tagged, dict) or len(tagged) != 1:
        return tagged
    ((tag, content),) = tagged.items()
    if tag == "M" and isinstance(content, dict):
        return {"M": shuffled_attributes(content, source)}
    if tag == "L" and isinstance(content, list):
        return {"L": [shuffled(inner, source) for inner in content]}
    if tag in ("SS", "NS", "BS") and isinstance(content, list):
        return {tag: source.sample(content, len(content))}
    return tagged


def shuffled_attributes(attributes: dict[str, Any], source: random.Random) -> dict[str, Any]:
    names = source.sample(sorted(attributes), len(attributes))
    return {name: shuffled(attributes[name], source) for name in names}


@given(item, st.randoms(use_true_random=False))
def test_the_order_of_attributes_and_set_members_changes_no_byte(content, source):
    mapper = mapper_of()
    again = shuffled_attributes(content, source)
    assert mapper.map_line(line_of(content), NOW).body == mapper_of().map_line(line_of(again), NOW).body


@given(any_item, table, st.randoms(use_true_random=False))
def test_the_order_of_attributes_and_set_members_never_matters(content, made_up, source):
    mapper = mapper_or_none(made_up)
    assume(mapper is not None)
    mapped = mapper.map_line(line_of(content), NOW)
    again = mapper.map_line(line_of(shuffled_attributes(content, source)), NOW)
    if isinstance(mapped, Rejected):  # it keeps the line as it was
        assert (again.reason, again.detail) == (mapped.reason, mapped.detail)
    else:
        assert again == mapped


def unmapped(tagged: dict[str, Any], mapped: Any) -> bool:
    """Return whether a JSON value equals a tagged value, read without the mapper."""
    ((tag, content),) = tagged.items()
    if tag == "N":
        return not isinstance(mapped, bool) and Decimal(
            repr(mapped) if isinstance(mapped, float) else mapped
        ) == Decimal(content)
    if tag == "NS":
        as_decimals = [Decimal(repr(one) if isinstance(one, float) else one) for one in mapped]
        return as_decimals == sorted(map(Decimal, content))
    if tag == "L":
        return len(content) == len(mapped) and all(map(unmapped, content, mapped))
    if tag == "M":
        return content.keys() == mapped.keys() and all(
            unmapped(content[name], mapped[name]) for name in content
        )
    if tag in ("SS", "BS"):
        return sorted(content) == sorted(mapped)
    return mapped is None if tag == "NULL" else type(mapped) is type(content) and mapped == content


@given(item)
def test_every_value_can_be_read_back_from_the_document(content):
    mapped = mapper_of().map_line(line_of(content), NOW)
    assert isinstance(mapped, Document)
    document = orjson.loads(mapped.body)
    owned = {"id", "_rid", "_self", "_etag", "_ts", "_attachments"}
    for name, tagged in content.items():
        assert unmapped(tagged, document["dynamodb_" + name if name in owned else name])


@given(item)
def test_a_store_of_doubles_keeps_the_fingerprint(content):
    body = mapper_of().map_line(line_of(content), NOW).body
    document = orjson.loads(body)

    def as_doubles(kept: Any) -> Any:
        if isinstance(kept, dict):
            return {name: as_doubles(kept[name]) for name in reversed(kept)}
        if isinstance(kept, list):
            return [as_doubles(one) for one in kept]
        return float(kept) if isinstance(kept, int) and not isinstance(kept, bool) else kept

    stored = orjson.loads(orjson.dumps({**as_doubles(document), "_ts": 5}))
    assert fingerprint(stored) == fingerprint(document)


key_value = st.one_of(
    st.builds(lambda value: {"S": value}, key_text),
    st.builds(lambda value: {"S": "sha256:" + value}, key_text),
    st.builds(lambda value: {"S": value * 300}, key_text),
)
key_item = st.builds(
    lambda pk, sk, t: {"pk": pk, "sk": sk, "t": t},
    key_value | st.just({"S": "a|b"}),
    key_value | st.just({"S": "b|c"}),
    st.sampled_from([{"S": "t"}, {"S": "u"}, {"BOOL": True}]),
)
CHOICES = [
    {},
    {"partition_key": ["t"]},
    {"partition_key": ["t", "pk"]},
    {"partition_key": ["pk", "sk"], "document_id": ["pk"]},
    {"document_id": ["sk", "pk"]},
]


@given(key_item, key_item, st.sampled_from(CHOICES))
@example(
    {"pk": {"S": "a"}, "sk": {"S": "b|c"}, "t": {"S": "t"}},
    {"pk": {"S": "a|b"}, "sk": {"S": "c"}, "t": {"S": "t"}},
    {"partition_key": ["t"]},
)
def test_two_items_never_become_one_document(one, other, rules):
    mapper = mapper_of(rules)
    both = [mapper.map_line(line_of(content), NOW) for content in (one, other)]
    assume(not any(isinstance(mapped, Rejected) for mapped in both))
    identities = {document_identity(mapped.partition_key, mapped.document_id) for mapped in both}
    same_item = (one["pk"], one["sk"]) == (other["pk"], other["sk"]) and one["t"] == other["t"]
    same_key = (one["pk"], one["sk"]) == (other["pk"], other["sk"])
    assert len(identities) == (
        1 if same_item or (same_key and "t" not in rules.get("partition_key", [])) else 2
    )


def same_key(one: dict[str, Any], other: dict[str, Any], names: list[str]) -> bool:
    """Return whether DynamoDB treats two items as one: numbers are compared by value."""

    def key(content: dict[str, Any]) -> list[Any]:
        return [
            Decimal(text) if tag == "N" else text for name in names for tag, text in content[name].items()
        ]

    return key(one) == key(other)


key_of_type = {
    "S": st.builds(
        lambda value: {"S": value}, key_text | st.sampled_from(["a|b", "a~7Cb", "a", "1", "x" * 1024])
    ),
    "N": st.builds(lambda value: {"N": value}, number | st.sampled_from(NUMBERS)),
    "B": st.builds(lambda value: {"B": value}, binary.filter(len)),
}


@given(table, st.data())
def test_items_with_different_keys_have_different_identities_under_any_rules(made_up, data):
    mapper = mapper_or_none(made_up)
    assume(mapper is not None)
    types = {name: data.draw(st.sampled_from("SNB")) for name in made_up.keys}
    others = {"t": scalar, "a": scalar, "b": scalar}
    keys = {name: key_of_type[tag] for name, tag in types.items()}
    contents = data.draw(st.lists(st.fixed_dictionaries({**others, **keys}), min_size=2, max_size=6))
    owners: dict[str, dict[str, Any]] = {}
    for content in contents:
        mapped = mapper.map_line(line_of(content), NOW)
        if isinstance(mapped, Document):
            identity = document_identity(mapped.partition_key, mapped.document_id)
            assert same_key(owners.setdefault(identity, content), content, made_up.keys)


@given(number, number)
def test_two_numbers_as_keys_give_one_identity_only_if_they_are_equal(one, other):
    mapper = mapper_of(keys=("pk",))
    ids = [mapper.map_line(line_of({"pk": {"N": text}}), NOW) for text in (one, other)]
    identities = {document_identity(mapped.partition_key, mapped.document_id) for mapped in ids}
    assert (len(identities) == 1) == (Decimal(one) == Decimal(other))


@given(key_text, st.booleans())
def test_escaping_can_be_undone(given_text, joined):
    escaped = escape(given_text, joined=joined)
    assert not re.search(r"[%/\\?#\x00-\x1f\x7f]|^ | $", escaped)
    assert re.sub(r"~([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), escaped) == given_text


@given(st.lists(st.text(min_size=1), min_size=1, max_size=2))
def test_an_id_is_one_that_cosmos_db_takes(texts):
    made = document_id(texts)
    assert 1 <= len(made.encode()) <= 1023
    assert not re.search(r"[%/\\?#\x00-\x1f\x7f]", made)
    assert made not in (".", "..")


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**63), 2**63)
    | text,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            text | st.sampled_from(["S", "N", "M", "L", "SS", "NS", "B", "pk", "sk", "Item"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)
STRICT = mapper_of(
    {"numbers": "reject", "rename": {"a": "b"}, "drop": ["c"], "set": {"t": 1}, "partition_key": ["t", "pk"]},
    ttl_attribute="x",
)


def check_outcome(line: bytes) -> None:
    for mapper in (mapper_of(), STRICT):
        mapped = mapper.map_line(line, NOW)
        assert isinstance(mapped, Document | Expired | Rejected)
        if isinstance(mapped, Rejected):
            assert orjson.loads(mapped.to_json_line("f", 1))["reason"] == mapped.reason


@given(st.binary(max_size=60))
def test_no_bytes_make_the_mapper_raise(line):
    check_outcome(line)


@given(anything, st.dictionaries(text, anything, max_size=3))
def test_no_json_makes_the_mapper_raise(content, attributes):
    check_outcome(orjson.dumps(content))
    check_outcome(orjson.dumps({"Item": content}))
    check_outcome(line_of({"pk": {"S": "p"}, "sk": {"S": "s"}, **attributes}))


@given(item, st.data())
def test_no_damaged_line_makes_the_mapper_raise(content, data):
    line = bytearray(line_of(content))
    for _ in range(data.draw(st.integers(1, 3))):
        line[data.draw(st.integers(0, len(line) - 1))] = data.draw(st.integers(0, 255))
    check_outcome(bytes(line))
