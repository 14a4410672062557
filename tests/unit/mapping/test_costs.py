"""No line costs time or memory out of proportion to its length, whatever is in it."""

import pytest

from d2c.load_run.census.counts import Census
from d2c.mapping import MappedShape, Rejected, compile_mapper, parse_rules
from d2c.mapping.rejected import LONGEST_SHOWN
from d2c.mapping.rules import KeySchema
from tests.fuzz.fuzzing import within_bounds

from .helpers import NOW

MANY = 20_000


def members(text):
    return b",".join(text % number for number in range(MANY))


LINES = {
    "attributes": members(b'"a%d":{"S":"x"}'),
    "inexact numbers": members(b'"a%d":{"N":"12345678901234567890"}'),
    "inexact numbers in a map": b'"m":{"M":{' + members(b'"a%d":{"N":"0.12345678901234567890"}') + b"}}",
    "a set of inexact numbers": b'"m":{"NS":[' + members(b'"%d12345678901234567"') + b"]}",
    "values that are no numbers": members(b'"a%d":{"N":"x"}'),
    "faults below a long name": b'"' + b"n" * 4_000_000 + b'":{"L":[' + members(b'{"N":"x%d"}') + b"]}",
    "a value of an unknown type beside a long list": b'"m":{"L":['
    + members(b'{"S":"%d"}')
    + b']},"z":{"ZZ":1}',
    "a number of many digits": b'"n":{"N":"' + b"1" * 4_000_000 + b'"}',
    "a long name that two attributes get": b'"ttl":{"S":"x"},"dynamodb_ttl":{"S":"x"},'
    + members(b'"a%d":{"S":"x"}'),
    "duplicate names": members(b'"a":{"S":"%d"}'),
    "quotes": members(b'"a%d":{"S":"\\u0022\\""}'),
}


@pytest.mark.parametrize("body", LINES.values(), ids=LINES)
@pytest.mark.parametrize("numbers", ["exact", "reject"])
def test_a_long_line_is_mapped_and_counted_within_a_second(body, numbers):
    mapped_shape = MappedShape()
    mapper = compile_mapper(parse_rules({"numbers": numbers}, KeySchema("pk")), mapped_shape)
    census = Census(mapped_shape)
    line = b'{"Item":{"pk":{"S":"p"},' + body + b"}}"
    with within_bounds():
        mapped = mapper.map_line(line, NOW)
    with within_bounds():
        census.add(mapped)
        census.to_json()
    if isinstance(mapped, Rejected):
        assert len(mapped.detail) < 2 * LONGEST_SHOWN
        assert mapped.item in line


def test_a_collision_under_a_long_name_has_a_short_detail():
    long = b"n" * 1_000_000
    line = b'{"Item":{"pk":{"S":"p"},"_ts":{"S":"x"},"dynamodb__ts":{"S":"x"},"' + long + b'":{"S":"x"}}}'
    renaming = parse_rules({"rename": {"_ts": long.decode()}}, KeySchema("pk"))
    mapped = compile_mapper(renaming).map_line(line, NOW)
    assert isinstance(mapped, Rejected)
    assert mapped.reason == "name_collision"
    assert len(mapped.detail) < 2 * LONGEST_SHOWN
