"""A query as the parser understands it: what is evaluated, and the text that it was."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from localcloud.cosmos.sql.expressions import Expression


class Part(NamedTuple):
    """An expression and its text."""

    expression: Expression
    text: str


class Aggregate(NamedTuple):
    """An aggregate: its name in upper case, its argument, and where its call is in the query."""

    name: str
    argument: Part
    span: tuple[int, int]


class Column(NamedTuple):
    """A column: its name, the value, the aggregate that it is as a whole, and whether it has an aggregate in it."""

    name: str
    value: Part
    aggregate: Aggregate | None
    aggregates: bool


class Order(NamedTuple):
    """What results are sorted by."""

    by: Part
    descending: bool


@dataclass
class Query:
    """A parsed query."""

    kind: Literal["*", "value", "list"] = "*"
    columns: list[Column] = field(default_factory=list)
    root: str = "c"
    source: str = ""
    distinct: bool = False
    top: Expression | None = None
    where: Part | None = None
    order: list[Order] = field(default_factory=list)
    group: list[Part] = field(default_factory=list)
    offset: Expression | None = None
    limit: Expression | None = None
    aggregates: list[Aggregate] = field(default_factory=list)

    @property
    def streams(self) -> bool:
        """Whether each document gives its result for itself, so that pages can follow the scan."""
        return not (self.order or self.aggregates or self.group or self.distinct or self.top or self.offset)
