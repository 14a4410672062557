"""What a mapper sees of an item on its way to a document, for who takes a census of a table."""

from itertools import chain
from typing import Any

from d2c.mapping.numbers import exact
from d2c.mapping.rejected import Fault
from d2c.mapping.values import MAX_DEPTH, NumberRule


class Sighting:
    """What a mapper saw of the last item that it made a document of; it sees just what it has in hand anyway.

    `shape` has the names of the attributes, then their type tags in the same order; dropped attributes are not
    among them. `has_inexact` tells whether any number is not kept by binary64.
    """

    def __init__(self) -> None:
        self.shape: tuple[str, ...] = ()
        self.has_inexact = False

    def look(self, item: dict[str, Any]) -> None:
        """See an item's attributes in DynamoDB JSON, before they become values in place."""
        self.has_inexact = False
        try:
            self.shape = (*item, *chain.from_iterable(item.values()))
        except TypeError:  # not all are tagged values, for which the mapper rejects the item
            self.shape = ()

    def watched(self, rule: NumberRule) -> NumberRule:
        """Return a number rule that does the same and lets this see its numbers."""

        def number(text: Any) -> int | float | str:
            value = rule(text)
            if type(value) is str and (rule is exact or is_inexact(text)):
                self.has_inexact = True
            return value

        return number


def is_inexact(text: Any) -> bool:
    """Tell whether a text is a DynamoDB number that binary64 does not keep."""
    try:
        return isinstance(exact(text), str)
    except Fault:
        return False


def count_inexact(tagged: Any, depth: int = 1) -> int:
    """Return how many numbers in a tagged value binary64 does not keep; faulty values count none.

    Args:
        tagged: the value of an attribute in DynamoDB JSON, or whatever a rejected item has in its place.
        depth: how many maps and lists it lies in, the item included.
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
