"""Conditions of role assignments, in the forms that ``infra/roles.json`` has them; any other form is refused.

https://learn.microsoft.com/azure/role-based-access-control/conditions-format
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
# The path of the blob, and what the names in a listing begin with.
# https://learn.microsoft.com/azure/storage/blobs/storage-auth-abac-attributes
PATH, PREFIX = f"@Resource[{BLOBS}:path]", f"@Request[{BLOBS}:prefix]"
TOKEN = re.compile(r"\s*(@\w+\[[^\]]*\]|\w+\{'[^']*'\}|'[^']*'|[()!]|\w+)")


class ConditionError(Exception):
    """A condition has a form that is not known here; the text quotes it."""


@dataclass(frozen=True)
class Asked:
    """What is to be allowed.

    Attributes:
        action: such as ``…/blobs/read``.
        suboperation: ``Blob.List`` of a listing, empty otherwise.
        path: of the blob, or None.
        prefix: of a listing, or None.
    """

    action: str
    suboperation: str = ""
    path: str | None = None
    prefix: str | None = None


Test = Callable[[Asked], bool]


def parse(text: str) -> Test:
    """Return what tells whether a condition holds.

    Raises:
        ConditionError: if it has a form that is not known here.
    """
    tokens = _Tokens(text)
    test = _expression(tokens)
    tokens.expect("")
    return test


class _Tokens:
    """The words of a condition, one after another; an empty one is the end."""

    def __init__(self, text: str) -> None:
        self._words = _words(text)
        self.next = next(self._words, "")

    def take(self) -> str:
        taken, self.next = self.next, next(self._words, "")
        return taken

    def expect(self, word: str) -> None:
        if self.take() != word:
            raise ConditionError(f"A condition has no {word or 'end'} where one belongs.")


def _words(text: str) -> Iterator[str]:
    position, end = 0, len(text.rstrip())
    while position < end:
        found = TOKEN.match(text, position)
        if found is None:
            raise ConditionError(f"A condition goes on with {text[position : position + 40]!r}.")
        yield found[1]
        position = found.end()


def _expression(tokens: _Tokens) -> Test:
    """Read operands with one word between them: which of two words goes first need not be known."""
    operands = [_operand(tokens)]
    word = tokens.next
    while word in ("AND", "OR") and tokens.next == word:
        tokens.take()
        operands.append(_operand(tokens))
    if tokens.next in ("AND", "OR"):
        raise ConditionError("A condition has AND beside OR: put one of them into parentheses.")
    together = any if word == "OR" else all
    return lambda asked: together(operand(asked) for operand in operands)


def _operand(tokens: _Tokens) -> Test:
    word = tokens.take()
    if word in ("!", "NOT"):
        denied = _operand(tokens)
        return lambda asked: not denied(asked)
    if word == "(":
        inner = _expression(tokens)
        tokens.expect(")")
        return inner
    return _comparison(word, tokens)


def _comparison(word: str, tokens: _Tokens) -> Test:
    name, _, rest = word.partition("{")
    named = rest.removesuffix("}").strip("'").lower()
    if name == "ActionMatches":
        return lambda asked: asked.action.lower() == named
    if name == "SubOperationMatches":
        return lambda asked: asked.suboperation.lower() == named
    return _attribute(word, tokens.take(), tokens.take())


def _attribute(attribute: str, operator: str, value: str) -> Test:
    """Return a comparison of the path or the prefix; what a call does not have equals nothing."""
    pattern, text = _pattern(operator, value), {PATH: _path, PREFIX: _prefix}.get(attribute)
    if text is None:
        raise ConditionError(f"A condition asks for {attribute or 'nothing'!r}, which is not known here.")
    return lambda asked: (found := text(asked)) is not None and pattern.match(found) is not None


def _path(asked: Asked) -> str | None:
    return asked.path


def _prefix(asked: Asked) -> str | None:
    return asked.prefix


def _pattern(operator: str, value: str) -> re.Pattern[str]:
    """Return what an operator and its value mean: ``*`` in a likeness is any text, ``?`` one character."""
    wanted = re.escape(value.strip("'"))
    if operator == "StringStartsWith":
        return re.compile(wanted)
    if operator == "StringLike" and "\\\\" not in wanted:
        return re.compile(wanted.replace(r"\*", ".*").replace(r"\?", ".") + r"\Z", re.DOTALL)
    raise ConditionError(f"A condition compares by {operator} {value}, which is not known here.")
