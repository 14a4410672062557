"""What was written to tables with point-in-time recovery, by time, in one SQLite file.

A commit survives the death of the process (write-ahead log, ``synchronous=NORMAL``).
"""

import itertools
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import orjson

SCHEMA = """
create table if not exists writes(
  number integer primary key autoincrement, table_id text, micros integer, key blob, old blob, new blob);
create index if not exists writes_by_key on writes(table_id, key, number);
create index if not exists writes_by_time on writes(micros);
"""
COLUMNS = "key, micros, old, new"

Json = dict[str, Any]
Image = Json | None


class Change(NamedTuple):
    """A change of an item: its key, the time of its last write, and the images before and after it."""

    key: Json
    micros: int
    old: Image
    new: Image


class WriteLog:
    """The log; writers share one connection under a lock, and each reader has its own.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.executescript(f"pragma journal_mode=wal; pragma synchronous=normal; {SCHEMA}")

    def append(self, table_id: str, change: Change) -> None:
        """Add a write."""
        values = [orjson.dumps(change.key, option=orjson.OPT_SORT_KEYS), change.micros]
        values += [None if image is None else orjson.dumps(image) for image in (change.old, change.new)]
        with self._lock:
            self._connection.execute(
                f"insert into writes(table_id, {COLUMNS}) values(?,?,?,?,?)", (table_id, *values)
            )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep what is added meanwhile only if no error is raised."""
        with self._lock:
            self._connection.execute("begin")
            try:
                yield
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")

    def net_changes(self, table_id: str, start: int, end: int | None = None) -> Iterator[Change]:
        """Return each changed item's net change within a window, ``start`` inclusive and ``end`` exclusive.

        An item that was inserted and deleted within it is none.

        Args:
            table_id: the table's.
            start: in microseconds.
            end: in microseconds; None for all since the start.
        """
        until = "" if end is None else f" and micros<{int(end)}"
        rows = self._rows(f"table_id=? and micros>=?{until} order by key, number", table_id, start)
        for _, writes in itertools.groupby(rows, key=lambda change: change.key):
            first, last = _ends(writes)
            if first.old is not None or last.new is not None:
                yield Change(last.key, last.micros, first.old, last.new)

    def position(self) -> int:
        """Return the number of the latest write."""
        with self._lock:
            (number,) = self._connection.execute("select coalesce(max(number), 0) from writes").fetchone()
        return int(number)

    def after(self, position: int) -> Iterator[tuple[str, Change]]:
        """Return the writes after one in their order, with the ids of their tables."""
        with self._reader() as connection:
            sql = f"select table_id, {COLUMNS} from writes where number>? order by number"  # noqa: S608 - names of our own
            for table_id, *columns in connection.execute(sql, (position,)):
                yield table_id, _change(*columns)

    def forget_before(self, micros: int) -> None:
        """Drop the writes before a time, which no recovery window reaches any more."""
        with self._lock:
            self._connection.execute("delete from writes where micros<?", (micros,))

    def _rows(self, condition: str, *values: Any) -> Iterator[Change]:
        with self._reader() as connection:
            sql = f"select {COLUMNS} from writes where {condition}"  # noqa: S608 - names of our own and question marks
            for row in connection.execute(sql, values):
                yield _change(*row)

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path)
        try:
            yield connection
        finally:
            connection.close()


def _ends(writes: Iterator[Change]) -> tuple[Change, Change]:
    first = last = next(writes)
    for change in writes:
        last = change
    return first, last


def _change(key: bytes, micros: int, old: bytes | None, new: bytes | None) -> Change:
    images = [None if image is None else orjson.loads(image) for image in (old, new)]
    return Change(orjson.loads(key), micros, *images)
