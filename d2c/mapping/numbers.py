"""DynamoDB numbers as JSON: a number if binary64 keeps every digit, never a rounded one.

DynamoDB has 38 significant digits, Cosmos DB a binary64.
Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-data-types-numbers
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import orjson

from d2c.mapping.rejected import INEXACT_NUMBER, MALFORMED_LINE, Fault

MAX_SIGNIFICANT_DIGITS = 38
MIN_EXPONENT, MAX_EXPONENT = -130, 125
LONGEST_NUMBER = 500
"""In characters. The largest number written out has 126 digits, the smallest 167; zeros at the ends may be more."""
MAX_EXACT_INTEGER = 2**53

NumberRule = Callable[[Any], int | float | str]

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?")
# Any decimal of 15 significant digits survives conversion to binary64 and back (C's DBL_DIG).
_SHORT_INTEGER = 15
_SHORT_DECIMAL = 16  # one character of it is the point or the `e`
_LEAST, _MOST = 1e-130, 2.0**53


def parse_number(text: Any) -> Decimal:
    """Return the exact value of a DynamoDB number.

    Args:
        text: the value of the tag `N`.

    Raises:
        Fault: malformed_line, if it is not text or not a number that DynamoDB can store.
    """
    if not isinstance(text, str):
        raise Fault(MALFORMED_LINE, "N is not a JSON string")
    if len(text) > LONGEST_NUMBER:
        raise Fault(MALFORMED_LINE, f"N has more than {LONGEST_NUMBER} characters")
    if not _NUMBER.fullmatch(text):
        raise Fault(MALFORMED_LINE, "N is not a number")
    # The constructor is exact; arithmetic would round to the context's 28 digits.
    value = Decimal(text)
    if not value:
        return Decimal(0)
    if len(text) > MAX_SIGNIFICANT_DIGITS:
        digits = "".join(map(str, value.as_tuple().digits)).rstrip("0")
        if len(digits) > MAX_SIGNIFICANT_DIGITS:
            raise Fault(MALFORMED_LINE, f"N has more than {MAX_SIGNIFICANT_DIGITS} significant digits")
    if not MIN_EXPONENT <= value.adjusted() <= MAX_EXPONENT:
        raise Fault(MALFORMED_LINE, "N is outside the range of DynamoDB's numbers")
    return value


def positional(text: Any) -> str:
    """Return a DynamoDB number's exact value without exponent, trailing zeros or a sign on zero.

    Raises:
        Fault: malformed_line.
    """
    return _write(parse_number(text))


def by_decimal(text: Any) -> int | float | str:
    """Return the equal JSON number, or the positional text if binary64 would change the value.

    Args:
        text: the value of the tag `N`.

    Raises:
        Fault: malformed_line.
    """
    value = parse_number(text)
    number = float(value)
    if Decimal(repr(number)) != value:
        return _write(value)
    return int(number) if number.is_integer() and abs(number) <= MAX_EXACT_INTEGER else number


def exact_rule(otherwise: NumberRule) -> NumberRule:
    """Return a rule that reads obviously exact numbers itself and passes the others to another rule."""

    def exact(text: Any) -> int | float | str:
        # Nearly every number is short and valid JSON, which orjson reads fast. Unlike DynamoDB it accepts blanks.
        try:
            number = orjson.loads(text)
        except orjson.JSONDecodeError:  # also raised if it is not text
            return otherwise(text)
        if type(number) is int:
            is_exact = len(text) <= _SHORT_INTEGER or -MAX_EXACT_INTEGER <= number <= MAX_EXACT_INTEGER
            if is_exact and text.strip() == text:
                return number
        elif type(number) is float and _LEAST <= abs(number) <= _MOST:
            is_exact = (len(text) <= _SHORT_DECIMAL and text.strip() == text) or repr(number) == text
            if is_exact:
                return int(number) if number.is_integer() else number
        return otherwise(text)

    return exact


exact = exact_rule(by_decimal)
"""Fast path for `by_decimal`."""


def _reject(text: Any) -> int | float | str:
    number = exact(text)
    if isinstance(number, str):
        raise Fault(INEXACT_NUMBER, "N has digits that a binary64 number cannot represent")
    return number


NUMBER_RULES: dict[str, NumberRule] = {
    "exact": exact,
    "reject": _reject,
    "string": positional,
}
"""The conversion of `N` values for each value of the rule `numbers`; each raises Fault."""


def as_binary64(rule: NumberRule) -> NumberRule:
    """Return a rule that gives the same numbers as a digest has them: see `comparison.canonical_value`."""

    def number(text: Any) -> float | str:
        value = rule(text)
        return value if isinstance(value, str) else value + 0.0

    return number


def _write(value: Decimal) -> str:
    digits = format(value, "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits
