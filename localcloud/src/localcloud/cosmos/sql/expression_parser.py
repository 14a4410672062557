"""The parser of a query's expressions."""

import inspect
import operator
import re

from localcloud.cosmos.errors import CosmosError
from localcloud.cosmos.sql.expressions import (
    Expression,
    added,
    array,
    combined,
    compared,
    constant,
    literal,
    member,
    negation,
)
from localcloud.cosmos.sql.query import Aggregate, Part, Query
from localcloud.cosmos.sql.tokens import END, Token, refusal, tokens_of, unquoted
from localcloud.cosmos.sql.values import AGGREGATES, COMPARISONS, FUNCTIONS, UNDEFINED, equal

CONSTANTS = {"TRUE": True, "FALSE": False, "NULL": None, "UNDEFINED": UNDEFINED}


class ExpressionParser:
    """Reads expressions from the rest of a query.

    Args:
        text: the query.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._rest = tokens_of(text)[::-1]
        self._end = 0
        self._query = Query()
        self._in_clauses = False

    def _part(self) -> Part:
        """Read an expression with its text."""
        start = self._next().start
        expression = self._expression()
        return Part(expression, self._text[start : self._end])

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
        compare = COMPARISONS.get(self._next().text)
        if compare:
            self._pop()
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
        while self._next().text in ("+", "-"):
            sign = 1 if self._pop().text == "+" else -1
            total = added(total, self._operand(), sign)
        return total

    def _operand(self) -> Expression:
        if self._take("("):
            inner = self._expression()
            self._need(")")
            return inner
        if self._take("-"):
            return added(lambda row: 0, self._operand(), -1)
        if self._next().text == "[":
            return array(self._list("[", "]"))
        if self._next().text == "{":
            return self._object()
        if not self._rest:
            self._refuse()
        return self._atom(self._pop())

    def _atom(self, token: Token) -> Expression:
        kind, text = token.kind, token.text
        if kind == "number":
            return constant(float(text) if re.search("[.eE]", text) else int(text))
        if kind == "text":
            return constant(unquoted(text))
        if kind == "parameter":
            return lambda row: row.parameters.get(text, UNDEFINED)
        if kind == "name" and text.upper() in CONSTANTS:
            return constant(CONSTANTS[text.upper()])
        if kind == "name" and self._next().text == "(":
            return self._call(token)
        if kind == "name" and text == self._query.root:
            return self._path()
        raise CosmosError(400, f"Identifier '{text}' could not be resolved.")

    def _call(self, token: Token) -> Expression:
        start = self._next().end
        arguments = self._arguments()
        name = token.text.upper()
        if name in AGGREGATES and len(arguments) == 1 and not self._in_clauses:
            argument = Part(arguments[0], self._text[start : self._end - 1].strip())
            self._query.aggregates.append(Aggregate(name, argument, (token.start, self._end)))
            place = len(self._query.aggregates) - 1
            return lambda row: row.aggregates[place]
        function = FUNCTIONS.get(name)
        if function is None:
            raise CosmosError(400, f"'{token.text}' is not a function that is known here.")
        try:
            inspect.signature(function).bind(*arguments)
        except TypeError as error:
            raise CosmosError(
                400, f"The function '{token.text}' takes another number of arguments."
            ) from error
        return lambda row: function(*(argument(row) for argument in arguments))

    def _arguments(self) -> list[Expression]:
        return self._list("(", ")")

    def _list(self, opening: str, closing: str) -> list[Expression]:
        self._need(opening)
        entries = [self._expression()]
        while self._take(","):
            entries.append(self._expression())
        self._need(closing)
        return entries

    def _object(self) -> Expression:
        self._need("{")
        members = [self._member()]
        while self._take(","):
            members.append(self._member())
        self._need("}")
        return literal(members)

    def _member(self) -> tuple[str, Expression]:
        if self._next().kind != "text":
            self._refuse()
        name = unquoted(self._pop().text)
        self._need(":")
        return name, self._expression()

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
        if self._next().kind not in ("number", "parameter"):
            self._refuse()
        return self._operand()

    def _name(self) -> str:
        if self._next().kind != "name":
            self._refuse()
        return self._pop().text

    def _next(self) -> Token:
        return self._rest[-1] if self._rest else END

    def _pop(self) -> Token:
        token = self._rest.pop()
        self._end = token.end
        return token

    def _take(self, word: str) -> bool:
        token = self._next()
        if token.kind in ("name", "sign") and token.text.upper() == word:
            self._pop()
            return True
        return False

    def _need(self, word: str) -> None:
        if not self._take(word):
            self._refuse()

    def _refuse(self) -> None:
        raise refusal(self._next().text)
