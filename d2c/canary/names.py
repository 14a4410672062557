"""What a canary makes is known by its name, and a table by a tag besides: nothing else is ever removed."""

import re
import secrets
from dataclasses import dataclass

PREFIX = "d2c-canary-"
TAG = "d2c-canary"
RUN = re.compile(rf"{PREFIX}[0-9a-f]{{8}}")
VALUES, KEYS = "values", "keys"


@dataclass(frozen=True)
class Names:
    """The names of one canary: ``run`` is its migration, its database, and the beginning of its tables' names."""

    run: str

    def table(self, kind: str) -> str:
        """Return the name of one of its own tables."""
        return f"{self.run}-{kind}"

    @property
    def plan_file(self) -> str:
        """The path in the lake to which its plan is put as well."""
        return f"plans/{self.run}.json"


def new_names() -> Names:
    """Return names that no other canary has."""
    return Names(f"{PREFIX}{secrets.token_hex(4)}")


def run_of(text: str) -> str | None:
    """Return the canary whose name a text begins with, or None.

    Args:
        text: such as a table's name, or a part of a path.
    """
    found = RUN.match(text)
    return found[0] if found and text[found.end() : found.end() + 1] in ("", "-", "/", ".") else None
