"""The counts of a running stage, which its tasks report to the driver."""

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark import InheritableThread, TaskContext

from d2c.load_run.counting.reports import Inbox
from d2c.load_run.progress import repeated
from d2c.spark_run.table_load import TableLoad


@contextmanager
def items_counted(load: TableLoad, stage: str) -> Iterator[None]:
    """Write how many items of a stage are done, every few seconds while the block runs."""
    load.counts.begin(stage)
    inbox = _inbox(load)
    load.reports_to = inbox.address if inbox else None

    def count() -> None:
        for name, items in inbox.read() if inbox else ():
            load.counts.report(name, items)
        load.progress.count(load.counts.look())

    try:
        with repeated(count, new_thread=InheritableThread):
            yield
    finally:
        load.reports_to = None
        if inbox:
            inbox.close()


def _inbox(load: TableLoad) -> Inbox | None:
    """Return where tasks report; None where the driver cannot be reached, and only whole groups of files count."""
    try:
        return Inbox(load.spark.conf.get("spark.driver.host", "") or "")
    except OSError as error:
        print(f"No progress within data files: {error}")
        return None


def name_of_task() -> str:
    """Return a name for the documents that a task reads: no data file has a blank in its name."""
    context = TaskContext.get()
    return f"documents {context.partitionId() if context else 0}"
