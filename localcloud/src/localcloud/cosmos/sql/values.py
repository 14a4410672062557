"""Values of the query language: undefined, comparison, and the built-in functions.

https://learn.microsoft.com/azure/cosmos-db/nosql/query/keywords and .../query/functions
"""

import operator
from collections.abc import Callable, Iterable
from typing import Any


class Undefined:
    """What a property that is not there is worth."""

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED = Undefined()
_TYPE_ORDER = (Undefined, type(None), bool, float, str, list, dict)


def sort_key(value: Any) -> tuple[int, Any]:
    """Return what orders values of any type: undefined, null, booleans, numbers, strings, arrays, objects."""
    kind = float if type(value) is int else type(value)
    return _TYPE_ORDER.index(kind), (value if kind in (bool, float, str) else repr(value))


def equal(left: Any, right: Any) -> Any:
    """Compare two values; with an undefined one the comparison is undefined."""
    if left is UNDEFINED or right is UNDEFINED:
        return UNDEFINED
    return sort_key(left)[0] == sort_key(right)[0] and left == right


def _unequal(left: Any, right: Any) -> Any:
    same = equal(left, right)
    return UNDEFINED if same is UNDEFINED else not same


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Any]:
    def compared(left: Any, right: Any) -> Any:
        one, other = sort_key(left), sort_key(right)
        if left is UNDEFINED or one[0] != other[0]:
            return UNDEFINED
        return compare(one, other)

    return compared


COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": equal,
    "!=": _unequal,
    "<>": _unequal,
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
}


def is_number(value: Any) -> bool:
    """Return whether a value is a number."""
    return type(value) in (int, float)


def _of_texts(function: Callable[[str, str], Any]) -> Callable[..., Any]:
    def called(left: Any, right: Any, ignore_case: Any = False) -> Any:
        if not isinstance(left, str) or not isinstance(right, str):
            return UNDEFINED
        return function(left.lower(), right.lower()) if ignore_case is True else function(left, right)

    return called


def _of_one(kind: type, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: function(value) if isinstance(value, kind) else UNDEFINED


def _array_contains(values: Any, wanted: Any) -> Any:
    if not isinstance(values, list):
        return UNDEFINED
    return any(equal(value, wanted) is True for value in values)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "IS_DEFINED": lambda value: value is not UNDEFINED,
    "IS_NULL": lambda value: value is None,
    "IS_BOOL": lambda value: isinstance(value, bool),
    # The Java SDK spells it so where it resumes a sorted query.
    "IS_BOOLEAN": lambda value: isinstance(value, bool),
    "IS_NUMBER": is_number,
    "IS_STRING": lambda value: isinstance(value, str),
    "IS_ARRAY": lambda value: isinstance(value, list),
    "IS_OBJECT": lambda value: isinstance(value, dict),
    "STARTSWITH": _of_texts(str.startswith),
    "ENDSWITH": _of_texts(str.endswith),
    "CONTAINS": _of_texts(lambda text, part: part in text),
    "ARRAY_CONTAINS": _array_contains,
    "ARRAY_LENGTH": _of_one(list, len),
    "LENGTH": _of_one(str, len),
    "LOWER": _of_one(str, str.lower),
    "UPPER": _of_one(str, str.upper),
}


def aggregate(name: str, values: Iterable[Any]) -> Any:
    """Return COUNT, SUM, AVG, MIN or MAX of the values that are defined."""
    defined = [value for value in values if value is not UNDEFINED]
    if name == "COUNT":
        return len(defined)
    if name in ("SUM", "AVG") and not all(map(is_number, defined)):
        return UNDEFINED
    if name == "SUM":
        return sum(defined)
    if not defined:
        return UNDEFINED
    if name == "AVG":
        return sum(defined) / len(defined)
    return min(defined, key=sort_key) if name == "MIN" else max(defined, key=sort_key)


AGGREGATES = ("COUNT", "SUM", "AVG", "MIN", "MAX")
