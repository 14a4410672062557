"""The query language, as far as this service has it; everything else is an error, never all documents.

It has SELECT [DISTINCT] [TOP n] (* | VALUE expression | expressions), FROM one container, WHERE, ORDER BY and OFFSET
LIMIT, with comparisons, AND, OR, NOT, IN, BETWEEN, + and -, parameters, the functions of `values.FUNCTIONS`, and
aggregates without GROUP BY. It has no JOIN, no GROUP BY and no subqueries.
"""

import inspect
import json
import operator
import re
from dataclasses import dataclass, field
from typing import Any, Literal

from localcloud.cosmos.errors import CosmosError
from localcloud.cosmos.sql.expressions import (
    Expression,
    added,
    combined,
    compared,
    constant,
    member,
    negation,
)
from localcloud.cosmos.sql.values import AGGREGATES, COMPARISONS, FUNCTIONS, UNDEFINED, equal

CLAUSES = ("WHERE", "ORDER", "GROUP", "OFFSET", "JOIN", "IN")
CONSTANTS = {"TRUE": True, "FALSE": False, "NULL": None, "UNDEFINED": UNDEFINED}
_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<parameter>@\w+)|(?P<name>[A-Za-z_]\w*)
    |(?P<sign><=|>=|!=|<>|[-+*=<>().,\[\]]))""",
    re.VERBOSE,
)


@dataclass
class Query:
    """A parsed query."""

    kind: Literal["*", "value", "list"] = "*"
    columns: list[tuple[str, Expression]] = field(default_factory=list)
    root: str = "c"
    distinct: bool = False
    top: Expression | None = None
    where: Expression | None = None
    order: list[tuple[Expression, bool]] = field(default_factory=list)
    offset: Expression | None = None
    limit: Expression | None = None
    aggregates: list[tuple[str, Expression]] = field(default_factory=list)

    @property
    def streams(self) -> bool:
        """Whether each document gives its result for itself, so that pages can follow the scan."""
        return not (self.order or self.aggregates or self.distinct or self.top or self.offset)


def parse(text: Any) -> Query:
    """Parse a query.

    Raises:
        CosmosError: 400, with what is not understood or not supported.
    """
    if not isinstance(text, str):
        raise CosmosError(400, "The query is not a text.")
    return _Parser(text).query()


def _refusal(near: str | None) -> CosmosError:
    return CosmosError(400, f"Syntax error, incorrect syntax near '{near or 'end of query'}'.")


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, position = [], 0
    text = text.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if not found or not found.lastgroup:
            raise _refusal(text[position : position + 20].strip())
        tokens.append((found.lastgroup, found[found.lastgroup]))
        position = found.end()
    return tokens


class _Parser:
    def __init__(self, text: str) -> None:
        self._rest = _tokens(text)[::-1]
        self._query = Query()
        self._in_clauses = False

    def query(self) -> Query:
        query = self._query
        self._need("SELECT")
        query.distinct = self._take("DISTINCT")
        if self._take("TOP"):
            query.top = self._number()
        columns_at = list(self._rest)
        self._skip_columns()
        self._need("FROM")
        query.root = self._name()
        self._take("AS")
        if self._next()[0] == "name" and self._next()[1].upper() not in CLAUSES:
            query.root = self._name()
        clauses_at, self._rest = self._rest, columns_at
        self._columns()
        self._need("FROM")
        self._rest = clauses_at
        self._clauses()
        if self._rest:
            self._refuse()
        if query.aggregates and (query.kind == "*" or len(query.columns) > len(query.aggregates)):
            raise CosmosError(
                400, "Aggregates beside other columns need GROUP BY, which is not supported here."
            )
        return query

    def _skip_columns(self) -> None:
        """Skip to FROM: its alias must be known before the columns are read."""
        while self._rest and self._next()[1].upper() != "FROM":
            self._rest.pop()

    def _columns(self) -> None:
        query = self._query
        if self._take("*"):
            return
        if self._take("VALUE"):
            query.kind, query.columns = "value", [("", self._expression())]
            return
        query.kind = "list"
        while True:
            before = list(self._rest)
            expression = self._expression()
            last, end = before[len(self._rest)], before[len(self._rest) : len(self._rest) + 2]
            if last[1] == "]" and end[1][0] == "text":
                last = ("name", _unquoted(end[1][1]))
            name = last[1] if last[0] == "name" else f"${len(query.columns) + 1}"
            query.columns.append((self._name() if self._take("AS") else name, expression))
            if not self._take(","):
                return

    def _clauses(self) -> None:
        query = self._query
        self._in_clauses = True
        if self._take("WHERE"):
            query.where = self._expression()
        if self._take("ORDER"):
            self._need("BY")
            while True:
                expression = self._expression()
                query.order.append((expression, self._take("DESC")))
                self._take("ASC")
                if not self._take(","):
                    break
        if self._take("OFFSET"):
            query.offset = self._number()
            self._need("LIMIT")
            query.limit = self._number()

    def _expression(self) -> Expression:
        parts = [self._conjunction()]
        while self._take("OR"):
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else combined(parts, True)

    def _conjunction(self) -> Expression:
        parts = [self._negation()]
        while self._take("AND"):
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else combined(parts, False)

    def _negation(self) -> Expression:
        if not self._take("NOT"):
            return self._comparison()
        return negation(self._negation())

    def _comparison(self) -> Expression:
        left = self._sum()
        compare = COMPARISONS.get(self._next()[1])
        if compare:
            self._rest.pop()
            return compared(compare, left, self._sum())
        negated = self._take("NOT")
        if self._take("IN"):
            choices = self._arguments()
            found = combined([compared(equal, left, choice) for choice in choices], True)
            return negation(found) if negated else found
        if self._take("BETWEEN"):
            low = self._sum()
            self._need("AND")
            high = self._sum()
            least, most = COMPARISONS[">="], COMPARISONS["<="]
            found = combined([compared(least, left, low), compared(most, left, high)], False)
            return negation(found) if negated else found
        if negated:
            self._refuse()
        return left

    def _sum(self) -> Expression:
        total = self._operand()
        while self._next()[1] in ("+", "-"):
            sign = 1 if self._rest.pop()[1] == "+" else -1
            total = added(total, self._operand(), sign)
        return total

    def _operand(self) -> Expression:
        if self._take("("):
            inner = self._expression()
            self._need(")")
            return inner
        if self._take("-"):
            return added(lambda row: 0, self._operand(), -1)
        if not self._rest:
            self._refuse()
        kind, text = self._rest.pop()
        if kind == "number":
            return constant(float(text) if re.search("[.eE]", text) else int(text))
        if kind == "text":
            return constant(_unquoted(text))
        if kind == "parameter":
            return lambda row: row.parameters.get(text, UNDEFINED)
        if kind == "name" and text.upper() in CONSTANTS:
            return constant(CONSTANTS[text.upper()])
        if kind == "name" and self._next()[1] == "(":
            return self._call(text)
        if kind == "name" and text == self._query.root:
            return self._path()
        raise CosmosError(400, f"Identifier '{text}' could not be resolved.")

    def _call(self, name: str) -> Expression:
        arguments = self._arguments()
        if name.upper() in AGGREGATES and len(arguments) == 1 and not self._in_clauses:
            self._query.aggregates.append((name.upper(), arguments[0]))
            place = len(self._query.aggregates) - 1
            return lambda row: row.aggregates[place]
        function = FUNCTIONS.get(name.upper())
        if function is None:
            raise CosmosError(400, f"'{name}' is not a function that is known here.")
        try:
            inspect.signature(function).bind(*arguments)
        except TypeError as error:
            raise CosmosError(400, f"The function '{name}' takes another number of arguments.") from error
        return lambda row: function(*(argument(row) for argument in arguments))

    def _arguments(self) -> list[Expression]:
        self._need("(")
        arguments = [self._expression()]
        while self._take(","):
            arguments.append(self._expression())
        self._need(")")
        return arguments

    def _path(self) -> Expression:
        value: Expression = operator.attrgetter("document")
        while True:
            if self._take("."):
                value = member(value, constant(self._name()))
            elif self._take("["):
                value = member(value, self._expression())
                self._need("]")
            else:
                return value

    def _number(self) -> Expression:
        if self._next()[0] not in ("number", "parameter"):
            self._refuse()
        return self._operand()

    def _name(self) -> str:
        if self._next()[0] != "name":
            self._refuse()
        return self._rest.pop()[1]

    def _next(self) -> tuple[str, str]:
        return self._rest[-1] if self._rest else ("", "")

    def _take(self, word: str) -> bool:
        kind, text = self._next()
        if kind in ("name", "sign") and text.upper() == word:
            self._rest.pop()
            return True
        return False

    def _need(self, word: str) -> None:
        if not self._take(word):
            self._refuse()

    def _refuse(self) -> None:
        raise _refusal(self._next()[1])


def _unquoted(text: str) -> str:
    if text[0] == "'":
        text = '"' + text[1:-1].replace("\\'", "'").replace('"', '\\"') + '"'
    try:
        return str(json.loads(text, strict=False))
    except ValueError as error:
        raise _refusal(text) from error
