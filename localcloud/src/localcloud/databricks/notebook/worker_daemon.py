"""PySpark's daemon, which forks the workers, with what every worker needs imported once, before the first fork.

The connector is a part of the JVM, and here it is a worker: what Spark hands to it waits on the way, too. So as little
waits there as may be, lest far more rows be out of sight than in a cluster.
"""

import socket

import pandas  # noqa: F401
import pyarrow  # noqa: F401
from pyspark import daemon

HELD_BYTES = 2**17
_work = daemon.worker


def work(connection: socket.socket, authenticated: bool) -> int:
    """Serve Spark as a worker, over a connection of which the system holds little that was not read yet."""
    for direction in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        connection.setsockopt(socket.SOL_SOCKET, direction, HELD_BYTES)
    return int(_work(connection, authenticated))  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    daemon.worker = work
    daemon.manager()  # type: ignore[no-untyped-call]
