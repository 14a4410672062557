"""What the host remembers, in one SQLite file: instances, their histories, messages to them, and work under way.

Every turn, result and message is one transaction. SQLite runs with a write-ahead log and ``synchronous=NORMAL``: a
commit survives the death of the process at any moment; only a power cut could lose the last ones.
"""

import json
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from localcloud.functions_host.durable.clock import Clock

ENDED = ("Completed", "Failed", "Terminated")
# A message that waits for the instance to be resumed.
UNTIL_RESUMED = 4e12
# A row number that AUTOINCREMENT gave is never given again, so a consumed message cannot be mistaken for a new one.
SCHEMA = """
create table if not exists instances(
  id text primary key, generation text, name text, parent text, parent_generation text, parent_task integer,
  status text, input text, output text, custom_status text, created text, updated text);
create table if not exists history(id text, sequence integer, event text, primary key(id, sequence)) without rowid;
create table if not exists messages(
  number integer primary key autoincrement, id text, generation text, due real, event text);
create index if not exists messages_due on messages(due);
create index if not exists messages_of_instance on messages(id);
create table if not exists work(
  number integer primary key autoincrement, id text, generation text, task integer, name text, input text);
create table if not exists crashes(activity text primary key);
create table if not exists receipts(trigger text, blob text, etag text, tries integer, primary key(trigger, blob));
create table if not exists timers(name text primary key, last real, next real, updated real);
"""
TABLES_OF_AN_INSTANCE = ("instances", "history", "messages", "work")

Json = dict[str, Any]
Row = tuple[Any, ...]


class InstanceRunsError(Exception):
    """An instance of this id has not ended, so no other can be started."""


def event(kind: int, number: int = -1, **fields: Any) -> Json:
    """Return a history event of the Durable SDK's form; it gets its time when it is stored."""
    return {"EventType": kind, "EventId": number, "IsPlayed": False, **fields}


class Store:
    """The host's file: one connection that writes, under a lock, and one for each thread that reads.

    Args:
        path: the file.
        clock: tells the time of whatever is stored. It starts no earlier than what the file holds, so that time does
            not go back over a restart either.
    """

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self._path = path
        self._lock = threading.RLock()
        self._readers = threading.local()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.executescript(f"pragma journal_mode=wal; pragma synchronous=normal; {SCHEMA}")
        self._connection.create_function("host_time", 0, self.clock.text)
        self.clock.not_before(self._latest())

    def read(self, sql: str, *values: Any) -> list[Row]:
        """Return the rows of a query, without waiting for whoever writes."""
        if not hasattr(self._readers, "connection"):
            self._readers.connection = sqlite3.connect(self._path, isolation_level=None)
        rows: list[Row] = self._readers.connection.execute(sql, values).fetchall()
        return rows

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Do everything within or nothing."""
        with self._lock:
            self._connection.execute("begin immediate")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")

    def _latest(self) -> float:
        ((text, fired),) = self.read(
            "select (select max(updated) from instances), (select max(updated) from timers)"
        )
        return max(datetime.fromisoformat(text).timestamp() if text else 0.0, fired or 0.0)

    def status(self, instance: str) -> Json | None:
        """Return an instance's status as the management API returns it, or None."""
        rows = self.read(f"select {STATUS_COLUMNS} from instances where id=?", instance)  # noqa: S608 - a constant
        return _status(rows[0]) if rows else None

    def refuse_if_runs(self, instance: str) -> None:
        """Refuse the start of an instance.

        Raises:
            InstanceRunsError: if one of this id has not ended.
        """
        for (status,) in self.read("select status from instances where id=?", instance):
            if status not in ENDED:
                raise InstanceRunsError(f"An Orchestration instance with the status {status} already exists.")

    def statuses(self, *, states: Sequence[str], prefix: str, since: str, until: str) -> list[Json]:
        """Return the statuses of instances by their ids, as Azure Storage's provider keeps them.

        Args:
            states: runtime statuses, or none for all.
            prefix: what ids begin with.
            since: ISO 8601; the earliest creation.
            until: ISO 8601, or empty for no limit.
        """
        chosen = f"and status in ({','.join('?' * len(states))})" if states else ""
        rows = self.read(
            f"select {STATUS_COLUMNS} from instances where substr(id,1,?)=? and created>=? "  # noqa: S608
            f"and (?='' or created<?) {chosen} order by id",
            len(prefix),
            prefix,
            since,
            until,
            until,
            *states,
        )
        return [_status(row) for row in rows]

    def history(self, instance: str) -> list[Json]:
        """Return an instance's history."""
        rows = self.read("select event from history where id=? order by sequence", instance)
        return [json.loads(text) for (text,) in rows]

    def drop_messages(self, instance: str) -> None:
        """Forget what was sent to an instance that has ended, unless it has been started again meanwhile."""
        with self.transaction() as connection:
            found = connection.execute("select status from instances where id=?", (instance,)).fetchone()
            if found is None or found[0] in ENDED:
                connection.execute("delete from messages where id=?", (instance,))

    def purge(self, instances: Sequence[str]) -> int:
        """Forget instances, and return how many there were."""
        with self.transaction() as connection:
            for instance in instances:
                forget(connection, instance)
        return len(instances)


def forget(connection: sqlite3.Connection, instance: str) -> None:
    """Remove all that is stored of an instance."""
    for table in TABLES_OF_AN_INSTANCE:
        connection.execute(f"delete from {table} where id=?", (instance,))  # noqa: S608 - names of our own


def send(
    connection: sqlite3.Connection, instance: str, generation: str | None, message: Json, due: float = 0.0
) -> None:
    """Leave a message for an instance.

    Args:
        connection: in a transaction.
        instance: its id.
        generation: the generation that it is for, or None for whichever runs then. A timer of before a
            continue-as-new must not fire in the next generation.
        message: a history event.
        due: epoch seconds before which it is not delivered.
    """
    connection.execute(
        "insert into messages(id, generation, due, event) values(?,?,?,json_insert(?,'$.Timestamp',host_time()))",
        (instance, generation, due, json.dumps(message)),
    )


def create_instance(
    connection: sqlite3.Connection,
    name: str,
    instance: str,
    text: str | None,
    parent: tuple[str, str, int] | None = None,
) -> None:
    """Start an instance in place of whatever has the id.

    Args:
        connection: in a transaction.
        name: the orchestrator's.
        instance: the new instance's id.
        text: its input as JSON text.
        parent: instance, generation and task number that its end is told to.
    """
    forget(connection, instance)
    generation = uuid.uuid4().hex
    connection.execute(
        "insert into instances values(?,?,?,?,?,?,'Pending',?,null,null,host_time(),host_time())",
        (instance, generation, name, *(parent or (None, None, None)), text),
    )
    send(connection, instance, generation, event(0, Name=name, Version="", Input=text))


STATUS_COLUMNS = "id, name, status, input, custom_status, output, created, updated"


def _status(row: Row) -> Json:
    instance, name, status, text, custom_status, output, created, updated = row
    return {
        "name": name,
        "instanceId": instance,
        "runtimeStatus": status,
        "input": text,
        "customStatus": None if custom_status is None else json.loads(custom_status),
        "output": None if output is None else json.loads(output),
        "createdTime": created[:19] + "Z",
        "lastUpdatedTime": updated[:19] + "Z",
    }
