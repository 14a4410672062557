from typing import Any

import pytest

from .helpers import n, reason_of, s, value_of


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


@pytest.mark.parametrize("tag", ["X", "s", "", "SSS", "Item"])
def test_a_tag_that_dynamodb_does_not_have_is_an_unknown_type(tag):
    assert reason_of({tag: "a"}) == "unknown_type"
    assert reason_of({"L": [{"M": {"a": {tag: ["a"]}}}]}) == "unknown_type"


def nested(depth: int, kind: str) -> Any:
    value: Any = s("leaf")
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


@pytest.mark.parametrize("rule", ["exact", "reject"])
def test_all_numbers_of_a_set_are_examined(rule):
    inexact_first = {"NS": ["0.10000000000000000001", "x"]}
    assert reason_of(inexact_first, {"numbers": rule}) == "malformed_line"
    twice = {"NS": ["0.10000000000000000001", "1", "1.0"]}
    assert reason_of(twice, {"numbers": rule}) == "malformed_line"


def test_nothing_is_remembered_from_a_number_of_another_rule():
    assert value_of(n("5")) == 5
    assert value_of(n("5"), {"numbers": "string"}) == "5"
