"""Settings models that are read from environment variables, and their faults in the words of a user.

Each field of a model is declared once, with the variable (its alias), the meaning (its description), the default and
the limits. A validator that a plain limit cannot replace raises ``ValueError`` with whole sentences, one per fault.
"""

import unicodedata
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, get_args

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from d2c.foreign_json import json_value, quoted

# The default of a field whose validator makes a value of an empty text; a default is validated like a text.
EMPTY: Any = ""
# Far more than any setting needs; Azure takes no longer ones in all.
MOST_CHARACTERS = 65_536


class SettingsGroup(BaseModel):
    """A part of the settings: values that belong together."""

    model_config = ConfigDict(frozen=True, validate_default=True)


class EnvironmentSource(PydanticBaseSettingsSource):
    """Reads the variables of a model and of the groups in it; an empty variable counts as missing.

    Args:
        model: the model.
        environment: names to texts, such as ``os.environ``.
    """

    def __init__(self, model: type[BaseSettings], environment: Mapping[str, str]) -> None:
        super().__init__(model)
        self._environment = environment

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return a field's value or None, the key that the model takes it by, and that it is not decoded here."""
        group = _group_of(field)
        if group:
            return self._values(group), field_name, False
        name = str(field.validation_alias)
        return self._environment.get(name) or None, name, False

    def __call__(self) -> dict[str, Any]:
        """Return all values."""
        return self._values(self.settings_cls)

    def _values(self, model: type[BaseModel]) -> dict[str, Any]:
        found = [self.get_field_value(field, name) for name, field in model.model_fields.items()]
        return {key: value for value, key, _ in found if value is not None}


def json_object(name: str, text: str) -> dict[str, Any]:
    """Return the JSON object in a variable's text.

    Raises:
        ValueError: with a sentence about the variable.
    """
    match json_value(text.encode(errors="surrogatepass"), name, 4 * MOST_CHARACTERS):
        case dict() as value:
            return value
    raise ValueError(f"{name} is not a JSON object")


def odd_texts(
    environment: Mapping[str, str], names: Iterable[str], many_lines: Container[str]
) -> Iterator[str]:
    """Yield what is wrong with the texts of variables, whatever they mean.

    Args:
        environment: names to texts.
        names: of the variables.
        many_lines: those among them that may have tabs and line breaks.
    """
    for name in names:
        text = environment.get(name) or ""
        if len(text) > MOST_CHARACTERS:
            yield f"{name} has {len(text):,} characters, and may have at most {MOST_CHARACTERS:,}"
        elif odd := _odd_character(text, "\t\r\n" if name in many_lines else ""):
            yield f"{name} has the character {odd!a}, which no setting has; remove it, at its end for instance"


def _odd_character(text: str, allowed: str) -> str | None:
    """Return the first control character, or what is not Unicode, such as a byte of another encoding."""
    return next(
        (one for one in text if unicodedata.category(one) in ("Cc", "Cs") and one not in allowed), None
    )


def fields_of(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """Return the variables of a model and of the groups in it, each with its field."""
    for field in model.model_fields.values():
        group = _group_of(field)
        if group:
            yield from fields_of(group)
        else:
            yield str(field.validation_alias), field


def faults_of(model: type[BaseModel], errors: list[ErrorDetails]) -> list[str]:
    """Return what is wrong with the variables: one sentence per fault, each naming its variable.

    Args:
        model: the model that was read.
        errors: pydantic's, of all fields.
    """
    fields = dict(fields_of(model))
    return [text for error in errors for text in _texts(error, fields)]


def _texts(error: ErrorDetails, fields: Mapping[str, FieldInfo]) -> tuple[str, ...]:
    raised = error.get("ctx", {}).get("error")
    if isinstance(raised, ValueError):
        return raised.args
    name = str(error["loc"][-1])
    if error["type"] == "missing":
        return (f"{name} is missing: {fields[name].description}",)
    return (f"{name} is {quoted(error['input'])}, not {_form(fields[name])}",)


def _form(field: FieldInfo) -> str:
    """Return which values a field takes: one of several, or a number between its limits."""
    least = next((limit.ge for limit in field.metadata if isinstance(limit, Ge)), None)
    largest = next((limit.le for limit in field.metadata if isinstance(limit, Le)), None)
    if least is None or largest is None:
        return f"one of {', '.join(get_args(field.annotation))}"
    return f"a {'whole ' if field.annotation is int else ''}number from {least} to {largest}"


def _group_of(field: FieldInfo) -> type[SettingsGroup] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, SettingsGroup) else None
