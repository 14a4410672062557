"""What makes a fresh JVM ready for the jobs of notebooks."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 - as everywhere in Spark


def warm_up(spark: SparkSession, folder: Path) -> None:
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
