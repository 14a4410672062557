"""The product's mapping beside a second one, which is slow and reads like the description."""

import json
from typing import Any

import pytest

from d2c.mapping import Document, Expired, KeySchema, Mapped, Mapper, compile_mapper, parse_rules

from . import oracle
from .corpus import NOW, POSITIONS, cases
from .helpers import line_of
from .oracle import Table


def mapper_of(table: Table) -> Mapper:
    return compile_mapper(parse_rules(table.rules, KeySchema(*table.keys), ttl_attribute=table.ttl_attribute))


def told(mapped: Mapped) -> dict[str, Any]:
    """What the product says, in the oracle's words."""
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
def test_every_value_in_every_position_becomes_what_the_description_says(place):
    for content, table in cases(place):
        assert_alike(line_of(content), table)
