"""The query parameters of calls: what the OpenAPI document says of each is what a value is held to."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from d2c.errors import RefusedError
from d2c.foreign_json import quoted

Schema = dict[str, Any]

MOST_DIGITS = 9
FLAGS = {"true": True, "false": False}
# What `next` looks like where a page of tables, or of rejected items, begins.
PLACE_OF_TABLE = r"^[0-9]{1,9}$"
PLACE_OF_REJECTED = r"^[A-Za-z0-9_=-]{1,2048}$"


class Parameter(NamedTuple):
    """An optional query parameter of a call.

    Args:
        name: its name.
        description: its text in the document.
        schema: the schema of its value, with its default if it has one.
        meaning: what to give instead of a value that does not fit.
    """

    name: str
    description: str
    schema: Schema
    meaning: str

    def read(self, text: str | None) -> Any:
        """Return the value, or the default where it is left out.

        Raises:
            RefusedError: if the schema does not allow it.
        """
        value = (
            self.schema.get("default") if text is None else READERS[self.schema["type"]](self.schema, text)
        )
        if text is not None and value is None:
            raise RefusedError(f"{self.name} is {quoted(text)}.", f"Give {self.meaning}.")
        return value


def _whole(schema: Schema, text: str) -> int | None:
    is_number = len(text) <= MOST_DIGITS and text.isascii() and text.isdecimal()
    return int(text) if is_number and schema["minimum"] <= int(text) <= schema["maximum"] else None


def _text(schema: Schema, text: str) -> str | None:
    fits = text in schema["enum"] if "enum" in schema else re.fullmatch(schema["pattern"], text)
    return text if fits else None


READERS: Mapping[str, Callable[[Schema, str], Any]] = {
    "integer": _whole,
    "boolean": lambda _, text: FLAGS.get(text.lower()),
    "string": _text,
}


def whole_number(name: str, description: str, least: int, most: int, default: int) -> Parameter:
    """Return a parameter that is a whole number from one to another."""
    schema = {"type": "integer", "minimum": least, "maximum": most, "default": default}
    return Parameter(name, description, schema, f"a whole number from {least} to {most}")


def flag(name: str, description: str) -> Parameter:
    """Return a parameter that is true or false, false where it is left out."""
    return Parameter(name, description, {"type": "boolean", "default": False}, "true or false")


def choice(name: str, description: str, values: Sequence[str]) -> Parameter:
    """Return a parameter that is one of some words."""
    return Parameter(
        name, description, {"type": "string", "enum": list(values)}, f"one of {', '.join(values)}"
    )


def name_like(name: str, description: str, pattern: str, meaning: str) -> Parameter:
    """Return a parameter that is a text of some form, which a pattern bounds in length too."""
    return Parameter(name, description, {"type": "string", "pattern": pattern}, meaning)


def page_of(most: int, default: int, token: str) -> tuple[Parameter, Parameter]:
    """Return the parameters of a page.

    Args:
        most: entries of a page.
        default: the usual number of them.
        token: the pattern of what `next` of a page looks like.
    """
    return (
        whole_number("top", "Maximum number of entries on a page.", 1, most, default),
        name_like(
            "token",
            "The `next` of the previous page.",
            token,
            "the `next` of the page before, or leave it out",
        ),
    )
