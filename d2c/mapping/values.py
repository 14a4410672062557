"""Convert DynamoDB JSON values to plain JSON values.

Source of the tags and their rules:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

import binascii
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any

from d2c.mapping.numbers import NumberRule, exact, parse_number
from d2c.mapping.rejected import MALFORMED_LINE, UNKNOWN_TYPE, Fault, shown

MAX_DEPTH = 32
"""Nested maps and lists; DynamoDB's limit."""


def map_values(container: Any, places: Iterable[tuple[Any, Any]], number: NumberRule, depth: int = 1) -> int:
    """Replace each tagged value with its JSON value, recursively.

    This is the hot path: it works in place and stops at the first fault, whatever its precedence. After a fault the
    container is unusable; `first_faults` returns the faults of a freshly parsed one.

    Args:
        container: object or array of tagged values, such as `{"title": {"S": "text"}}`.
        places: the container's keys or indices with the tagged values there.
        number: an entry of `NUMBER_RULES`.
        depth: how many maps and lists enclose these values, the item included.

    Returns:
        How many JSON strings the tagged values consisted of; names in this container do not count.

    Raises:
        Fault: if a value does not match its tag.
    """
    strings = 2 * len(container)  # tag and text of the commonest
    for place, tagged in places:
        try:
            tag, value = tagged.popitem()
        except (AttributeError, KeyError):
            raise fault_of_shape(tagged) from None
        if tagged:
            raise fault_of_shape(tagged)
        # The most common types are inline, which saves a function call.
        if tag == "S" and type(value) is str:
            container[place] = value
        elif tag == "N":
            container[place] = number(value)
        elif tag == "M" and type(value) is dict and depth <= MAX_DEPTH:
            strings += map_values(value, value.items(), number, depth + 1) + len(value) - 1
            container[place] = value
        elif tag == "L" and type(value) is list and depth <= MAX_DEPTH:
            strings += map_values(value, enumerate(value), number, depth + 1) - 1
            container[place] = value
        elif tag == "BOOL" and type(value) is bool:
            strings -= 1
            container[place] = value
        else:
            container[place] = mapped = map_scalar_or_set(tag, value, number)
            if type(mapped) is not str:
                strings += (len(mapped) if type(mapped) is list else 0) - 1
    return strings


def first_faults(item: dict[str, Any], number: NumberRule) -> dict[str, Fault]:
    """Return by reason the fault of an item's values whose detail, which begins with its path, is alphabetically first.

    Args:
        item: attributes in DynamoDB JSON; it stays as it is.
        number: an entry of `NUMBER_RULES`.
    """
    first: dict[str, Fault] = {}
    for path, fault in _faults_in("", item, item.items(), number, 1):
        detail = f"{path}: {fault.detail}"
        if fault.reason not in first or detail < first[fault.reason].detail:
            first[fault.reason] = Fault(fault.reason, detail)
    return first


def _faults_in(
    path: str, container: Any, places: Iterable[tuple[Any, Any]], number: NumberRule, depth: int
) -> Iterator[tuple[str, Fault]]:
    """Yield every fault in a map or list, with the path of its value, such as `lines[0].price`."""
    for place, tagged in places:
        try:
            if type(tagged) is not dict or len(tagged) != 1:
                raise fault_of_shape(tagged)
            ((tag, value),) = tagged.items()
            if tag == "M" and type(value) is dict and depth <= MAX_DEPTH:
                inner = _path(path, container, place)
                yield from _faults_in(inner, value, value.items(), number, depth + 1)
            elif tag == "L" and type(value) is list and depth <= MAX_DEPTH:
                inner = _path(path, container, place)
                yield from _faults_in(inner, value, enumerate(value), number, depth + 1)
            else:
                map_scalar_or_set(tag, value, number)
        except Fault as fault:
            yield _path(path, container, place), fault


def _path(outer: str, container: Any, place: Any) -> str:
    """Return the path of a value in a map or list; names may be as long as a line, so it is cut."""
    if type(container) is list:
        return shown(f"{outer}[{place}]")
    return shown(f"{outer}.{shown(place)}" if outer else place)


def map_scalar_or_set(tag: str, value: Any, number: NumberRule) -> Any:
    """Return the JSON value of a tagged value that holds no others.

    Raises:
        Fault: if it does not match its tag, or is an invalid or too deeply nested map or list.
    """
    converter = _CONVERTERS.get(tag)
    if converter is None:
        raise Fault(UNKNOWN_TYPE, "the value's type tag is not one of DynamoDB's")
    return converter(value, number)


def fault_of_shape(tagged: Any) -> Fault:
    """Return the fault of a value that is not an object with one type tag."""
    if type(tagged) is not dict:
        return Fault(MALFORMED_LINE, "the value has no type tag")
    return Fault(MALFORMED_LINE, f"the value has {len(tagged)} type tags instead of one")


def _map_text(value: Any, number: NumberRule) -> str:
    if type(value) is not str:
        raise Fault(MALFORMED_LINE, "S is not a JSON string")
    return value


def _map_number(value: Any, number: NumberRule) -> int | float | str:
    return number(value)


def _map_bool(value: Any, number: NumberRule) -> bool:
    if type(value) is not bool:
        raise Fault(MALFORMED_LINE, "BOOL is neither true nor false")
    return value


def _map_null(value: Any, number: NumberRule) -> None:
    if value is not True:
        raise Fault(MALFORMED_LINE, "NULL is not true")


def _map_binary(value: Any, number: NumberRule) -> str:
    _decode(value)
    text: str = value
    return text


def _refuse_map(value: Any, number: NumberRule) -> None:
    raise _too_deep() if type(value) is dict else Fault(MALFORMED_LINE, "M is not a JSON object")


def _refuse_list(value: Any, number: NumberRule) -> None:
    raise _too_deep() if type(value) is list else Fault(MALFORMED_LINE, "L is not a JSON array")


def _too_deep() -> Fault:
    return Fault(MALFORMED_LINE, f"maps and lists are nested more than {MAX_DEPTH} levels deep")


def _map_text_set(value: Any, number: NumberRule) -> list[str]:
    _check_array("SS", value)
    try:
        "".join(value)  # raises unless all are strings
    except TypeError:
        raise Fault(MALFORMED_LINE, "SS holds a member that is not a JSON string") from None
    members = set(value)
    _check_distinct("SS", value, members)
    return sorted(members)  # by code point, which is also the order of the UTF-8 bytes


def _map_number_set(value: Any, number: NumberRule) -> list[int | float | str]:
    _check_array("NS", value)
    # Equal numbers have one form: a JSON number or, beyond binary64, the positional text.
    members = {exact(text) for text in value}
    _check_distinct("NS", value, members)
    # Inexact numbers are written as text, and all numbers by the rule `string`.
    if str in map(type, members) or (number is not exact and type(number(value[0])) is str):
        return [number(text) for text in sorted(value, key=parse_number)]
    return sorted(members if number is exact else map(number, value))


def _map_binary_set(value: Any, number: NumberRule) -> list[str]:
    _check_array("BS", value)
    members = {_decode(text): text for text in value}
    _check_distinct("BS", value, members)
    return [members[content] for content in sorted(members)]


def _check_array(tag: str, value: Any) -> None:
    if type(value) is not list or not value:
        raise Fault(MALFORMED_LINE, f"{tag} is not a JSON array of one or more members")


def _check_distinct(tag: str, value: Sized, distinct: Sized) -> None:
    if len(distinct) != len(value):
        raise Fault(MALFORMED_LINE, f"{tag} holds the same member twice")


def _decode(value: Any) -> bytes:
    """Decode base64; only the canonical encoding is accepted, since it becomes the document's text."""
    try:
        content = binascii.a2b_base64(value, strict_mode=True)
    except (TypeError, ValueError):
        raise Fault(MALFORMED_LINE, "a binary value is not base64 with padding") from None
    if binascii.b2a_base64(content, newline=False).decode() != value:
        raise Fault(MALFORMED_LINE, "a binary value is not base64 as DynamoDB writes it")
    return content


_CONVERTERS: dict[str, Callable[[Any, NumberRule], Any]] = {
    "S": _map_text,
    "N": _map_number,
    "B": _map_binary,
    "BOOL": _map_bool,
    "NULL": _map_null,
    "M": _refuse_map,
    "L": _refuse_list,
    "SS": _map_text_set,
    "NS": _map_number_set,
    "BS": _map_binary_set,
}
