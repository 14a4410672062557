"""What the management plane of Cosmos DB remembers: operations, updates of throughput, and throughput to come."""

import json
import sqlite3
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMA = """
create table if not exists operations(id text primary key, resource text, error text, ends real);
create table if not exists scaling(container text primary key, content text, due real);
create table if not exists updates(at real);
"""

Json = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """A long-running operation: the path of its resource, its error or None, and when it ends in epoch seconds."""

    resource: str
    error: Json | None
    ends: float


@dataclass(frozen=True)
class Scaling:
    """A container's throughput to come: its ``_rid``, the offer's content, and when it is due in epoch seconds."""

    container: str
    content: Json
    due: float


class ManagementStore:
    """The file, used by one thread.

    Args:
        path: the SQLite file.
    """

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript(f"pragma journal_mode=wal; pragma synchronous=normal; {SCHEMA}")

    def add_operation(self, resource: str, error: Json | None, seconds: float) -> str:
        """Store an operation that ends in so many seconds, and return its id."""
        identity = str(uuid.uuid4())
        self._connection.execute(
            "insert into operations values(?,?,?,?)",
            (identity, resource, json.dumps(error), time.time() + seconds),
        )
        return identity

    def operation(self, identity: str) -> Operation | None:
        """Return an operation, or None."""
        row = self._connection.execute(
            "select resource, error, ends from operations where id=?", (identity,)
        ).fetchone()
        return Operation(row[0], json.loads(row[1]), row[2]) if row else None

    def set_scaling(self, container: str, content: Json, due: float) -> None:
        """Store a container's throughput to come, in place of another."""
        self._connection.execute(
            "insert or replace into scaling values(?,?,?)", (container, json.dumps(content), due)
        )

    def add_update(self) -> None:
        """Store that throughput is updated now."""
        self._connection.execute("insert into updates values(?)", (time.time(),))

    def updates_since(self, moment: float) -> list[float]:
        """Return when throughput was updated since a moment, in epoch seconds and in order."""
        self._connection.execute("delete from updates where at<?", (moment,))
        return [row[0] for row in self._connection.execute("select at from updates order by at")]

    def end_scaling(self, container: str) -> None:
        """Forget a container's throughput to come."""
        self._connection.execute("delete from scaling where container=?", (container,))

    def scalings(self) -> dict[str, Scaling]:
        """Return all throughput to come, by container."""
        rows = self._connection.execute("select container, content, due from scaling").fetchall()
        return {row[0]: Scaling(row[0], json.loads(row[1]), row[2]) for row in rows}
