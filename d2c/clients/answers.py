"""What services answer, before it becomes a value: cut, and refused where it is not of the documented form."""

from typing import Any, TypeVar

from d2c.errors import TransientError
from d2c.field_types import wrong_fields
from d2c.foreign_json import quoted

Dataclass = TypeVar("Dataclass")
MOST_TEXT_CHARACTERS = 2_000
# What reading an answer raises that has another form.
ODD_ANSWER = (AttributeError, LookupError, TypeError, ValueError, OverflowError, RuntimeError)


def text_of(value: Any) -> str:
    """Return a text on one line, cut to what somebody reads; empty for none."""
    text = " ".join(str(value or "")[: 2 * MOST_TEXT_CHARACTERS].split())
    return text if len(text) <= MOST_TEXT_CHARACTERS else f"{text[:MOST_TEXT_CHARACTERS]}..."


def name_of(value: Any) -> str:
    """Return a name or an id, by which a service is asked again.

    Raises:
        TypeError: if it is none.
    """
    if type(value) is not str or len(value) > MOST_TEXT_CHARACTERS:
        raise TypeError(f"a name is {quoted(value)}")
    return value


def count_of(value: Any) -> int:
    """Return a number of things; 0 for what is none."""
    return value if type(value) is int and 0 <= value < 2**63 else 0


def typed(value: Dataclass) -> Dataclass:
    """Return a client's value, whose fields have the types that they declare.

    Args:
        value: a dataclass, made of what a service answered.

    Raises:
        TypeError: if a field has another type.
    """
    for name in wrong_fields(value):
        raise TypeError(f"{name} is {quoted(getattr(value, name))}")
    return value


def odd_answer(thing: str, error: Exception) -> TransientError:
    """Return the error for an answer of another form than the documented one.

    Args:
        thing: the subject of the call.
        error: what reading it raised.
    """
    return TransientError(
        f"{thing}: the answer has an unknown form ({type(error).__name__}: {quoted(str(error))}).",
        "Retrying. If it keeps failing, check the endpoint, and report it with the app's log.",
    )
