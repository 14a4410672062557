"""Makes the archive of Spark's classes: ``python -m localcloud.databricks.notebook.archive_maker``."""

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql.datasource import DataSource, DataSourceReader, DataSourceWriter, WriterCommitMessage

from localcloud.databricks.notebook.class_archive import FOLDER, archive_path
from localcloud.databricks.notebook.spark_session import start_spark
from localcloud.databricks.notebook.warm_up import warm_up


def make_archive(folder: Path = FOLDER) -> None:
    """Make the archive if there is none yet, and throw away those of other Javas and Sparks.

    Args:
        folder: holds the archives.
    """
    path = archive_path(folder)
    if path is None or path.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        # A JVM that maps half an archive crashes, so it gets its name once it is whole and on the disk. Of two that
        # are made at once the later one stays.
        part = Path(name) / "part.jsa"
        option = f'-XX:ArchiveClassesAtExit="{part}" -Xlog:cds=off,cds+dynamic=off'
        spark = start_spark(Path(name), "1g", {}, archive_option=option)
        warm_up(spark, Path(name) / "scratch")
        _use_a_data_source(spark)
        jvm: Any = spark.sparkContext._gateway.proc  # type: ignore[union-attr]
        spark.stop()
        # The JVM ends when its input does, and writes the archive then.
        jvm.stdin.close()
        if jvm.wait() == 0 and part.exists():
            with part.open("rb") as made:
                os.fsync(made.fileno())
            for other in folder.glob("*.jsa"):
                # A JVM that has mapped it keeps it.
                with suppress(FileNotFoundError):
                    other.unlink()
            part.replace(path)


class _Numbers(DataSource):
    """Rows from and to workers in Python, the way of the connector's."""

    @classmethod
    def name(cls) -> str:
        return "numbers"

    def schema(self) -> str:
        return "number long"

    def reader(self, schema: Any) -> DataSourceReader:
        return _Reader()

    def writer(self, schema: Any, overwrite: bool) -> DataSourceWriter:
        return _Writer()


class _Reader(DataSourceReader):
    def read(self, partition: Any) -> Iterator[tuple[int]]:
        return iter([(1,), (2,)])


class _Writer(DataSourceWriter):
    def write(self, iterator: Iterator[Any]) -> WriterCommitMessage:
        list(iterator)
        return WriterCommitMessage()

    def commit(self, messages: Sequence[WriterCommitMessage | None]) -> None:
        pass


def _use_a_data_source(spark: SparkSession) -> None:
    spark.dataSource.register(_Numbers)
    rows = spark.read.format("numbers").load()
    spark.createDataFrame([(3,)], rows.schema).union(rows).write.format("numbers").mode("append").save()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the archive of Spark's classes, if there is none yet.")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="holds the archives")
    make_archive(parser.parse_args().folder)
    os._exit(0)
