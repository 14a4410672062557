"""The query language, as far as this service has it; everything else is an error, never all documents.

It has SELECT [DISTINCT] [TOP n] (* | VALUE expression | expressions), FROM one container, WHERE, GROUP BY, ORDER BY and
OFFSET LIMIT, with comparisons, AND, OR, NOT, IN, BETWEEN, + and -, arrays, objects, parameters, the functions of
`values.FUNCTIONS`, and aggregates. It has no JOIN and no subqueries.
"""

from typing import Any

from localcloud.cosmos.errors import CosmosError
from localcloud.cosmos.sql.expression_parser import ExpressionParser
from localcloud.cosmos.sql.query import Column, Order, Query
from localcloud.cosmos.sql.tokens import unquoted

CLAUSES = ("WHERE", "ORDER", "GROUP", "OFFSET", "JOIN", "IN")


def parse(text: Any) -> Query:
    """Parse a query.

    Raises:
        CosmosError: 400, with what is not understood or not supported.
    """
    if not isinstance(text, str):
        raise CosmosError(400, "The query is not a text.")
    return _Parser(text).query()


class _Parser(ExpressionParser):
    def query(self) -> Query:
        query = self._query
        self._need("SELECT")
        query.distinct = self._take("DISTINCT")
        if self._take("TOP"):
            query.top = self._number()
        columns_at = list(self._rest)
        self._skip_columns()
        self._source()
        clauses_at, self._rest = self._rest, columns_at
        self._columns()
        self._need("FROM")
        self._rest = clauses_at
        self._clauses()
        if self._rest:
            self._refuse()
        _check_aggregates(query)
        return query

    def _skip_columns(self) -> None:
        """Skip to FROM: its alias must be known before the columns are read."""
        while self._rest and self._next().text.upper() != "FROM":
            self._pop()

    def _source(self) -> None:
        start = self._next().start
        self._need("FROM")
        self._query.root = self._name()
        self._take("AS")
        if self._next().kind == "name" and self._next().text.upper() not in CLAUSES:
            self._query.root = self._name()
        self._query.source = self._text[start : self._end]

    def _columns(self) -> None:
        query = self._query
        if self._take("*"):
            return
        if self._take("VALUE"):
            query.kind, query.columns = "value", [self._column()]
            return
        query.kind = "list"
        while True:
            before = list(self._rest)
            column = self._column()
            name = self._name() if self._take("AS") else self._own_name(before, len(query.columns))
            query.columns.append(column._replace(name=name))
            if not self._take(","):
                return

    def _column(self) -> Column:
        start, known = self._next().start, len(self._query.aggregates)
        value = self._part()
        found = self._query.aggregates[known:]
        whole = next((each for each in found if each.span == (start, self._end)), None)
        return Column("", value, whole, bool(found))

    def _own_name(self, before: list[Any], place: int) -> str:
        """Return the name of a column without AS: of the property that its path ends with, or its place."""
        rest = len(self._rest)
        last, end = before[rest], before[rest : rest + 2]
        if last.text == "]" and len(end) > 1 and end[1].kind == "text":
            return unquoted(end[1].text)
        return str(last.text) if last.kind == "name" else f"${place + 1}"

    def _clauses(self) -> None:
        query = self._query
        self._in_clauses = True
        if self._take("WHERE"):
            query.where = self._part()
        if self._take("GROUP"):
            self._need("BY")
            query.group.append(self._part())
            while self._take(","):
                query.group.append(self._part())
        if self._take("ORDER"):
            self._need("BY")
            query.order.append(self._order())
            while self._take(","):
                query.order.append(self._order())
        if self._take("OFFSET"):
            query.offset = self._number()
            self._need("LIMIT")
            query.limit = self._number()

    def _order(self) -> Order:
        order = Order(self._part(), self._take("DESC"))
        self._take("ASC")
        return order


def _check_aggregates(query: Query) -> None:
    if query.group and query.order:
        raise CosmosError(400, "GROUP BY with ORDER BY is not supported.")
    if not (query.aggregates or query.group):
        return
    grouped = {part.text for part in query.group}
    # An array or object is what a query plan makes of columns that were checked.
    strange = [
        column.value.text
        for column in query.columns
        if not column.aggregates and column.value.text not in grouped and column.value.text[0] not in "[{"
    ]
    if query.kind == "*" or strange:
        raise CosmosError(
            400, f"The columns {', '.join(strange) or '*'} are neither aggregates nor in a GROUP BY clause."
        )
