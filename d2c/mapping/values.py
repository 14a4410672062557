"""DynamoDB JSON values as plain JSON values.

Source of the tags and their rules:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

import binascii
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any

from d2c.mapping.numbers import Numbers, parse_number
from d2c.mapping.rejected import MALFORMED_LINE, UNKNOWN_TYPE, Fault

MAX_DEPTH = 32
"""Maps and lists inside each other; DynamoDB refuses to store more."""

_ONLY_TEXTS = {str}
_exact_value = lru_cache(maxsize=16_384)(parse_number)


def map_object(
    tagged_values: Mapping[Any, Any], depth: int, numbers: Numbers, faults: list[Fault]
) -> dict[Any, Any]:
    """Return the JSON value of each tagged value; of a faulty one None, and the fault is noted.

    It never stops at a fault, so that the reason that wins is found whatever the order of attributes.

    Args:
        tagged_values: name to value, such as `{"title": {"S": "text"}}`.
        depth: how many maps and lists these values lie in, the item included.
        numbers: maps the texts of numbers.
        faults: takes what is wrong.
    """
    mapped: dict[Any, Any] = {}
    for name, tagged in tagged_values.items():
        try:
            (tag,) = tagged
            value = tagged[tag]
        except (TypeError, ValueError, IndexError):
            mapped[name] = None
            faults.append(_fault_of_shape(tagged))
            continue
        try:
            # The commonest types stand here, where they cost no call of a function.
            if tag == "S" and type(value) is str:
                mapped[name] = value
            elif tag == "N" and type(value) is str:
                mapped[name] = numbers[value]
            elif tag == "M" and type(value) is dict and depth <= MAX_DEPTH:
                mapped[name] = map_object(value, depth + 1, numbers, faults)
            elif tag == "L" and type(value) is list and depth <= MAX_DEPTH:
                mapped[name] = list(map_object(dict(enumerate(value)), depth + 1, numbers, faults).values())
            else:
                mapped[name] = _map_other(tagged, tag, value, numbers)
        except Fault as fault:
            mapped[name] = None
            faults.append(fault)
    return mapped


def locate_faults(name: str, tagged: Any, numbers: Numbers, depth: int = 1) -> Iterator[Fault]:
    """Yield the faults of one tagged value, each with the path to it in its detail.

    Args:
        name: path of the value, such as `lines[0].price`.
        tagged: the value.
        numbers: maps the texts of numbers.
        depth: how many maps and lists it lies in, the item included.
    """
    faults: list[Fault] = []
    map_object({name: tagged}, depth, numbers, faults)
    if not faults:
        return
    children = _children(name, tagged) if depth <= MAX_DEPTH else ()
    inner = [fault for path, child in children for fault in locate_faults(path, child, numbers, depth + 1)]
    yield from inner or [Fault(fault.reason, f"{name}: {fault.detail}") for fault in faults]


def _children(name: str, tagged: Any) -> Iterator[tuple[str, Any]]:
    content = next(iter(tagged.values())) if isinstance(tagged, dict) and len(tagged) == 1 else None
    if isinstance(content, dict) and "M" in tagged:
        yield from ((f"{name}.{key}", child) for key, child in content.items())
    if isinstance(content, list) and "L" in tagged:
        yield from ((f"{name}[{index}]", child) for index, child in enumerate(content))


def _fault_of_shape(tagged: Any) -> Fault:
    if not isinstance(tagged, dict):
        return Fault(MALFORMED_LINE, "the value has no type tag")
    return Fault(MALFORMED_LINE, f"the value has {len(tagged)} type tags instead of one")


def _map_other(tagged: Any, tag: Any, value: Any, numbers: Numbers) -> Any:
    """Map a value of one of the rarer types, or say what is wrong with it."""
    converter = _CONVERTERS.get(tag)
    if converter is not None:
        return converter(value, numbers)
    if type(tagged) is not dict:  # a list of one member gets here too
        raise _fault_of_shape(tagged)
    json_type = _JSON_TYPES.get(tag)
    if json_type is None:
        raise Fault(UNKNOWN_TYPE, "the value's type tag is none of DynamoDB's")
    if type(value) is not json_type[0]:
        raise Fault(MALFORMED_LINE, f"{tag} is not {json_type[1]}")
    raise Fault(MALFORMED_LINE, f"more than {MAX_DEPTH} maps and lists lie inside each other")


def _map_bool(value: Any, numbers: Numbers) -> bool:
    if type(value) is not bool:
        raise Fault(MALFORMED_LINE, "BOOL is neither true nor false")
    return value


def _map_null(value: Any, numbers: Numbers) -> None:
    if value is not True:
        raise Fault(MALFORMED_LINE, "NULL is not true")


def _map_binary(value: Any, numbers: Numbers) -> str:
    _decode(value)
    text: str = value
    return text


def _map_text_set(value: Any, numbers: Numbers) -> list[str]:
    return _sorted_members("SS", value)


def _map_number_set(value: Any, numbers: Numbers) -> list[int | float | str]:
    members = sorted(_sorted_members("NS", value), key=_exact_value)
    if any(_exact_value(one) == _exact_value(next_one) for one, next_one in pairwise(members)):
        raise Fault(MALFORMED_LINE, "NS holds the same number twice")
    return [numbers[text] for text in members]


def _map_binary_set(value: Any, numbers: Numbers) -> list[str]:
    return sorted(_sorted_members("BS", value), key=_decode)


def _sorted_members(tag: str, value: Any) -> list[str]:
    """Return the texts of a set by code point, which is also the order of their UTF-8 bytes."""
    if type(value) is not list or set(map(type, value)) != _ONLY_TEXTS:
        raise Fault(MALFORMED_LINE, f"{tag} is not a JSON array of one or more strings")
    members = sorted(set(value))
    if len(members) != len(value):
        raise Fault(MALFORMED_LINE, f"{tag} holds the same member twice")
    return members


def _decode(value: Any) -> bytes:
    """Decode base64; only its one canonical spelling counts, since it becomes the document's text."""
    try:
        content = binascii.a2b_base64(value, strict_mode=True)
    except (TypeError, ValueError):
        raise Fault(MALFORMED_LINE, "a binary value is not base64 with padding") from None
    if binascii.b2a_base64(content, newline=False).decode() != value:
        raise Fault(MALFORMED_LINE, "a binary value is not base64 as DynamoDB writes it")
    return content


_CONVERTERS: dict[str, Callable[[Any, Numbers], Any]] = {
    "B": _map_binary,
    "BOOL": _map_bool,
    "NULL": _map_null,
    "SS": _map_text_set,
    "NS": _map_number_set,
    "BS": _map_binary_set,
}
_JSON_TYPES: dict[str, tuple[type, str]] = {
    "S": (str, "a JSON string"),
    "N": (str, "a JSON string"),
    "M": (dict, "a JSON object"),
    "L": (list, "a JSON array"),
}
