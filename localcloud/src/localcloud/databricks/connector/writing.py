"""Writing a partition of rows: documents are made while earlier ones are in flight."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Event
from typing import TypeVar

import pyarrow as pa
from pyspark.sql.datasource import DataSourceArrowWriter, WriterCommitMessage
from pyspark.sql.types import StructType

from localcloud.databricks.connector.bulk import BulkSender, batches_of
from localcloud.databricks.connector.container import look_up_container
from localcloud.databricks.connector.documents import bodies_of, documents_of
from localcloud.databricks.connector.gateway import Gateway
from localcloud.databricks.connector.options import Options
from localcloud.databricks.connector.points import PointSender
from localcloud.databricks.connector.strategies import STRATEGIES

MOST_BATCHES_IN_FLIGHT = 4

T = TypeVar("T")


class Writer(DataSourceArrowWriter):
    """Writes partitions of rows, each in a Python worker.

    Args:
        options: what to write where, and how.
        schema: the rows' columns.

    Raises:
        OptionError: for a column that cannot be written faithfully.
    """

    def __init__(self, options: Options, schema: StructType) -> None:
        self._options = options
        self._bodies = bodies_of(schema)

    def write(self, iterator: Iterator[pa.RecordBatch]) -> WriterCommitMessage:
        """Write a partition of rows; what is written stays written, whatever becomes of the rest.

        Raises:
            CosmosSourceError: for the first document that cannot be written.
        """
        options = self._options
        with Gateway(options.endpoint, options.key, options.database, options.container) as gateway:
            container = look_up_container(gateway)
            strategy = STRATEGIES[options.strategy]
            bodies = (body for batch in iterator for body in self._bodies(batch))
            documents = documents_of(bodies, container)
            stopped = Event()
            if options.bulk:
                bulk = BulkSender(gateway, container, strategy, options.most_retries, stopped)
                pending = options.bulk_pending_operations // options.bulk_operations
                in_flight = max(1, min(MOST_BATCHES_IN_FLIGHT, pending))
                _each_in_flight(bulk.send, batches_of(documents, strategy, options), in_flight, stopped)
            else:
                point = PointSender(gateway, strategy, options.most_retries, stopped)
                _each_in_flight(point.send, documents, options.point_concurrency, stopped)
        return WriterCommitMessage()


def _each_in_flight(send: Callable[[T], None], things: Iterable[T], most: int, stopped: Event) -> None:
    """Send all things, so many at once; the first that fails stops the others and is raised."""
    flying: set[Future[None]] = set()
    with ThreadPoolExecutor(most) as threads:
        try:
            for thing in things:
                if len(flying) >= most:
                    flying = _landed(flying)
                flying.add(threads.submit(send, thing))
            while flying:
                flying = _landed(flying)
        finally:
            stopped.set()


def _landed(flying: set[Future[None]]) -> set[Future[None]]:
    """Wait for one to end, raise what it raised, and return those still under way."""
    done, rest = wait(flying, return_when=FIRST_COMPLETED)
    for one in done:
        one.result()
    return rest
