"""The databases, tables and accounts that the app may touch, whoever writes the plans."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field, PlainValidator, ValidationInfo

from d2c.app.environment import EMPTY, SettingsGroup
from d2c.errors import listed
from d2c.foreign_json import MOST_QUOTED, quoted

LIMITS = {
    "database": ("D2C_ALLOWED_DATABASES", "name another one"),
    "table": ("D2C_ALLOWED_TABLES", "leave it out"),
    "account": ("D2C_ALLOWED_ACCOUNTS", "leave its tables out"),
}
"""The fields of a table that are limited: each one's setting, and what a plan can do about it."""


def _names(text: str, info: ValidationInfo) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",")) if text else ()
    for name in names:
        if not name or "*" in name[:-1]:
            setting, _ = LIMITS[str(info.field_name)[:-1]]
            raise ValueError(
                f"{setting} has {quoted(name)}, not a name or the beginning of names with one * at its end; separate "
                "them by commas"
            )
    return names


Names = Annotated[tuple[str, ...], PlainValidator(_names)]


class AllowedSettings(SettingsGroup):
    """The names that a table may have: whole ones, and beginnings with a ``*``; all names where there are none."""

    databases: Names = Field(EMPTY, validation_alias="D2C_ALLOWED_DATABASES")
    tables: Names = Field(EMPTY, validation_alias="D2C_ALLOWED_TABLES")
    accounts: Names = Field(EMPTY, validation_alias="D2C_ALLOWED_ACCOUNTS")

    def faults(self, table: Mapping[str, Any]) -> Iterator[str]:
        """Yield why the app may not touch a table or its database; nothing if it may.

        Args:
            table: ``table``, ``database`` and ``account``: None for one that is not judged, an empty account for one
                that nobody knows.
        """
        for field, (setting, next_step) in LIMITS.items():
            allowed: tuple[str, ...] = getattr(self, f"{field}s")
            name = table[field]
            if allowed and name is not None and not any(_matches(name, each) for each in allowed):
                first = listed([each[:MOST_QUOTED] for each in allowed])
                yield (
                    f"{field}: the app may touch only those of {setting} ({first}), not "
                    f"{name or 'an unknown one'}; {next_step}, or ask the administrator of the app to allow it"
                )


def _matches(name: str, allowed: str) -> bool:
    return name.startswith(allowed[:-1]) if allowed.endswith("*") else name == allowed
