"""What a write has pending: read from Spark and not yet answered by the service, bounded as the connector bounds it.

The connector counts operations, not bytes (BulkWriter.scala), so large documents take much memory.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Condition, Event
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class InFlight(Generic[T]):
    """Sends things by several threads. The first failure stops the rest and is raised; use it with ``with``.

    Args:
        send: sends one thing.
        threads: how many are sent at once on each lane.
        most: the largest number of pending operations.
        stopped: is set at the end, and at the first failure.
    """

    def __init__(self, send: Callable[[T], None], *, threads: int, most: int, stopped: Event) -> None:
        self._send = send
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._threads = threads
        self._most = most
        self._stopped = stopped
        self._changed = Condition()
        self._error: BaseException | None = None
        self.pending = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._wait(lambda: not self.pending)
        self._stopped.set()
        for pool in self._pools.values():
            pool.shutdown()
        if error is None and self._error:
            raise self._error

    def add(self, thing: T, operations: int, lane: str = "") -> None:
        """Send a thing later; wait for room first. A thing with more operations than there is room for goes alone.

        Args:
            thing: the thing.
            operations: how many it has.
            lane: its lane, which waits for no other one.
        """
        self._wait(lambda: not self.pending or self.pending + operations <= self._most)
        if self._error:
            raise self._error
        with self._changed:
            self.pending += operations
        pool = self._pools.get(lane) or self._pools.setdefault(lane, ThreadPoolExecutor(self._threads))
        pool.submit(self._run, thing, operations)

    def _wait(self, until: Callable[[], bool]) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._error is not None or until())

    def _run(self, thing: T, operations: int) -> None:
        try:
            self._send(thing)
        except BaseException as error:
            self._error = self._error or error
            self._stopped.set()
        finally:
            with self._changed:
                self.pending -= operations
                self._changed.notify_all()
