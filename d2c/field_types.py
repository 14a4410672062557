"""Whether the values of a data class are of the types that its fields declare."""

from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints


def wrong_fields(value: Any) -> list[str]:
    """Return the names of the fields that have another type than they declare.

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
