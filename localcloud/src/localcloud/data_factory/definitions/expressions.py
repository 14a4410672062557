"""The expressions of Data Factory that the local one understands; anything else is refused by name.

```
@pipeline().parameters.x  @pipeline().globalParameters.x  @pipeline().RunId  @dataset().x  @linkedService().x
@concat('a', dataset().x)  @greater(pipeline().parameters.x, 0)  text with @{...} within  @@ for a leading @
```
https://learn.microsoft.com/azure/data-factory/control-flow-expression-language-functions
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

SCOPES = ("pipeline", "dataset", "linkedService")
TOKEN = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_]\w*)|(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)|(?P<sign>[().,]))"
)

CLOSING_BRACE = re.compile(r"\s*}")


def _concat(*values: Any) -> str:
    return "".join(map(str, values))


FUNCTIONS: Mapping[str, Callable[..., Any]] = {"concat": _concat, "greater": operator.gt}


class ExpressionError(Exception):
    """An expression that is not supported here, or that names what is not there."""


@dataclass(frozen=True)
class Reference:
    """A property of a scope, such as ``pipeline().parameters.x``."""

    scope: str
    path: tuple[str, ...]


@dataclass(frozen=True)
class FunctionCall:
    """A function of `FUNCTIONS` with its arguments."""

    name: str
    arguments: "tuple[Node, ...]"


Node = str | int | Reference | FunctionCall


def parse(text: str) -> Node:
    """Return the syntax tree of a text of a definition.

    Raises:
        ExpressionError: if it is not supported here.
    """
    if text.startswith("@@"):
        return text[1:]
    if text.startswith("@") and not text.startswith("@{"):
        return _Parser(text[1:], text).whole()
    if "@{" not in text:
        return text
    return FunctionCall("concat", tuple(_template(text)))


def references(node: Node) -> Iterator[Reference]:
    """Return all references of a syntax tree."""
    if isinstance(node, Reference):
        yield node
    elif isinstance(node, FunctionCall):
        for argument in node.arguments:
            yield from references(argument)


def evaluate(node: Node, scopes: Mapping[str, Mapping[str, Any]]) -> Any:
    """Return the value of a syntax tree.

    Args:
        node: from `parse`.
        scopes: what ``pipeline()``, ``dataset()`` or ``linkedService()`` stand for here.

    Raises:
        ExpressionError: if a scope or property is not there.
    """
    if isinstance(node, FunctionCall):
        return _called(node, [evaluate(argument, scopes) for argument in node.arguments])
    if not isinstance(node, Reference):
        return node
    if node.scope not in scopes:
        raise ExpressionError(f"{node.scope}() cannot be used here, only {', '.join(scopes)}().")
    value: Any = scopes[node.scope]
    for name in node.path:
        if not isinstance(value, Mapping) or name not in value:
            available = ", ".join(value) if isinstance(value, Mapping) else "none"
            raise ExpressionError(
                f"The expression '{node.scope}().{'.'.join(node.path)}' cannot be evaluated because property "
                f"'{name}' doesn't exist, available properties are '{available}'."
            )
        value = value[name]
    return value


def _called(call: FunctionCall, values: list[Any]) -> Any:
    try:
        return FUNCTIONS[call.name](*values)
    except TypeError as error:
        shown = ", ".join(map(repr, values))
        raise ExpressionError(f"The function '{call.name}' does not take {shown}.") from error


def resolve(value: Any, scopes: Mapping[str, Mapping[str, Any]]) -> Any:
    """Return a part of a definition with every expression within evaluated.

    Raises:
        ExpressionError: as `parse` and `evaluate` do.
    """
    if isinstance(value, str):
        return evaluate(parse(value), scopes)
    if isinstance(value, dict):
        if value.get("type") == "Expression" and set(value) == {"type", "value"}:
            return evaluate(parse(value["value"]), scopes)
        return {name: resolve(member, scopes) for name, member in value.items()}
    if isinstance(value, list):
        return [resolve(member, scopes) for member in value]
    return value


def _template(text: str) -> Iterator[Node]:
    """Split a text with ``@{...}`` into its parts."""
    at = 0
    while (start := text.find("@{", at)) >= 0:
        if text[at:start]:
            yield text[at:start]
        parser = _Parser(text[start + 2 :], text)
        yield parser.expression()
        end = CLOSING_BRACE.match(text, start + 2 + parser.position)
        if not end:
            raise ExpressionError(f"The expression {text!r} lacks a closing brace after position {start}.")
        at = end.end()
    if text[at:]:
        yield text[at:]


class _Parser:
    """Reads one expression from the beginning of a text."""

    def __init__(self, text: str, whole_text: str) -> None:
        self._text = text
        self._whole_text = whole_text
        self.position = 0

    def whole(self) -> Node:
        node = self.expression()
        if self._text[self.position :].strip():
            raise self._error(f"does not end at position {self.position + 1}")
        return node

    def expression(self) -> Node:
        found = self._take("a value")
        if found["text"] is not None:
            return str(found["text"][1:-1].replace("''", "'"))
        if found["number"] is not None:
            return int(found["number"])
        if found["name"] is None:
            raise self._error(f"has {found['sign']!r} where a value should be")
        return self._call(found["name"])

    def _call(self, name: str) -> Node:
        self._expect("(")
        if name in FUNCTIONS:
            return FunctionCall(name, tuple(self._arguments()))
        if name not in SCOPES:
            raise self._error(f"uses the function '{name}', which the local Data Factory does not support")
        self._expect(")")
        path = []
        while self._peek("."):
            self._expect(".")
            found = self._take("a property's name")
            if found["name"] is None:
                raise self._error("lacks the name of a property after a dot")
            path.append(found["name"])
        if not path:
            raise self._error(f"uses {name}() without a property")
        return Reference(name, tuple(path))

    def _arguments(self) -> Iterator[Node]:
        yield self.expression()
        while self._peek(","):
            self._expect(",")
            yield self.expression()
        self._expect(")")

    def _peek(self, sign: str) -> bool:
        found = TOKEN.match(self._text, self.position)
        return bool(found and found["sign"] == sign)

    def _expect(self, sign: str) -> None:
        if self._take(repr(sign))["sign"] != sign:
            raise self._error(f"lacks {sign!r} at position {self.position}")

    def _take(self, wanted: str) -> re.Match[str]:
        found = TOKEN.match(self._text, self.position)
        if not found:
            raise self._error(f"lacks {wanted} at {self._text[self.position :]!r}")
        self.position = found.end()
        return found

    def _error(self, fault: str) -> ExpressionError:
        return ExpressionError(f"The expression {self._whole_text!r} {fault}.")
