"""What the parser makes of a query's expressions: functions that are evaluated over a row."""

from collections.abc import Callable
from typing import Any, NamedTuple

from localcloud.cosmos.sql.values import UNDEFINED, is_number

# The root document, the parameters and the aggregates' results: what an expression is evaluated over.
Expression = Callable[["Row"], Any]


class Row(NamedTuple):
    """What an expression is evaluated over."""

    document: Any
    parameters: dict[str, Any]
    aggregates: list[Any]


def compared(compare: Callable[[Any, Any], Any], left: Expression, right: Expression) -> Expression:
    """Return the comparison of two expressions."""
    return lambda row: compare(left(row), right(row))


def combined(parts: list[Expression], decisive: bool) -> Expression:
    """Return what OR (decided by true) or AND (decided by false) make of their parts, in three-valued logic."""

    def evaluate(row: Row) -> Any:
        result: Any = not decisive
        for part in parts:
            value = part(row)
            if value is decisive:
                return decisive
            if value is not (not decisive):
                result = UNDEFINED
        return result

    return evaluate


def negation(part: Expression) -> Expression:
    """Return NOT of a part, which is undefined for all but booleans."""

    def evaluate(row: Row) -> Any:
        value = part(row)
        return not value if isinstance(value, bool) else UNDEFINED

    return evaluate


def constant(value: Any) -> Expression:
    """Return the expression of a literal."""
    return lambda row: value


def array(entries: list[Expression]) -> Expression:
    """Return the array of expressions, without those that are undefined."""
    return lambda row: [value for entry in entries if (value := entry(row)) is not UNDEFINED]


def literal(members: list[tuple[str, Expression]]) -> Expression:
    """Return the object of named expressions, without those that are undefined."""
    return lambda row: {name: value for name, part in members if (value := part(row)) is not UNDEFINED}


def added(left: Expression, right: Expression, sign: int) -> Expression:
    """Return the sum (sign 1) or difference (sign -1), which is undefined for all but numbers."""

    def evaluate(row: Row) -> Any:
        one, other = left(row), right(row)
        return one + sign * other if is_number(one) and is_number(other) else UNDEFINED

    return evaluate


def member(value: Expression, name: Expression) -> Expression:
    """Return the property or array element of a value, undefined if there is none."""

    def evaluate(row: Row) -> Any:
        whole, at = value(row), name(row)
        if isinstance(whole, dict) and isinstance(at, str):
            return whole.get(at, UNDEFINED)
        if isinstance(whole, list) and type(at) is int and 0 <= at < len(whole):
            return whole[at]
        return UNDEFINED

    return evaluate
