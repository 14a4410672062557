"""Compare the product's mapping with a second one, which is slow and reads like the description."""

import json
import random
import re
from typing import Any

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from d2c.mapping import (
    Document,
    Expired,
    KeySchema,
    Mapped,
    Mapper,
    RulesError,
    compile_mapper,
    parse_rules,
)

from . import oracle
from .corpus import NOW, POSITIONS, cases
from .helpers import line_of
from .oracle import Table
from .strategies import any_item, table


def mapper_of(table: Table) -> Mapper:
    return compile_mapper(parse_rules(table.rules, KeySchema(*table.keys), ttl_attribute=table.ttl_attribute))


def told(mapped: Mapped) -> dict[str, Any]:
    """The product's outcome in the oracle's form."""
    if isinstance(mapped, Expired):
        return {"expired": mapped.expires_at}
    if not isinstance(mapped, Document):
        return {"rejected": mapped.reason}
    return {
        "document": json.loads(mapped.body),
        "id": mapped.document_id,
        "partition_key": list(mapped.partition_key),
        "expires_at": mapped.expires_at,
    }


def assert_alike(line: bytes, table: Table, mapper: Mapper | None = None) -> None:
    mapped = told((mapper or mapper_of(table)).map_line(line, NOW))
    expected = oracle.map_line(line, table, NOW)
    # Compared as text, so that 1 is not 1.0 nor true.
    assert json.dumps(mapped, sort_keys=True) == json.dumps(expected, sort_keys=True)


@pytest.mark.parametrize("place", POSITIONS)
def test_every_value_maps_as_described_in_every_position(place):
    for content, told_table in cases(place):
        assert_alike(line_of(content), told_table)


@given(st.lists(any_item, min_size=1, max_size=4), table)
def test_generated_items_and_rules_map_as_described(items, made_up):
    try:
        mapper = mapper_of(made_up)
    except RulesError:
        reject()
    for content in items:
        assert_alike(line_of(content), made_up, mapper)


def spelled(value: Any, source: random.Random) -> str:
    """A value as JSON in some unusual but valid spelling; now and then with a duplicate name."""
    blank = source.choice(["", "", "", " ", "\t "])
    if isinstance(value, dict):
        pairs = list(value.items())
        if pairs and source.random() < 0.03:
            pairs.insert(source.randrange(len(pairs)), (source.choice(pairs)[0], source.choice(pairs)[1]))
        texts = [f"{spelled(name, source)}{blank}:{blank}{spelled(inner, source)}" for name, inner in pairs]
        return f"{{{blank}{f',{blank}'.join(texts)}}}"
    if isinstance(value, list):
        return f"[{blank}{f'{blank},'.join(spelled(inner, source) for inner in value)}]"
    if isinstance(value, str):
        return (
            json.dumps(value, ensure_ascii=source.random() < 0.3).replace(
                '\\"', source.choice(['\\"', "\\u0022"])
            )
            if source.random() < 0.9
            else '"' + "".join(map(escaped, value)) + '"'
        )
    return json.dumps(value)


def escaped(character: str) -> str:
    """A character as JSON escapes it, two escapes beyond U+FFFF."""
    return re.sub("....", r"\\u\g<0>", character.encode("utf-16-be").hex())


@given(any_item, table, st.integers(0, 2**32))
def test_any_spelling_of_json_maps_alike_except_duplicate_names(content, made_up, seed):
    try:
        mapper = mapper_of(made_up)
    except RulesError:
        reject()
    line = spelled({"Item": content}, random.Random(seed)).encode()
    assert_alike(line, made_up, mapper)
