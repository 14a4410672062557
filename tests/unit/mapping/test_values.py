from typing import Any

import orjson
import pytest

from d2c.mapping import Rejected
from d2c.mapping.numbers import exact
from d2c.mapping.values import map_values

from .helpers import item_with, map_item, n, reason_of, s, value_of


@pytest.mark.parametrize(
    ("tagged", "value"),
    [
        ({"S": ""}, ""),
        ({"S": "ü\u2028\x00"}, "ü\u2028\x00"),
        ({"BOOL": True}, True),
        ({"BOOL": False}, False),
        ({"NULL": True}, None),
        ({"B": ""}, ""),
        ({"B": "AAEC/w=="}, "AAEC/w=="),
        ({"M": {}}, {}),
        ({"L": []}, []),
        ({"M": {"id": {"S": "x"}, "_ts": {"N": "1"}, "": {"NULL": True}}}, {"id": "x", "_ts": 1, "": None}),
        ({"L": [{"L": [{"BOOL": False}]}, {"M": {"a": {"S": "b"}}}]}, [[False], {"a": "b"}]),
    ],
)
def test_each_type_becomes_its_json_value(tagged, value):
    assert value_of(tagged) == value


@pytest.mark.parametrize(
    ("tagged", "ordered"),
    [
        ({"SS": ["b", "a", "ä", "Z"]}, ["Z", "a", "b", "ä"]),
        ({"SS": ["\U0001f600", "\uffff"]}, ["\uffff", "\U0001f600"]),
        ({"NS": ["10", "9", "-1", "0.5"]}, [-1, 0.5, 9, 10]),
        (
            {"NS": ["9007199254740994", "9007199254740993", "9007199254740992"]},
            [2**53, "9007199254740993", 9007199254740994.0],
        ),
        ({"BS": ["/w==", "AQ==", "AAE="]}, ["AAE=", "AQ==", "/w=="]),
    ],
)
def test_sets_become_arrays_in_the_order_of_their_values(tagged, ordered):
    assert value_of(tagged) == ordered


@pytest.mark.parametrize(
    "tagged",
    [
        {},
        {"S": "a", "N": "1"},
        None,
        "text",
        "S",
        5,
        True,
        [],
        ["S"],
        [0],
        [{"S": "a"}],
        {"S": 1},
        {"S": None},
        {"N": 1},
        {"N": 1.5},
        {"N": None},
        {"N": ["1"]},
        {"BOOL": "true"},
        {"BOOL": 1},
        {"NULL": False},
        {"NULL": None},
        {"B": 1},
        {"B": "A"},
        {"B": "AQ"},
        {"B": "AR=="},
        {"B": "AQ==\n"},
        {"B": "-_8="},
        {"B": "ä"},
        {"M": []},
        {"M": None},
        {"L": {}},
        {"L": "x"},
        {"SS": []},
        {"SS": "ab"},
        {"SS": [1]},
        {"SS": ["a", 1]},
        {"SS": [["a"]]},
        {"SS": ["a", "a"]},
        {"NS": []},
        {"NS": ["x"]},
        {"NS": [1]},
        {"NS": ["1", "1.0"]},
        {"BS": ["x"]},
        {"BS": ["AQ==", "AQ=="]},
    ],
)
@pytest.mark.parametrize("place", ["top", "map", "list"])
def test_a_value_that_contradicts_its_tag_is_a_malformed_line(tagged, place):
    around = {"top": tagged, "map": {"M": {"a": s("x"), "b": tagged}}, "list": {"L": [s("x"), tagged]}}
    assert reason_of(around[place]) == "malformed_line"
    # Where attributes are dropped, quotes are not counted.
    assert reason_of(around[place], {"drop": ["other"]}) == "malformed_line"


@pytest.mark.parametrize("tag", ["X", "s", "", "SSS", "Item"])
def test_a_tag_that_dynamodb_does_not_have_is_an_unknown_type(tag):
    assert reason_of({tag: "a"}) == "unknown_type"
    assert reason_of({"L": [{"M": {"a": {tag: ["a"]}}}]}) == "unknown_type"


def nested(depth: int, kind: str, leaf: Any = None) -> Any:
    value: Any = leaf or s("leaf")
    for _ in range(depth):
        value = {"M": {"a": value}} if kind == "M" else {"L": [value]}
    return value


@pytest.mark.parametrize("kind", ["M", "L"])
def test_values_nest_as_deep_as_dynamodb_allows_and_no_deeper(kind):
    value = value_of(nested(32, kind))
    for _ in range(32):
        value = value["a"] if kind == "M" else value[0]
    assert value == "leaf"
    assert reason_of(nested(33, kind)) == "malformed_line"


@pytest.mark.parametrize("kind", ["M", "L"])
@pytest.mark.parametrize(
    ("depth", "told"),
    [(32, "N is not a number"), (33, "maps and lists are nested more than 32 levels deep")],
)
def test_a_fault_at_the_deepest_level_is_told_as_it_is(kind, depth, told):
    assert detail_of(nested(depth, kind, n("x"))).endswith(f": {told}")


def detail_of(tagged: Any) -> str:
    mapped = map_item(item_with(tagged))
    assert isinstance(mapped, Rejected)
    return mapped.detail


@pytest.mark.parametrize(
    ("tagged", "told"),
    [
        (5, "the value has no type tag"),
        ({}, "the value has 0 type tags instead of one"),
        ({"S": 1}, "S is not a JSON string"),
        ({"BOOL": 1}, "BOOL is neither true nor false"),
        ({"NULL": False}, "NULL is not true"),
        ({"M": []}, "M is not a JSON object"),
        ({"L": {}}, "L is not a JSON array"),
        ({"SS": []}, "SS is not a JSON array of one or more members"),
        ({"NS": []}, "NS is not a JSON array of one or more members"),
        ({"BS": []}, "BS is not a JSON array of one or more members"),
        ({"SS": ["a", 1]}, "SS holds a member that is not a JSON string"),
        ({"SS": ["a", "a"]}, "SS holds the same member twice"),
        ({"NS": ["1", "1.0"]}, "NS holds the same member twice"),
        ({"BS": ["AQ==", "AQ=="]}, "BS holds the same member twice"),
        ({"B": "AQ"}, "a binary value is not base64 with padding"),
        ({"B": "AR=="}, "a binary value is not base64 as DynamoDB writes it"),
    ],
)
def test_a_malformed_value_is_told_with_its_path_and_fault(tagged, told):
    assert detail_of(tagged) == f"v: {told}"


@pytest.mark.parametrize("names", ["abc", "acb", "cab", "cba"])
def test_of_several_faults_the_first_in_the_alphabet_is_told_in_any_order_of_attributes(names):
    mapped = map_item({"pk": s("p"), "sk": s("s"), **{name: n("x") for name in names}})
    assert isinstance(mapped, Rejected)
    assert mapped.detail == "a: N is not a number"


@pytest.mark.parametrize(
    "tagged",
    [
        s("x"),
        n("1"),
        {"B": "AQ=="},
        {"BOOL": True},
        {"NULL": True},
        {"SS": ["a", "b"]},
        {"NS": ["1", "2", "3"]},
        {"BS": ["AQ=="]},
        {"M": {}},
        {"L": []},
        {"M": {"a": s("x"), "b": {"NULL": True}}},
        {"L": [s("x"), {"M": {"a": {"L": [n("1")]}}}]},
    ],
)
def test_the_strings_of_values_are_counted_since_a_lost_duplicate_name_shows_in_their_number(tagged):
    values = {"v": tagged}
    quotes = orjson.dumps(values).count(b'"')
    assert 2 * (len(values) + map_values(values, values.items(), exact)) == quotes


def test_the_members_of_a_number_set_follow_the_rule_string_in_their_order():
    assert value_of({"NS": ["10", "9"]}, {"numbers": "string"}) == ["9", "10"]


@pytest.mark.parametrize("rule", ["exact", "reject"])
def test_all_numbers_of_a_set_are_examined(rule):
    inexact_first = {"NS": ["0.10000000000000000001", "x"]}
    assert reason_of(inexact_first, {"numbers": rule}) == "malformed_line"
    twice = {"NS": ["0.10000000000000000001", "1", "1.0"]}
    assert reason_of(twice, {"numbers": rule}) == "malformed_line"


def test_nothing_is_remembered_from_a_number_of_another_rule():
    assert value_of(n("5")) == 5
    assert value_of(n("5"), {"numbers": "string"}) == "5"
