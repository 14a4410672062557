"""The words and signs of a query."""

import json
import re
from typing import NamedTuple

from localcloud.cosmos.errors import CosmosError

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<parameter>@\w+)|(?P<name>[A-Za-z_]\w*)
    |(?P<sign><=|>=|!=|<>|[-+*=<>().,:\[\]{}]))""",
    re.VERBOSE,
)


class Token(NamedTuple):
    """A word or a sign, and where it is in the text."""

    kind: str
    text: str
    start: int
    end: int


END = Token("", "", -1, -1)


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of a query in order.

    Raises:
        CosmosError: 400, at what is none.
    """
    tokens, position = [], 0
    text = text.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if not found or not found.lastgroup:
            raise refusal(text[position : position + 20].strip())
        tokens.append(Token(found.lastgroup, found[found.lastgroup], *found.span(found.lastgroup)))
        position = found.end()
    return tokens


def refusal(near: str | None) -> CosmosError:
    """Return the error about a syntax that is not understood."""
    return CosmosError(400, f"Syntax error, incorrect syntax near '{near or 'end of query'}'.")


def unquoted(text: str) -> str:
    """Return the value of a text literal.

    Raises:
        CosmosError: 400, if its escapes are wrong.
    """
    if text[0] == "'":
        text = '"' + text[1:-1].replace("\\'", "'").replace('"', '\\"') + '"'
    try:
        return str(json.loads(text, strict=False))
    except ValueError as error:
        raise refusal(text) from error
