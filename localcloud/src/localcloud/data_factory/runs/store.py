"""The runs of a factory in one SQLite file, so that they survive the death of the process at any moment.

Runs and activity runs are kept as the JSON that the service answers with. SQLite runs with a write-ahead log and
``synchronous=NORMAL``: a commit survives the death of the process; only a power cut could lose the last ones.
"""

import json
import sqlite3
import threading
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PRAGMAS = "pragma journal_mode=wal; pragma synchronous=normal; pragma secure_delete=on;"
SCHEMA = """
create table if not exists runs(
  number integer primary key autoincrement, id text unique, pipeline text, status text, updated text, content text);
create index if not exists runs_by_status on runs(status);
create table if not exists activity_runs(
  number integer primary key autoincrement, id text unique, run text, updated text, content text);
create index if not exists activity_runs_by_run on activity_runs(run);
create table if not exists secure_parameters(run text primary key, content text);
"""
# What monitoring shows of a parameter of the type SecureString.
# https://github.com/MicrosoftDocs/azure-docs/issues/16170
MASK = "**********"
ENDED = ("Succeeded", "Failed", "Cancelled")

Json = dict[str, Any]


@dataclass(frozen=True)
class RunFilter:
    """Which runs a query wants: a window of their last update, and for some columns the values they may have.

    ``columns`` maps ``pipeline``, ``status`` or ``id`` to pairs of ``in`` or ``not in`` and values.
    """

    updated_after: str
    updated_before: str
    columns: Sequence[tuple[str, str, Sequence[str]]]
    newest_first: bool


class RunStore:
    """One connection to the file, shared by threads under a lock.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.executescript(PRAGMAS + SCHEMA)

    def create_run(self, pipeline: str, parameters: Mapping[str, Any], secure: Collection[str] = ()) -> str:
        """Store a new run as ``Queued`` and return its id.

        Args:
            pipeline: its name.
            parameters: their values.
            secure: the names of those that nobody is shown; they are kept until the run has ended.
        """
        identity, now = str(uuid.uuid4()), now_text()
        hidden = {name: parameters[name] for name in secure}
        run = {
            "runId": identity,
            "runGroupId": identity,
            "isLatest": True,
            "pipelineName": pipeline,
            "parameters": {**parameters, **dict.fromkeys(hidden, MASK)},
            "invokedBy": {"id": identity.replace("-", ""), "name": "Manual", "invokedByType": "Manual"},
            "lastUpdated": now,
            "runStart": now,
            "status": "Queued",
            "message": "",
        }
        if hidden:
            self._execute("insert into secure_parameters values(?,?)", (identity, json.dumps(hidden)))
        self._execute(
            "insert into runs(id, pipeline, status, updated, content) values(?,?,?,?,?)",
            (identity, pipeline, "Queued", now, json.dumps(run)),
        )
        return identity

    def run(self, identity: str) -> Json | None:
        """Return a run, or None."""
        rows = self._execute("select content from runs where id=?", (identity,))
        return json.loads(rows[0][0]) if rows else None

    def secure_parameters(self, identity: str) -> Json:
        """Return the values that a run's parameters really have that nobody is shown."""
        rows = self._execute("select content from secure_parameters where run=?", (identity,))
        return json.loads(rows[0][0]) if rows else {}

    def open_runs(self) -> list[Json]:
        """Return the runs that have not ended, oldest first."""
        marks = ",".join("?" * len(ENDED))
        rows = self._execute(
            f"select content from runs where status not in ({marks}) order by number",  # noqa: S608 - question marks
            ENDED,
        )
        return [json.loads(content) for (content,) in rows]

    def change_run(
        self, identity: str, status: str, *, message: str = "", unless: Sequence[str] = ()
    ) -> bool:
        """Give a run another status, unless it has one of some; tell whether it was changed."""
        with self._lock:
            run = self.run(identity)
            if run is None or run["status"] in unless:
                return False
            now = now_text()
            run |= {"status": status, "message": message, "lastUpdated": now}
            if status in ENDED:
                run |= {"runEnd": now, "durationInMs": milliseconds_between(run["runStart"], now)}
            self._execute(
                "update runs set status=?, updated=?, content=? where id=?",
                (status, now, json.dumps(run), identity),
            )
            if status in ENDED:
                self._forget_secure_parameters(identity)
        return True

    def _forget_secure_parameters(self, identity: str) -> None:
        """Delete the values from the file and from the log beside it."""
        if self._execute("delete from secure_parameters where run=? returning run", (identity,)):
            self._execute("pragma wal_checkpoint(truncate)", ())

    def find_runs(self, wanted: RunFilter, after_number: int | None, limit: int) -> list[tuple[int, Json]]:
        """Return runs with their numbers, in the order of their starts.

        Args:
            wanted: which ones.
            after_number: the number of the run that ended the page before, or None.
            limit: the most to return.
        """
        clauses, values = ["updated>=?", "updated<=?"], [wanted.updated_after, wanted.updated_before]
        for column, operator, allowed in wanted.columns:
            clauses.append(f"{column} {operator} ({','.join('?' * len(allowed))})")
            values += allowed
        if after_number is not None:
            clauses.append(f"number {'<' if wanted.newest_first else '>'} {after_number}")
        order = "desc" if wanted.newest_first else "asc"
        rows = self._execute(
            f"select number, content from runs where {' and '.join(clauses)} order by number {order} limit {limit}",  # noqa: S608 - names of our own and question marks
            values,
        )
        return [(number, json.loads(content)) for number, content in rows]

    def save_activity_run(self, activity_run: Json) -> None:
        """Store an activity run, new or changed."""
        self._execute(
            "insert into activity_runs(id, run, updated, content) values(?,?,?,?) "
            "on conflict(id) do update set updated=excluded.updated, content=excluded.content",
            (
                activity_run["activityRunId"],
                activity_run["pipelineRunId"],
                now_text(),
                json.dumps(activity_run),
            ),
        )

    def activity_runs(self, run: str, updated_after: str = "", updated_before: str = "~") -> list[Json]:
        """Return a run's activity runs in the order of their starts."""
        rows = self._execute(
            "select content from activity_runs where run=? and updated>=? and updated<=? order by number",
            (run, updated_after, updated_before),
        )
        return [json.loads(content) for (content,) in rows]

    def _execute(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()


def now_text() -> str:
    """Return the time as the service writes it."""
    return time_text(datetime.now(UTC))


def time_text(time: datetime) -> str:
    """Return a time in the form that is stored, which sorts as times do."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def milliseconds_between(start: str, end: str) -> int:
    """Return the time between two texts of `time_text`."""
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() * 1000)
