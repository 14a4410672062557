"""Items and rules that hypothesis generates."""

import base64
from decimal import Decimal

from hypothesis import strategies as st

from .corpus import BAD_VALUES, GOOD_VALUES, MOMENTS, NUMBERS
from .oracle import Table

text = st.text(max_size=12)
key_text = st.text(
    st.sampled_from("ab~%/|#? .\x1f25F") | st.characters(codec="utf-8"), min_size=1, max_size=6
)
number = st.one_of(
    st.integers(-(10**37), 10**37).map(str),
    st.decimals(-(10**9), 10**9, places=6).map(str),
    st.tuples(st.integers(1, 10**38 - 1), st.integers(-130, 80)).map(lambda pair: f"{pair[0]}E{pair[1]}"),
)
binary = st.binary(max_size=9).map(lambda content: base64.b64encode(content).decode())


def distinct_numbers(texts: list[str]) -> list[str]:
    return list({Decimal(one): one for one in texts}.values())


scalar = st.one_of(
    st.builds(lambda value: {"S": value}, text),
    st.builds(lambda value: {"N": value}, number),
    st.builds(lambda value: {"B": value}, binary),
    st.builds(lambda value: {"BOOL": value}, st.booleans()),
    st.just({"NULL": True}),
    st.builds(lambda value: {"SS": value}, st.lists(text, min_size=1, max_size=4, unique=True)),
    st.builds(lambda value: {"NS": distinct_numbers(value)}, st.lists(number, min_size=1, max_size=4)),
    st.builds(lambda value: {"BS": value}, st.lists(binary, min_size=1, max_size=4, unique=True)),
)
value = st.recursive(
    scalar,
    lambda inner: st.one_of(
        st.builds(lambda content: {"L": content}, st.lists(inner, max_size=4)),
        st.builds(lambda content: {"M": content}, st.dictionaries(text, inner, max_size=4)),
    ),
    max_leaves=12,
)
item = st.builds(
    lambda rest, pk, sk: {**rest, "pk": {"S": pk}, "sk": {"S": sk}},
    st.dictionaries(st.text(min_size=1, max_size=6), value, max_size=5),
    key_text,
    key_text,
)


# Few names, so that keys, rules and the names of Cosmos DB meet in one item.
name = st.sampled_from(
    [
        "pk",
        "sk",
        "t",
        "a",
        "b",
        "id",
        "_ts",
        "ttl",
        "until",
        "kind",
        "dynamodb_id",
        "dynamodb_ttl",
        "dynamodb__ts",
    ]
)
any_value = st.one_of(
    value, value, st.sampled_from(GOOD_VALUES), st.sampled_from(MOMENTS), st.sampled_from(BAD_VALUES)
)
key_value = st.one_of(
    st.builds(lambda value: {"S": value}, key_text | text),
    st.builds(lambda value: {"S": "sha256:" + value}, text),
    st.builds(lambda value: {"S": value * 300}, key_text),
    st.builds(lambda value: {"N": value}, number | st.sampled_from(NUMBERS)),
    st.builds(lambda value: {"B": value}, binary),
    st.sampled_from([{"BOOL": True}, {"NULL": True}, {"ZZ": 1}, None]),
)
any_item = st.builds(
    lambda rest, *keys: {**rest, **{name: keys[place] for place, name in enumerate(["pk", "sk", "t", "id"])}},
    st.dictionaries(name, any_value, max_size=6),
    key_value,
    key_value,
    key_value,
    key_value,
)
constant = st.sampled_from(["x", "", 1, 1.5, -0.0, True, None, [1, {"a": None}], {}])
rules = st.fixed_dictionaries(
    {},
    optional={
        "partition_key": st.lists(name, min_size=1, max_size=3, unique=True),
        "document_id": st.permutations(["pk", "sk"]) | st.sampled_from([["pk"], ["sk"], ["id"]]),
        "rename": st.dictionaries(
            name, st.sampled_from(["a", "b", "c", "pk", "dynamodb_id", "new"]), max_size=3
        ),
        "drop": st.lists(name, max_size=2, unique=True),
        "set": st.dictionaries(st.sampled_from(["kind", "type", "dynamodb_id"]), constant, max_size=2),
        "numbers": st.sampled_from(["exact", "reject", "string"]),
        "ttl": st.sampled_from(["convert", "off"]),
    },
)
table = st.builds(
    Table,
    st.sampled_from([["pk", "sk"], ["pk", "sk"], ["pk"], ["id"], ["id", "sk"], ["pk", "id"]]),
    rules,
    st.sampled_from([None, "until", "until", "ttl", "a"]),
)
