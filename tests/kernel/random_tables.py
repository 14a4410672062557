"""Random tables of random items for the differential run, most of them ordinary, from a seed."""

import base64
import json
import random

from ..unit.mapping.corpus import BAD_VALUES, GOOD_VALUES, MOMENTS, NOW, NUMBERS, TEXTS
from ..unit.mapping.oracle import Table

NAMES = [
    "a",
    "b",
    "id",
    "_ts",
    "ttl",
    "until",
    "dynamodb_id",
    "kind",
    "Name",
    "Straße",
    'q"uote',
    "Total",
    "Lines",
]
SHORT_NUMBERS = [text for text in NUMBERS if len(text) < 200]
RULES = {
    "partition_key": [["t", "pk"], ["pk", "t"], ["kind", "pk"], ["t"], ["pk"]],
    "document_id": [["pk", "sk"], ["sk", "pk"], ["sk"]],
    "rename": [{"a": "b", "b": "a"}, {"a": "new"}, {"a": "b"}, {"Total": "dynamodb_id"}],
    "drop": [["a"], ["until"], ["a", "b"]],
    "set": [{"kind": "x"}, {"kind": 1}, {"type": [1, {"b": 0.5, "a": None}], "kind": "é"}],
    "numbers": ["exact", "reject", "string"],
    "ttl": ["convert", "off"],
}
KEYS = [["pk", "sk"], ["pk", "sk"], ["pk", "sk"], ["pk"], ["id"], ["pk", "id"]]


def random_table(source: random.Random) -> Table:
    """Return a table; its rules may be impossible."""
    rules = {name: source.choice(values) for name, values in RULES.items() if source.random() < 0.2}
    return Table(source.choice(KEYS), rules, source.choice([None, "until", "ttl"]))


def random_lines(source: random.Random, items: int) -> list[bytes]:
    """Return lines of a data file, few of them odd or damaged."""
    oddness = source.choice([0, 0.002, 0.02, 0.2])
    return [_line(source, oddness) for _ in range(items)]


def _line(source: random.Random, oddness: float) -> bytes:
    is_escaped = source.random() < oddness
    line = json.dumps({"Item": _item(source, oddness)}, ensure_ascii=is_escaped, separators=(",", ":"))
    content = line.encode("utf-8", "surrogatepass")
    return _damaged(source, content) if source.random() < oddness / 4 else content


def _damaged(source: random.Random, line: bytes) -> bytes:
    place, other = source.randrange(len(line)), source.randrange(len(line))
    return source.choice(
        [
            line[:place],
            line[:place] + source.randbytes(1).replace(b"\n", b"") + line[place + 1 :],
            line[:place] + b" " + line[place:],
            line[:place] + line[min(place, other) : other] + line[place:],
            line + b"\r",
            line.replace(b":{", b": {"),
            line.replace(b'"Item":{', b'"Item":{"a":{"S":"twice"},'),
            line.replace(b'"S":"', b'"S":"\\u00e9\\ud83d\\ude00\\/\\b'),
            line.replace(b'"S":"', b'"S":"\\ud800'),
            b"",
        ]
    )


def _item(source: random.Random, oddness: float) -> dict:
    key = _key(source, oddness)
    item = {"pk": key, "sk": _key(source, oddness), "id": _key(source, oddness), "t": _key(source, oddness)}
    if source.random() < 0.5:
        item["until"] = _moment(source)
    for name in source.sample(NAMES, source.randint(0, 6)):
        item[name] = _value(source, oddness, 0)
    if source.random() < 0.3:
        del item["id"]
    if source.random() < oddness:
        del item[source.choice(list(item))]
    return dict(source.sample(list(item.items()), len(item)))


def _moment(source: random.Random) -> dict:
    """Return a time to live: soon, late, long past, or in milliseconds."""
    moment = NOW + source.randint(-100, 1000) * source.choice([1, 1, 1, 10**7, -(10**6)])
    return {"N": str(moment * source.choice([1] * 9 + [1000]))}


def _key(source: random.Random, oddness: float) -> dict:
    if source.random() < oddness:
        return source.choice([*GOOD_VALUES, *BAD_VALUES])
    return source.choice(
        [
            {"S": f"CUST#{source.randrange(50)}"},
            {"S": f"{source.choice(TEXTS[1:10])}{source.randrange(10**6)}"},
            {"N": str(source.randrange(10**6))},
            {"B": base64.b64encode(source.randbytes(source.randint(1, 6))).decode()},
        ]
    )


def _value(source: random.Random, oddness: float, depth: int):
    if source.random() < oddness:
        return source.choice([*GOOD_VALUES, *BAD_VALUES, *MOMENTS])
    return source.choice(VALUES[: 9 if depth > 3 else 11])(source, oddness, depth)


def _number(source: random.Random) -> str:
    digits = str(source.randrange(10 ** source.choice([1, 3, 9, 15, 16, 17, 38])))
    place = source.randint(0, len(digits))
    sign = source.choice(["", "", "-"])
    kinds = [digits, digits, f"{digits[:place]}.{digits[place:]}", f"{digits}E{source.randint(-140, 100)}"]
    decimal = f"{source.uniform(-1000, 1000):.{source.randint(0, 17)}f}"
    floats = [repr(source.random() * 10.0 ** source.randint(-30, 30)), decimal, source.choice(SHORT_NUMBERS)]
    return source.choice([sign + source.choice(kinds), *floats])


def _text(source: random.Random) -> str:
    return source.choice(
        [source.choice(TEXTS), "words and more words " * source.randint(0, 4), str(source.random())]
    )


def _strings(source: random.Random) -> list[str]:
    return list({_text(source) for _ in range(source.randint(1, 4))})


def _map(source, oddness, depth):
    names = source.sample(NAMES, source.randint(0, 4))
    return {"M": {name: _value(source, oddness, depth + 1) for name in names}}


VALUES = [
    lambda source, oddness, depth: {"S": _text(source)},
    lambda source, oddness, depth: {"N": _number(source)},
    lambda source, oddness, depth: {"N": str(source.randrange(10**6))},
    lambda source, oddness, depth: {"B": base64.b64encode(source.randbytes(source.randrange(9))).decode()},
    lambda source, oddness, depth: {"BOOL": source.random() < 0.5},
    lambda source, oddness, depth: {"NULL": True},
    lambda source, oddness, depth: {"SS": _strings(source)},
    lambda source, oddness, depth: {"NS": list({_number(source) for _ in range(source.randint(1, 4))})},
    lambda source, oddness, depth: {
        "BS": list({base64.b64encode(source.randbytes(source.randrange(5))).decode() for _ in range(3)})
    },
    _map,
    lambda source, oddness, depth: {
        "L": [_value(source, oddness, depth + 1) for _ in range(source.randint(0, 4))]
    },
]
