"""Unique keys: values that no two documents of a logical partition share; fixed when a container is created.

https://learn.microsoft.com/azure/cosmos-db/unique-keys
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from localcloud.cosmos.errors import CosmosError
from localcloud.cosmos.storage import keys

MOST_KEYS = 10
MOST_PATHS = 16
# A document that is gone, by whatever way, holds no value.
SCHEMA = """
create table if not exists unique_values(
  container integer, key text, place integer, value text, id text,
  primary key(container, key, place, value)) without rowid;
create trigger if not exists release_unique_values after delete on documents begin
  delete from unique_values where container=old.container and key=old.key and id=old.id;
end;
"""

Json = dict[str, Any]


def paths_of(properties: Mapping[str, Any]) -> list[list[str]]:
    """Return the paths of each unique key of a container."""
    return [each["paths"] for each in (properties.get("uniqueKeyPolicy") or {}).get("uniqueKeys") or []]


def check_policy(policy: Any) -> None:
    """Refuse a policy that a container cannot have.

    Raises:
        CosmosError: 400.
    """
    unique = policy.get("uniqueKeys", []) if isinstance(policy, dict) else None
    if (
        not isinstance(unique, list)
        or len(unique) > MOST_KEYS
        or not all(isinstance(each, dict) and _are_paths(each.get("paths")) for each in unique)
    ):
        raise CosmosError(400, f"The unique key policy {policy} is invalid.")


class UniqueKeys:
    """The unique keys of one container.

    Args:
        connection: of the account's file.
        container: the container's number.
        paths: the paths of each unique key.
    """

    def __init__(self, connection: sqlite3.Connection, container: int, paths: list[list[str]]) -> None:
        self._connection = connection
        self._container = container
        self._paths = paths

    def hold(self, document: Json, key: str, is_there: Callable[[str, str], bool]) -> None:
        """Let a document hold its values instead of those that it held before.

        Args:
            document: the document to be stored.
            key: its partition key's canonical text.
            is_there: whether a key and an id have a document; one that expired has none.

        Raises:
            CosmosError: 409, if another document of the partition holds one of them.
        """
        for place, value in self._values(document):
            holder = self._holder(key, place, value)
            if holder not in (None, document["id"]) and is_there(key, str(holder)):
                raise CosmosError(409, "Unique index constraint violation.")
        self._connection.execute(
            "delete from unique_values where container=? and key=? and id=?",
            (self._container, key, document["id"]),
        )
        self._connection.executemany(
            "insert into unique_values values(?,?,?,?,?)",
            [(self._container, key, *each, document["id"]) for each in self._values(document)],
        )

    def _holder(self, key: str, place: int, value: str) -> str | None:
        row = self._connection.execute(
            "select id from unique_values where container=? and key=? and place=? and value=?",
            (self._container, key, place, value),
        ).fetchone()
        return str(row[0]) if row else None

    def _values(self, document: Json) -> Iterator[tuple[int, str]]:
        """Yield the place and the value of each unique key; what a document lacks counts as a value."""
        for place, paths in enumerate(self._paths):
            yield place, json.dumps([keys.value_at(document, keys.path_parts(path)) for path in paths])


def _are_paths(paths: Any) -> bool:
    return isinstance(paths, list) and 0 < len(paths) <= MOST_PATHS and all(map(keys.is_path, paths))
