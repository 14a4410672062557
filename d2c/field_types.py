"""Whether values are of the types that are declared for them."""

from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from d2c.foreign_json import quoted

MOST_MEMBERS = 1_000
MOST_TEXT_CHARACTERS = 20_000


def wrong_fields(value: Any) -> list[str]:
    """Return the names of the fields of a data class that have another type than they declare.

    Args:
        value: of a data class whose fields are simple: a type, one of several, or a tuple of one.
    """
    return [
        name for name, kind in get_type_hints(type(value)).items() if not _is_a(getattr(value, name), kind)
    ]


def _is_a(value: Any, kind: Any) -> bool:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return any(_is_a(value, part) for part in parts)
    if origin is tuple:
        return isinstance(value, tuple) and all(_is_a(each, parts[0]) for each in value)
    exact = kind in (bool, int, NoneType)
    return type(value) is kind if exact else isinstance(value, origin or kind)


def shaped(value: Any, shape: Any, place: str) -> Any:
    """Return what a shape declares of a JSON value; fields that it does not declare are left out.

    Args:
        value: the value.
        shape: a `TypedDict`, or a type as its fields declare one: a list or a dict of shapes, one of several, a
            `Literal`, text, a truth value, a float, or an int, which is a count and so not negative.
        place: names the value in the error.

    Raises:
        TypeError: naming the first place that has another form, a long text, or more than a thousand members.
    """
    parts = get_args(shape)
    if is_typeddict(shape):
        return _declared(value, shape, place)
    if get_origin(shape) in (Union, UnionType):
        return _one_of(value, parts, place)
    if get_origin(shape) is list and _is_holder(value, list):
        return [shaped(each, parts[0], f"{place}.{number}") for number, each in enumerate(value)]
    if get_origin(shape) is dict and _is_holder(value, dict):
        return {shaped(name, str, place): shaped(each, parts[1], place) for name, each in value.items()}
    if not _is_plain(value, shape):
        raise _wrong(value, place)
    return value


def _declared(value: Any, shape: Any, place: str) -> dict[str, Any]:
    if type(value) is not dict:
        raise _wrong(value, place)
    missing = sorted(shape.__required_keys__ - value.keys())
    if missing:
        raise TypeError(f"{place} has no {missing[0]}")
    fields = _fields_of(shape)
    return {name: shaped(value[name], fields[name], f"{place}.{name}") for name in fields if name in value}


@cache
def _fields_of(shape: Any) -> dict[str, Any]:
    return get_type_hints(shape)


def _one_of(value: Any, shapes: tuple[Any, ...], place: str) -> Any:
    if value is None and NoneType in shapes:
        return None
    *others, last = (shape for shape in shapes if shape is not NoneType)
    for shape in others:
        if _is_plain(value, shape):
            return value
    return shaped(value, last, place)


def _wrong(value: Any, place: str) -> TypeError:
    """Return the error for a value; one that holds others may be too large to be quoted."""
    found = f"a {type(value).__name__} of {len(value):,}" if isinstance(value, dict | list) else quoted(value)
    return TypeError(f"{place} is {found}")


def _is_holder(value: Any, kind: type[list[Any]] | type[dict[str, Any]]) -> bool:
    return isinstance(value, kind) and len(value) <= MOST_MEMBERS


def _is_plain(value: Any, shape: Any) -> bool:
    if get_origin(shape) is Literal:
        return type(value) is str and value in get_args(shape)
    if shape is float:
        return type(value) in (int, float)
    if shape is str:
        return type(value) is str and len(value) <= MOST_TEXT_CHARACTERS
    return type(value) is shape and (shape is not int or value >= 0)
