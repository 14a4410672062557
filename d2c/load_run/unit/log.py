"""The log of a load run's unit: tables that have ended, and those that may be loaded."""

import json
import threading
import time
from collections.abc import Callable

from d2c.errors import PermanentError
from d2c.mapping.rejected import shown

SHARED_SECONDS = 0.2


class SharedLog:
    """The log's text. What one table has just read, another one does not read again.

    Args:
        read: returns the text.
        clock: monotonic seconds.
    """

    def __init__(self, read: Callable[[], str], clock: Callable[[], float] = time.monotonic) -> None:
        self._read, self._clock = read, clock
        self._lock = threading.Lock()
        self._text, self._read_at = "", float("-inf")

    def text(self) -> str:
        """Return it as it was at most some tenths of a second ago."""
        with self._lock:
            if self._clock() - self._read_at >= SHARED_SECONDS:
                asked_at = self._clock()
                self._text, self._read_at = self._read(), asked_at
            return self._text


def ended_tables(log: str) -> set[str]:
    """Return the tables that have ended, by a cancellation for instance.

    Args:
        log: the log of the run's unit, a line of JSON for each: ``{"table"}`` of one that has ended, ``{"table",
            "let_go": true}`` of one whose container is there. The same may be there twice.

    Raises:
        PermanentError: if it is not such a log.
    """
    return {table for table, let_go in _entries(log) if not let_go}


def tables_let_go(log: str) -> set[str]:
    """Return the tables that may be loaded, by the same log."""
    return {table for table, let_go in _entries(log) if let_go}


def _entries(log: str) -> set[tuple[str, bool]]:
    try:
        lines = [json.loads(line) for line in log.split("\n") if line]
        entries = {(line["table"], line.get("let_go", False)) for line in lines}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _not_a_log(str(error)) from error
    if not all(type(table) is str and type(let_go) is bool for table, let_go in entries):
        raise _not_a_log("a table's name is not text, or whether it is let go is neither true nor false")
    return entries


def _not_a_log(cause: str) -> PermanentError:
    return PermanentError(
        f"This wheel cannot read the log of the load run's unit: {shown(cause)}",
        "Stop other writers to the migration's folder in the lake, then retry.",
    )
