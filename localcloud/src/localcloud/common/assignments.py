"""Roles as they are assigned in Azure, and what services remember of the calls that they held to them."""

from fnmatch import fnmatchcase
from typing import Any, NamedTuple

ANYWHERE = "/"


class Assignment(NamedTuple):
    """A role's actions, and where a principal has them: on a resource and what is below it; ``/`` is everywhere."""

    object_id: str
    actions: tuple[str, ...]
    scope: str

    def allows(self, object_id: str, action: str, resource: str) -> bool:
        """Return whether it lets a principal do something to a resource; actions know no upper case."""
        below = self.scope == ANYWHERE or f"{resource}/".startswith(f"{self.scope}/")
        patterns = (fnmatchcase(action.lower(), each.lower()) for each in self.actions)
        return object_id == self.object_id and below and any(patterns)


def remember(asked: list[dict[str, Any]], **entry: Any) -> None:
    """Keep what a caller asked for, once."""
    if entry not in asked:
        asked.append(entry)
