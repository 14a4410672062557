"""The shape of each mapped item, collected by the mapper for the census of a table."""

from itertools import chain
from typing import Any

import orjson

from d2c.mapping.numbers import NumberRule, by_decimal, exact, exact_rule
from d2c.mapping.rejected import Fault
from d2c.mapping.values import MAX_DEPTH


class MappedShape:
    """The shape of the item that a mapper mapped last, unless it was rejected; collecting it costs no extra pass.

    `shape` has the names of the attributes, then their type tags in the same order; dropped attributes are not
    among them. `inexact` has the text of each number that binary64 cannot represent.
    """

    def __init__(self) -> None:
        self.shape: tuple[str, ...] = ()
        self.inexact: list[str] = []
        self._line = b""
        self._item: dict[str, Any] = {}

    def look(self, line: bytes, item: dict[str, Any]) -> None:
        """Store an item's line and its attributes in DynamoDB JSON, before they are mapped in place."""
        self._line, self._item = line, item
        if self.inexact:
            self.inexact = []
        try:
            self.shape = (*item, *chain.from_iterable(item.values()))
        except TypeError:  # not all are tagged values, for which the mapper rejects the item
            self.shape = ()

    def tag_of(self, name: str) -> str | None:
        """Return the type tag of an attribute; None if the item lacks it or the rules drop it."""
        names = len(self.shape) // 2
        try:
            return self.shape[names + self.shape.index(name, 0, names)]
        except ValueError:
            return None

    def watched(self, rule: NumberRule) -> NumberRule:
        """Return a number rule with the same results that also records inexact numbers here."""
        if rule is exact:  # keeps the fast path for exact numbers
            return exact_rule(self._watched(by_decimal))
        return self._watched(rule)

    def _watched(self, rule: NumberRule) -> NumberRule:
        def number(text: Any) -> int | float | str:
            value = rule(text)
            if type(value) is str and (rule is by_decimal or is_inexact(text)):
                self.inexact.append(value)
            return value

        return number

    def inexact_by_attribute(self) -> dict[str, int]:
        """Return the number of inexact numbers by attribute, for attributes with any.

        The line is parsed again only if they are in maps or lists.
        """
        item, inexact, names = self._item, set(self.inexact), self.shape[: len(self.shape) // 2]
        counts: dict[str, int] = {}
        for name, tag in zip(names, self.shape[len(names) :], strict=True):
            if tag == "N" and item[name] in inexact:
                counts[name] = 1
            elif tag == "NS" and (count := sum(member in inexact for member in item[name])):
                counts[name] = count
        if sum(counts.values()) == len(self.inexact):
            return counts
        fresh = orjson.loads(self._line)["Item"]
        return {name: count for name in names if (count := count_inexact(fresh[name]))}


def is_inexact(text: Any) -> bool:
    """Return whether a text is a DynamoDB number that binary64 cannot represent."""
    try:
        return isinstance(exact(text), str)
    except Fault:
        return False


def count_inexact(tagged: Any, depth: int = 1) -> int:
    """Return how many numbers in a tagged value binary64 cannot represent; invalid values count as none.

    Args:
        tagged: the value of an attribute in DynamoDB JSON, or any JSON value of a rejected item.
        depth: how many maps and lists enclose it, the item included.
    """
    if type(tagged) is not dict or len(tagged) != 1 or depth > MAX_DEPTH + 1:
        return 0
    ((tag, value),) = tagged.items()
    if tag == "N":
        return int(is_inexact(value))
    if tag == "NS" and type(value) is list:
        return sum(map(is_inexact, value))
    if tag == "M" and type(value) is dict:
        return sum(count_inexact(member, depth + 1) for member in value.values())
    if tag == "L" and type(value) is list:
        return sum(count_inexact(member, depth + 1) for member in value)
    return 0
