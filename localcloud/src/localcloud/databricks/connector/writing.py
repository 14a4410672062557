"""Writing a partition of rows: documents are made while earlier ones are in flight."""

from collections.abc import Iterator
from threading import Event

import pyarrow as pa
from pyspark.sql.datasource import DataSourceArrowWriter, WriterCommitMessage
from pyspark.sql.types import StructType

from localcloud.databricks.connector.bulk import BulkSender, batches_of
from localcloud.databricks.connector.container import look_up_container
from localcloud.databricks.connector.documents import bodies_of, documents_of
from localcloud.databricks.connector.gateway import Gateway
from localcloud.databricks.connector.in_flight import InFlight
from localcloud.databricks.connector.options import Options
from localcloud.databricks.connector.points import PointSender
from localcloud.databricks.connector.strategies import STRATEGIES

BATCHES_AT_ONCE = 4


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
        with Gateway(options.endpoint, options.sign_in, options.database, options.container) as gateway:
            container = look_up_container(gateway)
            strategy = STRATEGIES[options.strategy]
            bodies = (body for batch in iterator for body in self._bodies(batch))
            documents = documents_of(bodies, container)
            stopped = Event()
            if options.bulk:
                bulk = BulkSender(gateway, container, strategy, options.most_retries, stopped)
                most = options.bulk_pending_operations
                # As in the connector each physical partition has its own, lest a busy one keep the others waiting.
                threads = max(BATCHES_AT_ONCE // len(container.ranges), 1)
                with InFlight(bulk.send, threads=threads, most=most, stopped=stopped) as pending:
                    for batch in batches_of(documents, container, strategy, options):
                        pending.add(batch, len(batch), batch[0].range_id)
            else:
                point = PointSender(gateway, strategy, options.most_retries, stopped)
                threads = options.point_concurrency
                with InFlight(point.send, threads=threads, most=threads, stopped=stopped) as writes:
                    for document in documents:
                        writes.add(document, 1)
        return WriterCommitMessage()
