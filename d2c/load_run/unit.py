"""The tables of a load run: those that ended before their turn, and the others, several at once."""

import json
import queue
import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

from d2c.errors import PermanentError
from d2c.mapping.rejected import shown

T = TypeVar("T")
NewThread = Callable[..., threading.Thread]

MOST_AT_ONCE = 16
"""Each table keeps a thread of the driver waiting for Spark."""


def ended_tables(log: str) -> set[str]:
    """Return the tables that have ended, by a cancellation for instance.

    Args:
        log: the log of the run's unit, a line of JSON for each: ``{"table"}``. The same may be there twice.

    Raises:
        PermanentError: if it is not such a log.
    """
    try:
        tables = {json.loads(line)["table"] for line in log.split("\n") if line}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _not_a_log(str(error)) from error
    if not all(type(table) is str for table in tables):
        raise _not_a_log("a table's name is not text")
    return tables


def _not_a_log(cause: str) -> PermanentError:
    return PermanentError(
        f"This wheel cannot read the log of the load run's unit: {shown(cause)}",
        "Stop other writers to the migration's folder in the lake, then retry.",
    )


def tables_at_once(tables: int, cores: int) -> int:
    """Return how many tables go side by side: small ones leave all but one core idle."""
    return max(min(tables, cores, MOST_AT_ONCE), 1)


def each_side_by_side(
    things: Iterable[T], do: Callable[[T], None], at_once: int, thread: NewThread = threading.Thread
) -> None:
    """Do something for each of several things, so many at once.

    An error ends the rest: what has begun is completed, nothing else begins, and the error is raised.

    Args:
        things: in the order in which they begin.
        do: is called in a thread.
        at_once: the number of threads.
        thread: makes one, such as ``pyspark.InheritableThread``.
    """
    waiting: queue.SimpleQueue[T] = queue.SimpleQueue()
    for thing in things:
        waiting.put(thing)
    errors: list[BaseException] = []

    def work() -> None:
        while not errors:
            try:
                thing = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                do(thing)
            except BaseException as error:
                errors.append(error)

    threads = [thread(target=work) for _ in range(at_once)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    if errors:
        raise errors[0]
