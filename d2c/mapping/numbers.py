"""DynamoDB numbers as JSON: a number where binary64 keeps every digit, never a rounded one.

DynamoDB keeps 38 significant digits, Cosmos DB a binary64.
Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-data-types-numbers
"""

import re
from collections.abc import Callable
from decimal import Decimal

from d2c.mapping.rejected import INEXACT_NUMBER, MALFORMED_LINE, Fault

MAX_SIGNIFICANT_DIGITS = 38
MIN_EXPONENT, MAX_EXPONENT = -130, 125
MAX_EXACT_INTEGER = 2**53

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?")
# Any decimal of 15 significant digits survives the way through binary64 and back (C's DBL_DIG).
_short_number = re.compile(r"-?[0-9]+(\.[0-9]+)?").fullmatch
_SHORT_LENGTH = 15


def parse_number(text: str) -> Decimal:
    """Return the exact value of a DynamoDB number.

    Args:
        text: what stands behind the tag `N`.

    Raises:
        Fault: malformed_line, where DynamoDB could not hold such a number.
    """
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


def positional(text: str) -> str:
    """Return a DynamoDB number's exact value without exponent, trailing zeros or a sign on zero.

    Raises:
        Fault: malformed_line.
    """
    return _write(parse_number(text))


def _write(value: Decimal) -> str:
    digits = format(value, "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _as_binary64(value: Decimal) -> int | float | None:
    """Return the equal JSON number, an int up to 2^53, or None where binary64 would change the value."""
    number = float(value)
    if Decimal(repr(number)) != value:
        return None
    return int(number) if number.is_integer() and abs(number) <= MAX_EXACT_INTEGER else number


def _read_short(text: str) -> int | float | None:
    """Return the JSON number of a short and plain text, which needs no exact arithmetic, else None."""
    if len(text) > _SHORT_LENGTH or not (short := _short_number(text)):
        return None
    if short.lastindex is None:
        return int(text)
    number = float(text)
    return int(number) if number.is_integer() else number


def _exact(text: str) -> int | float | str:
    value = parse_number(text)
    number = _as_binary64(value)
    return _write(value) if number is None else number


def _reject(text: str) -> int | float | str:
    number = _as_binary64(parse_number(text))
    if number is None:
        raise Fault(INEXACT_NUMBER, "N has digits that a binary64 number does not keep")
    return number


NUMBER_RULES: dict[str, Callable[[str], int | float | str]] = {
    "exact": _exact,
    "reject": _reject,
    "string": positional,
}
"""What each value of the rule `numbers` makes of a number's text; each raises Fault."""


class Numbers(dict[str, int | float | str]):
    """The mapped value of each number's text, remembered, since most numbers of a table come again.

    It keeps the first it meets; what is frequent is among them, and it needs no clearing.

    Args:
        rule: a key of `NUMBER_RULES`.
    """

    max_remembered = 65_536
    max_text_length = 64

    def __init__(self, rule: str) -> None:
        super().__init__()
        self._map = NUMBER_RULES[rule]
        self._keeps_numbers = rule != "string"

    def __missing__(self, text: str) -> int | float | str:
        value: int | float | str | None = _read_short(text) if self._keeps_numbers else None
        if value is None:
            value = self._map(text)
        if len(self) < self.max_remembered and len(text) <= self.max_text_length:
            self[text] = value
        return value
