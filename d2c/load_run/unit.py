"""The tables of a load run: those that ended before their turn, and the others, several at once."""

import queue
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
NewThread = Callable[..., threading.Thread]

MOST_AT_ONCE = 16
"""Each table keeps a thread of the driver waiting for Spark."""


def ended_tables(entries: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the tables that have ended, by a cancellation for instance.

    Args:
        entries: the log of the run's unit. Each is ``{"table"}``, and the same may be there twice.
    """
    return {entry["table"] for entry in entries}


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
