"""Every kind of value in every position, and items that hypothesis makes up, with the kernel and without it."""

import json
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d2c.errors import PlanError
from d2c.load_run.accounting import FileTally
from d2c.load_run.kernel import items
from d2c.load_run.kernel.rules import CENSUS
from d2c.load_run.mappers import request_mapper

from ..unit.mapping.corpus import NOW, POSITIONS, cases, item
from ..unit.mapping.oracle import Table
from ..unit.mapping.strategies import any_item, table
from .sides import differences, request_of

PK_SK = Table(["pk", "sk"])


def line_of(content, **options):
    return json.dumps({"Item": content}, separators=(",", ":"), **options).encode("utf-8", "surrogatepass")


def left_of(block, asked=PK_SK):
    """Return the lines that the kernel leaves to the mapper."""
    lines = items.lines_mapper(request_mapper(request_of(asked)).rules, CENSUS, lambda: NOW)
    return list(lines.left_of(block, FileTally("f")))


@pytest.mark.parametrize("place", POSITIONS)
def test_every_value_in_every_position(place):
    by_table = defaultdict(list)
    for content, asked in cases(place):
        by_table[json.dumps(vars(asked))].append((content, asked))
    for found in by_table.values():
        request = request_of(found[0][1])
        lines = [line_of(content, ensure_ascii=number % 2 == 0) for number, (content, _) in enumerate(found)]
        assert not differences(request, b"\n".join(lines), len(lines)), found[0][1]


@settings(max_examples=200)
@given(st.lists(any_item, min_size=1, max_size=4), table, st.booleans())
def test_items_and_rules_that_hypothesis_makes_up(items, asked, is_escaped):
    request = request_of(asked)
    try:
        request_mapper(request)
    except PlanError:
        return
    lines = [line_of(content, ensure_ascii=is_escaped) for content in items]
    assert not differences(request, b"\n".join(lines), len(lines))


@given(st.binary(max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_any_bytes(noise, place, length):
    line = line_of(item(v={"S": "text"}, w={"N": "1.5"}))
    spoilt = line[:place] + noise + line[place + length :]
    assert not differences(request_of(PK_SK), spoilt, spoilt.count(b"\n") + (not spoilt.endswith(b"\n")))


@pytest.mark.parametrize(
    "block", [b"", b"\n", b"\n\n", b"\xff\n" + line_of(item()) + b"\n\xff", line_of(item()) + b"\n\n"]
)
def test_odd_ends_of_blocks(block):
    lines = block.split(b"\n")
    assert not differences(request_of(PK_SK), block, len(lines) - (not lines[-1]))


def test_what_nearly_all_tables_hold_is_not_left_to_the_mapper():
    content = item(
        Name={"S": 'quote " and Straße'},
        Big={"N": "12345678901234567890"},
        Price={"N": "0.1"},
        Tags={"SS": ["b", "a"]},
        Lines={"L": [{"M": {"b": {"NULL": True}, "a": {"B": "AQ=="}}}]},
        _ts={"N": "1"},
        id={"S": "x"},
        until={"N": str(NOW + 5)},
    )
    assert left_of(line_of(content), Table(["pk", "sk"], {}, "until")) == []
    assert left_of(line_of({"pk": {"S": "CUST#1"}, "sk": {"N": "1.50"}})) == []


def test_what_is_not_certain_is_left_to_the_mapper():
    plain, odd = (
        line_of(item()),
        [b"{}", line_of(item(v={"ZZ": 1})), line_of({"pk": {"S": " x"}, "sk": {"S": " x"}})],
    )
    assert left_of(b"\n".join([plain, odd[0], plain, plain, *odd[1:], plain])) == odd
