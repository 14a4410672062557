"""The runs of the workspace in one SQLite file, so that they survive the death of the process at any moment.

A workspace keeps a run for 60 days, and with it its idempotency token, whoever submits it again: another deployment of
the app, or the same one after it lost its own state. https://learn.microsoft.com/azure/databricks/jobs/
"""

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

from localcloud.databricks.runs.submission import Submission

# A run's task has an id of its own: the one after the run's.
FIRST_RUN_ID = 700_000_000_002
KEPT_MS = 60 * 24 * 3600 * 1000
SCHEMA = """
create table if not exists runs(run_id integer primary key, token text unique, ended integer, content text);
create index if not exists by_end on runs(ended, run_id);
"""
Json = dict[str, Any]


class RunStore:
    """One connection to the file, for one thread.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript(f"pragma journal_mode=wal; pragma synchronous=normal; {SCHEMA}")

    def submit(self, submission: Submission, at_ms: int) -> tuple[int, bool]:
        """Store a new run, and return its id and whether it is new: a token that was used before gives that run.

        Args:
            submission: what is to run.
            at_ms: the time in epoch milliseconds. Runs that ended and are too old by then are forgotten.
        """
        self._connection.execute(
            "delete from runs where ended=1 and json_extract(content, '$.submitted_at_ms')<?",
            (at_ms - KEPT_MS,),
        )
        known = self._connection.execute(
            "select run_id from runs where token=?", (submission.token,)
        ).fetchone()
        if known:
            return known[0], False
        (latest,) = self._connection.execute("select max(run_id) from runs").fetchone()
        run_id = FIRST_RUN_ID if latest is None else latest + 2
        run = {
            "run_id": run_id,
            "submission": submission.to_dict(),
            "state": "PENDING",
            "message": "Waiting for cluster",
            "submitted_at_ms": at_ms,
        }
        self._connection.execute(
            "insert into runs values(?,?,0,?)", (run_id, submission.token, json.dumps(run))
        )
        return run_id, True

    def run(self, run_id: int) -> Json | None:
        """Return a run, or None."""
        found = self._connection.execute("select content from runs where run_id=?", (run_id,)).fetchone()
        return json.loads(found[0]) if found else None

    def change(self, run_id: int, **fields: Any) -> None:
        """Change fields of a run."""
        run = {**(self.run(run_id) or {}), **fields}
        self._connection.execute(
            "update runs set content=?, ended=? where run_id=?",
            (json.dumps(run), run["state"] == "TERMINATED", run_id),
        )

    def page(self, *, ended: bool | None, before: int | None, size: int) -> list[Json]:
        """Return runs, newest first.

        Args:
            ended: which ones; all if None.
            before: only runs with smaller ids.
            size: the most to return.
        """
        rows = self._connection.execute(
            "select content from runs where (? is null or ended=?) and (? is null or run_id<?) "
            "order by run_id desc limit ?",
            (ended, ended, before, before, size),
        )
        return [json.loads(content) for (content,) in rows]

    def under_way(self) -> list[Json]:
        """Return the runs that have not ended."""
        rows = self._connection.execute("select content from runs where ended=0 order by run_id")
        return [json.loads(content) for (content,) in rows]


def now_ms() -> int:
    """Return the time in epoch milliseconds."""
    return time.time_ns() // 1_000_000
