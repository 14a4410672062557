"""The turns of a load run's tables: several at once."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
NewThread = Callable[..., threading.Thread]

MOST_AT_ONCE = 16
"""Each table keeps a thread of the driver waiting for Spark."""


def tables_at_once(tables: int, cores: int) -> int:
    """Return how many tables go side by side: small ones leave all but one core idle."""
    return max(min(tables, cores, MOST_AT_ONCE), 1)


class Turns:
    """The turns of a run's tables, so many at once.

    A table that only waits leaves its turn to others: else those that wait could hold all turns, and nothing be done.

    Args:
        at_once: the number of turns.
    """

    def __init__(self, at_once: int) -> None:
        self._free = threading.Semaphore(at_once)

    def take(self) -> None:
        """Wait for a turn."""
        self._free.acquire()

    def give(self) -> None:
        """End a turn."""
        self._free.release()

    @contextmanager
    def left(self) -> Iterator[None]:
        """Leave a turn to others while the block waits, and take one again for what follows."""
        self.give()
        try:
            yield
        finally:
            self.take()


def each_side_by_side(
    things: Iterable[T], do: Callable[[T], None], turns: Turns, thread: NewThread = threading.Thread
) -> None:
    """Do something for each of several things, as many at once as there are turns.

    An error ends the rest: what has begun is completed, nothing else begins, and the error is raised.

    Args:
        things: in the order in which they begin.
        do: is called in a thread of its own, in a turn.
        turns: those of the run.
        thread: makes a thread, such as ``pyspark.InheritableThread``.
    """
    errors: list[BaseException] = []

    def work(thing: T) -> None:
        try:
            do(thing)
        except BaseException as error:
            errors.append(error)
        finally:
            turns.give()

    threads = []
    for thing in things:
        turns.take()
        if errors:
            turns.give()
            break
        threads.append(thread(target=work, args=(thing,)))
        threads[-1].start()
    for one in threads:
        one.join()
    if errors:
        raise errors[0]
