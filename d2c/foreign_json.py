"""The one door for JSON text that others wrote: plans, rules, bodies of requests, settings.

Whatever the text, it takes time and memory in proportion to its size, and a value that passes is plain JSON: no field
occurs twice, no number is infinite or longer than 64 bits, and text can be written as UTF-8.
"""

import codecs
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any

MOST_LEVELS = 64
MOST_QUOTED = 100
MOST_NUMBER_CHARACTERS = 100
MOST_INTEGER = 2**63 - 1

Pairs = list[tuple[str, Any]]
# What holds a value, and the value's name or number in it.
_Place = tuple[Any, str | int] | None
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_ALL_BUT_BRACKETS = bytes(set(range(256)) - _STEPS.keys())


class ForeignJsonError(ValueError):
    """A text that is not the JSON that was asked for.

    Args:
        faults: one text per fault, each naming the text.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(self.faults))


def json_value(content: bytes, what: str, most_bytes: int) -> Any:
    """Return the value of JSON text.

    Args:
        content: UTF-8, with or without a byte order mark.
        what: the name of the text in messages, such as ``the plan``.
        most_bytes: the size up to which it is read.

    Raises:
        ForeignJsonError: if it is too large, of another encoding, not JSON (RFC 8259), nested too deep, has a field
            twice, or a number that not every reader takes.
    """
    if len(content) > most_bytes:
        raise ForeignJsonError([f"{what} has {len(content):,} bytes, and may have at most {most_bytes:,}"])
    text = _decoded(content, what)
    if _levels(content) > MOST_LEVELS:
        raise ForeignJsonError([f"{what} is nested more than {MOST_LEVELS} levels deep"])
    value, twice = _parsed(text, what)
    if twice:
        raise ForeignJsonError(list(_faults_of_twice(value, twice, what)))
    return value


def quoted(value: Any) -> str:
    """Return foreign input as messages quote it: its Python form, cut to some hundred characters."""
    if isinstance(value, str) and len(value) > MOST_QUOTED:
        return f"{value[:MOST_QUOTED]!r}... ({len(value):,} characters)"
    text = repr(value)
    return text if len(text) <= MOST_QUOTED or isinstance(value, str) else f"{text[:MOST_QUOTED]}..."


def _decoded(content: bytes, what: str) -> str:
    encoding = json.detect_encoding(content)
    if not encoding.startswith("utf-8"):
        name = encoding[:6].upper()
        raise ForeignJsonError([f"{what} is {name}, not UTF-8; save it as UTF-8"])
    try:
        return content.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        place = f"the byte {content[error.start]:#04x} at {error.start:,}"
        raise ForeignJsonError([f"{what} is not UTF-8 ({place}); save it as UTF-8"]) from None


def _levels(content: bytes) -> int:
    """Return how deep the brackets outside of texts are nested, for a text that is JSON up to its first fault."""
    pieces = content.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')
    brackets = b"".join(pieces[::2]).translate(None, _ALL_BUT_BRACKETS)
    return max(accumulate(_STEPS[bracket] for bracket in brackets), default=0)


def _parsed(text: str, what: str) -> tuple[Any, list[tuple[dict[str, Any], list[str]]]]:
    """Return the value, and the objects in it that have a field twice, with these fields."""
    twice: list[tuple[dict[str, Any], list[str]]] = []

    def unique(pairs: Pairs) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            counts = Counter(name for name, _ in pairs)
            twice.append((found, [name for name, count in counts.items() if count > 1]))
        return found

    try:
        value = json.loads(
            text,
            object_pairs_hook=unique,
            parse_int=_bounded(int),
            parse_float=_bounded(float),
            parse_constant=_refuse_constant,
        )
        if "\\u" in text:
            # An escape may be half a surrogate pair, which has no form in UTF-8.
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ForeignJsonError([f"{what} is not JSON: {error.msg} ({place})"]) from None
    except UnicodeEncodeError:
        raise ForeignJsonError([f"{what} has half a surrogate pair in a text, such as \\ud800"]) from None
    except ValueError as error:
        raise ForeignJsonError([f"{what} has {error}"]) from None
    return value, twice


def _bounded(convert: Callable[[str], int | float]) -> Callable[[str], int | float]:
    def number(text: str) -> int | float:
        value = convert(text) if len(text) <= MOST_NUMBER_CHARACTERS else math.inf
        if math.isinf(value) or (isinstance(value, int) and abs(value) > MOST_INTEGER):
            raise ValueError(f"the number {text[:MOST_QUOTED]}, which is too large; write it as text")
        return value

    return number


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name}, which is not JSON")


def _faults_of_twice(
    value: Any, twice: Sequence[tuple[dict[str, Any], list[str]]], what: str
) -> Iterator[str]:
    places = _places_of([found for found, _ in twice], value)
    for found, names in twice:
        where = places.get(id(found)) or what
        yield from (f"{where}: the field {quoted(name)} occurs twice; keep one" for name in names)


def _places_of(wanted: Sequence[dict[str, Any]], value: Any) -> dict[int, str]:
    """Return the places of objects in a value, such as ``tables.0.rules``; none for one in a field that is lost."""
    ids, places = {id(each) for each in wanted}, {}
    stack: list[tuple[_Place, Any]] = [(None, value)]
    while stack:
        place, each = stack.pop()
        if id(each) in ids:
            places[id(each)] = ".".join(_names(place))
        members = (
            each.items() if isinstance(each, dict) else enumerate(each) if isinstance(each, list) else ()
        )
        stack += [((place, name), inner) for name, inner in members if isinstance(inner, dict | list)]
    return places


def _names(place: _Place) -> list[str]:
    names: list[str] = []
    while place is not None:
        place, name = place
        names.insert(0, str(name)[:MOST_QUOTED])
    return names
