"""The driver of the existing cluster: ``python -m localcloud.databricks.notebook.cluster_driver``.

One JVM that notebooks share, each from a process of its own, as on an all-purpose cluster. It announces where its
gateway is once it is warm, and then cancels the jobs of runs on request. A fresh JVM spends most of a small table's
time on loading classes: Databricks' pools keep machines ready, this keeps a whole driver ready.
"""

import os
import queue
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 - as everywhere in Spark

from localcloud.databricks.notebook.protocol import announce, read_messages
from localcloud.databricks.notebook.spark_session import start_spark

LOOK_SECONDS = 0.5


def main() -> None:
    """Run until the JVM ends, or the service."""
    messages = read_messages()
    settings = messages.get()
    folder = Path(settings["folder"])
    spark = start_spark(folder, settings["driver_memory"], {})
    _warm_up(spark, folder / "scratch")
    gateway: Any = spark.sparkContext._gateway
    announce({"port": gateway.gateway_parameters.port, "secret": gateway.gateway_parameters.auth_token})
    while gateway.proc.poll() is None:
        try:
            message = messages.get(timeout=LOOK_SECONDS)
        except queue.Empty:
            continue
        spark.sparkContext._jsc.sc().cancelJobGroupAndFutureJobs(message["cancel"])


def _warm_up(spark: SparkSession, folder: Path) -> None:
    """Run a small job of the kind that notebooks here run: files to workers, text files, a join.

    Args:
        spark: the session.
        folder: takes the job's files.
    """
    place = (folder / "warm-up").as_uri()
    spark.range(4).selectExpr("cast(id as string) value").write.mode("overwrite").text(place)
    files = spark.read.format("binaryFile").load(place).select("path", "content")
    rows = files.mapInArrow(_lengths, "path string, length bigint").persist()
    other = rows.withColumnRenamed("length", "other")
    rows.join(other, "path", "full_outer").agg(F.count("*"), F.sum("other")).collect()
    rows.unpersist()


def _lengths(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        lengths = [len(content.as_py()) for content in batch.column("content")]
        yield pa.RecordBatch.from_pydict({"path": batch.column("path"), "length": lengths})


if __name__ == "__main__":
    main()
    os._exit(1)
