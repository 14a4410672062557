"""Every DynamoDB type, ordinary and odd, in every position that an item has, with rules that act there."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from .oracle import Table

NOW = 1_800_000_000
FIVE_YEARS = 5 * 365 * 24 * 60 * 60

Item = dict[str, Any]

TEXTS = [
    "",
    "text",
    " ",
    "  blanks at both ends ",
    'quotes " and \\ and / and {"S":"x"}',
    "\x00\x01\x1f\x7f\x80\u2028",
    "Köln, 東京, Ελλάδα",
    "\U0001f600\ufffd\uffff",
    "e\u0301 is not \u00e9",
    "sha256:0123",
    "a|b#c?d%e",
    "true",
    "1e5",
    "x" * 1023,
    "x" * 1024,
    "ü" * 512,
    "x" * 2049,
]
NUMBERS = [
    "0",
    "-0",
    "0.0",
    "1",
    "-1",
    "007",
    "+5",
    ".5",
    "5.",
    "12.50",
    "12.0",
    "1E+2",
    "1e2",
    "-1.5E-7",
    "0.1",
    "0.00001",
    "999999999999999",
    "1780001000000001",
    "9007199254740991",
    "9007199254740992",
    "9007199254740993",
    "9007199254740994",
    "-9007199254740993",
    "18446744073709551616",
    "0.30000000000000004",
    "0.8437261908371234",
    "0.10000000000000000001",
    "-123.456789012345",
    "4503599627370496.5",
    "4503599627370496.3",
    "1E20",
    "1E+125",
    "9.9999999999999999999999999999999999999E+125",
    "-9.9999999999999999999999999999999999999E+125",
    "1E-130",
    "9.9999999999999999999999999999999999999E-130",
    "12345678901234567890123456789012345678",
    "0.12345678901234567890123456789012345678",
    "1" + "0" * 125,
    "0" * 499 + "1",
    "0" * 500,
    "1." + "0" * 498,
    "0E999999999",
]
BINARIES = [b"", b"\x00", b"\xfb\xff", b"\x00\x01\x02\xff", b"?" * 50, b"x" * 1000]
GOOD_VALUES: list[Item] = [
    *({"S": text} for text in TEXTS),
    *({"N": text} for text in NUMBERS),
    *({"B": base64.b64encode(content).decode()} for content in BINARIES),
    {"BOOL": True},
    {"BOOL": False},
    {"NULL": True},
    {"M": {}},
    {"M": {"": {"S": ""}, "id": {"N": "1"}, "_ts": {"NULL": True}, "a.b[0]": {"M": {"S": {"S": "S"}}}}},
    {"M": {tag: {tag: "1"} for tag in ("S", "N")}},
    {"L": []},
    {"L": [{"S": "a"}, {"N": "1"}, {"NULL": True}, {"L": [{"BOOL": False}]}, {"M": {"a": {"B": "AQ=="}}}]},
    {"SS": ["b", "a", "", "ä", "\U0001f600", "\uffff", 'quote "']},
    {"NS": ["10", "9", "-1", "0.5", "1E+2", "0"]},
    {"NS": ["9007199254740994", "9007199254740993", "9007199254740992", "0.10000000000000000001", "0.1"]},
    {"BS": ["/w==", "AQ==", "AAE=", ""]},
]
BAD_VALUES: list[Any] = [
    *(
        {"N": text}
        for text in ("", " 1", "1 ", "1\n", "\t1", "NaN", "Infinity", "1_000", "0x10", "1,5", ".", "-")
    ),
    *(
        {"N": text}
        for text in ("1e", "--1", "\u0661", "1²", "1E+126", "1E-131", "9E-131", "1" * 39, "[1]", '"1"')
    ),
    *(
        {"N": text}
        for text in ("true", "null", "1 2", "1,2", "1E+1000000000", "1E400", "1E-400", "0." + "1" * 39)
    ),
    *({"N": text} for text in ("1" + "0" * 10_000, "9" * 10_000, "0." + "0" * 10_000 + "1", "[" * 2_000)),
    *({"N": text} for text in ("0" * 500 + "1", "0" * 501, "1." + "0" * 499)),
    *({tag: content} for tag in ("S", "N", "B") for content in (1, 1.5, None, True, [], {}, ["a"])),
    *(
        {"B": text}
        for text in ("A", "AQ", "AQ=", "AR==", "AQ==\n", " AQ==", "-_8=", "ä", "====", "AQ==AQ==", "=")
    ),
    *({"BOOL": content} for content in ("true", 1, 0, None, {})),
    *({"NULL": content} for content in (False, None, 1, "true")),
    *({"M": content} for content in ([], None, "", "x", 1, True)),
    *({"L": content} for content in ({}, None, "", "x", 1, True)),
    *(
        {tag: content}
        for tag in ("SS", "NS", "BS")
        for content in ([], "", "ab", None, {}, [1], ["1", 1], [["1"]])
    ),
    {"SS": ["a", "a"]},
    {"NS": ["1", "1.0"]},
    {"NS": ["0.10000000000000000001", "0.100000000000000000010"]},
    {"NS": ["0.10000000000000000001", "x"]},
    {"BS": ["AQ==", "AQ=="]},
    {"BS": ["AQ==", "AR=="]},
    *(None, True, 5, 1.5, "text", "S", [], ["S"], [{"S": "a"}], {}),
    {"S": "a", "N": "1"},
    {"S": "a", "ZZ": "1"},
    {"ZZ": 1},
    {"s": "a"},
    {"": "a"},
    {"Item": {}},
    {"M": {"a": {"S": "x"}, "b": {"ZZ": 1}}},
    {"M": {"a": {"ZZ": 1}, "b": {"N": "x"}}},
    {"L": [{"N": "0.10000000000000000001"}, {"ZZ": 1}]},
    {"L": [{"S": "a"}, None]},
]


def nested(tagged: Any, depth: int) -> Any:
    """A value inside that many maps and lists, in turns."""
    for level in range(depth):
        tagged = {"M": {"a": tagged, "b": {"S": "x"}}} if level % 2 else {"L": [{"BOOL": True}, tagged]}
    return tagged


def item(**attributes: Any) -> Item:
    return {"pk": {"S": "p"}, "sk": {"S": "s"}, **attributes}


PK_SK = ["pk", "sk"]
BY_T = {"partition_key": ["t", "pk"], "rename": {"t": "tenant"}, "set": {"kind": "x"}}
POSITIONS: dict[str, Callable[[Any], tuple[Item, Table]]] = {
    "attribute": lambda value: (item(v=value), Table(PK_SK)),
    "first attribute": lambda value: ({"v": value, **item()}, Table(PK_SK)),
    "odd name": lambda value: (item(**{'a"b.c/é\U0001f600\x01': value}), Table(PK_SK)),
    "in a map": lambda value: (item(v={"M": {"a": {"S": "x"}, "b": value}}), Table(PK_SK)),
    "in a list": lambda value: (item(v={"L": [{"S": "x"}, value, {"N": "1"}]}), Table(PK_SK)),
    "32 deep": lambda value: (item(v=nested(value, 32)), Table(PK_SK)),
    "33 deep": lambda value: (item(v=nested(value, 33)), Table(PK_SK)),
    "hash key": lambda value: ({"pk": value, "sk": {"S": "s"}}, Table(PK_SK)),
    "sort key": lambda value: ({"pk": {"S": "p"}, "sk": value}, Table(PK_SK)),
    "only key": lambda value: ({"pk": value}, Table(["pk"])),
    "key in a joined id": lambda value: (
        item(pk=value, t={"S": "t"}),
        Table(PK_SK, {"partition_key": ["t"]}),
    ),
    "partition key by rule": lambda value: (item(t=value), Table(PK_SK, BY_T)),
    "id": lambda value: (item(id=value), Table(PK_SK)),
    "id as the only key": lambda value: ({"id": value}, Table(["id"])),
    "id with dynamodb_id": lambda value: ({"id": value, "dynamodb_id": {"S": "mine"}}, Table(["id"])),
    "id as the sort key": lambda value: ({"pk": {"S": "p"}, "id": value}, Table(["pk", "id"])),
    "id as the hash key": lambda value: ({"id": value, "sk": {"S": "s"}}, Table(["id", "sk"])),
    "renamed id": lambda value: ({"id": value}, Table(["id"], {"rename": {"id": "number"}})),
    "system property": lambda value: (item(_ts=value, _rid={"S": "x"}), Table(PK_SK)),
    "renamed": lambda value: (item(a=value, b={"S": "x"}), Table(PK_SK, {"rename": {"a": "b", "b": "a"}})),
    "renamed onto another": lambda value: (item(a=value, b={"S": "x"}), Table(PK_SK, {"rename": {"a": "b"}})),
    "set by rule": lambda value: (item(a=value), Table(PK_SK, {"set": {"a": 1}})),
    "dropped": lambda value: (item(a=value), Table(PK_SK, {"drop": ["a"]})),
    "with a dropped one": lambda value: (item(a=value, b={"N": "x"}), Table(PK_SK, {"drop": ["b"]})),
    "time to live": lambda value: (item(until=value), Table(PK_SK, {}, "until")),
    "called ttl": lambda value: (item(ttl=value), Table(PK_SK, {}, "until")),
    "time to live called ttl": lambda value: (item(ttl=value), Table(PK_SK, {}, "ttl")),
    "dropped time to live": lambda value: (item(until=value), Table(PK_SK, {"drop": ["until"]}, "until")),
    "time to live off": lambda value: (item(ttl=value), Table(PK_SK, {"ttl": "off"}, "ttl")),
    "with an expired time": lambda value: (item(v=value, until={"N": str(NOW)}), Table(PK_SK, {}, "until")),
    "with a collision": lambda value: (item(v=value, _ts={"S": ""}, dynamodb__ts={"S": ""}), Table(PK_SK)),
    "with a bad value": lambda value: (item(v=value, w={"N": "x"}), Table(PK_SK)),
    "with an unknown type": lambda value: (item(v=value, w={"ZZ": "x"}), Table(PK_SK)),
    "without a key": lambda value: ({"pk": {"S": "p"}, "v": value}, Table(PK_SK)),
}
MOMENTS: list[Item] = [
    {"N": text}
    for moment in (
        NOW,
        NOW + 1,
        NOW - 1,
        NOW + 2**31 - 1,
        NOW + 2**31,
        NOW - FIVE_YEARS,
        NOW - FIVE_YEARS - 1,
    )
    for text in (str(moment), f"{moment}.5", f"{moment}.000", f"{moment}E0")
] + [{"S": str(NOW + 5)}, {"NS": [str(NOW + 5)]}, {"N": "9.9E+125"}, {"N": "-5"}, {"N": "1E-130"}]
NUMBER_RULES = ["exact", "reject", "string"]


def cases(place: str) -> Iterator[tuple[Item, Table]]:
    """Every value in one of the positions, under every rule for numbers."""
    values = [*GOOD_VALUES, *BAD_VALUES, *MOMENTS]
    for value in values:
        for numbers in NUMBER_RULES:
            content, table = POSITIONS[place](value)
            yield content, replace(table, rules={**table.rules, "numbers": numbers})
