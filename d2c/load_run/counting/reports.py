"""What running tasks report to the driver: how many items of a data file they have gone through.

Spark brings the counts of a Python worker to the driver at the end of its task, and a task may take an hour for one
file. So a worker sends the driver a datagram every few seconds. One that is lost does no harm, since each has the count
so far. Azure Databricks allows all traffic between the nodes of its clusters:
https://learn.microsoft.com/azure/databricks/security/network/classic/harden-nsg-rule-100
"""

import hmac
import re
import secrets
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass

import pyarrow as pa

Worker = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]

REPORT_SECONDS = 2.0
# The name of a data file, with the key and the count before it.
MOST_BYTES = 2048
# So many are read at once; others wait, or the system drops them.
MOST_AT_ONCE = 10_000
BUFFER_BYTES = 2**20
_COUNT = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True)
class Address:
    """Where the driver takes reports, and the key that tells them from what others send there."""

    host: str
    port: int
    key: str


class Inbox:
    """The driver's socket for reports.

    A report without the key is ignored. The key is not secret from those who can read the cluster's traffic: all that
    they could change is a progress bar.

    Args:
        host: the driver's address in the cluster.

    Raises:
        OSError: if there is no such address here.
    """

    def __init__(self, host: str) -> None:
        family, kind, _, _, place = socket.getaddrinfo(host, 0, type=socket.SOCK_DGRAM)[0]
        self._socket = socket.socket(family, kind)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
            self._socket.bind(place)
        except OSError:
            self._socket.close()
            raise
        self._socket.setblocking(False)
        self.address = Address(host, self._socket.getsockname()[1], secrets.token_hex(16))

    def read(self) -> Iterator[tuple[str, int]]:
        """Yield the names and counts of the reports that have come, without waiting for more."""
        for _ in range(MOST_AT_ONCE):
            try:
                datagram = self._socket.recv(MOST_BYTES + 1)
            except BlockingIOError:
                return
            found = read_report(datagram, self.address.key)
            if found:
                yield found

    def close(self) -> None:
        """Take no more reports."""
        self._socket.close()


def read_report(datagram: bytes, key: str) -> tuple[str, int] | None:
    """Return the name and the count of a report; None if it is not one that a task of this run sent.

    Args:
        datagram: as it came.
        key: that of the address to which the tasks report.
    """
    if len(datagram) > MOST_BYTES:
        return None
    sent_key, _, rest = datagram.decode(errors="replace").partition(" ")
    count, space, name = rest.partition(" ")
    if not hmac.compare_digest(sent_key.encode(), key.encode()) or not space or not _COUNT.fullmatch(count):
        return None
    return name, int(count)


class _Reporter:
    """A task's way to the driver; it never waits and never fails."""

    def __init__(self, address: Address) -> None:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM)
        family, kind, _, _, place = found[0]
        self._key, self._place = address.key, place
        self._socket = socket.socket(family, kind)
        self._socket.setblocking(False)
        self._next = 0.0

    def report(self, name: str, items: int, is_last: bool) -> None:
        """Send a count, unless one was sent just before."""
        now = time.monotonic()
        if is_last or now >= self._next:
            self._next = now + REPORT_SECONDS
            with suppress(OSError):
                self._socket.sendto(f"{self._key} {items} {name}".encode(errors="replace"), self._place)

    def close(self) -> None:
        self._socket.close()


# A worker's process runs one task at a time.
_reporter: ContextVar[_Reporter | None] = ContextVar("reporter", default=None)


def report(name: str, items: int, *, is_last: bool = False) -> None:
    """Report how many items of something the task has gone through, if its run wants to know.

    Args:
        name: the data file's, or another that no other task has.
        items: the number so far.
        is_last: whether no more will come.
    """
    reporter = _reporter.get()
    if reporter:
        reporter.report(name, items, is_last)


def reporting(worker: Worker, address: Address | None) -> Worker:
    """Return a worker whose task reports, by `report`.

    Args:
        worker: what it does.
        address: where reports go; nowhere if None.
    """

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        with _to(address):
            yield from worker(batches)

    return run


def reporting_rows(worker: Worker, address: Address | None, name_of_task: Callable[[], str]) -> Worker:
    """Return a worker whose task reports how many rows it has taken.

    Args:
        worker: what it does.
        address: where reports go; nowhere if None.
        name_of_task: returns, within the task, a name that no other task has.
    """

    def reported(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        name, rows = name_of_task(), 0
        for batch in batches:
            yield batch
            rows += batch.num_rows
            report(name, rows)
        report(name, rows, is_last=True)

    return reporting(lambda batches: worker(reported(batches)), address)


@contextmanager
def _to(address: Address | None) -> Iterator[None]:
    reporter = None
    if address:
        with suppress(OSError):
            reporter = _Reporter(address)
    _reporter.set(reporter)
    try:
        yield
    finally:
        _reporter.set(None)
        if reporter:
            reporter.close()
