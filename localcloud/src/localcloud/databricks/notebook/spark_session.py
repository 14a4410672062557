"""The Spark session of a notebook process, and what a run adds to it: the lake, libraries, the connector."""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from pyspark import SparkConf, SparkContext
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from localcloud.common.names import LOOPBACK
from localcloud.databricks.notebook.class_archive import use_option

LOG_SETTINGS = Path(__file__).with_name("log4j2.properties")
# Made for one machine and short jobs.
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": LOOPBACK,
    "spark.driver.bindAddress": LOOPBACK,
    "spark.sql.shuffle.partitions": "4",
    "spark.default.parallelism": "2",
    # https://learn.microsoft.com/azure/databricks/structured-streaming/scheduler-pools
    "spark.scheduler.mode": "FAIR",
    "spark.sql.sources.ignoreDataLocality": "true",
    "spark.sql.session.timeZone": "UTC",
    # The connector takes row by row; the worker that stands for it takes batches.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "1000",
    "spark.python.daemon.module": "localcloud.databricks.notebook.worker_daemon",
}
# What the product ships to a cluster in its wheel, and what a notebook must therefore not find without one.
PRODUCT = "d2c"
# Short jobs on two cores: the second compiler's work and a parallel collector's took half of the JVM's time.
# Java's HTTP client sends an address in the file encoding, which is the locale's where nobody says it.
JVM_OPTIONS = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dfile.encoding=UTF-8"
VIEW_FILE_SYSTEM = "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme"
WEB_HDFS = "org.apache.hadoop.hdfs.web.WebHdfsFileSystem"


def start_spark(
    folder: Path, driver_memory: str, spark_conf: Mapping[str, str], *, archive_option: str | None = None
) -> SparkSession:
    """Start Spark on two cores of this machine.

    Args:
        folder: takes Spark's files; nothing is written elsewhere.
        driver_memory: the JVM's heap, as Spark writes it: ``3g``.
        spark_conf: the cluster's own settings.
        archive_option: what the JVM is to do with an archive of classes; if None, to use the one that there is.
    """
    scratch = folder / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_DIRS"] = str(scratch)
    os.environ["SPARK_LOCAL_IP"] = LOOPBACK
    java = f"-Djava.io.tmpdir={scratch} -Dlog4j2.configurationFile={LOG_SETTINGS.as_uri()} {JVM_OPTIONS}"
    java += f" {use_option() if archive_option is None else archive_option}"
    builder: Any = SparkSession.builder
    settings = {
        **SETTINGS,
        "spark.sql.warehouse.dir": str(folder / "spark-warehouse"),
        "spark.driver.memory": driver_memory,
        "spark.driver.extraJavaOptions": java,
        **spark_conf,
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.master("local[2]").appName("notebook").getOrCreate()  # type: ignore[no-any-return]


def connect_spark(gateway: Mapping[str, Any], group: str) -> SparkSession:
    """Return a session of its own on a JVM that runs already.

    Args:
        gateway: where the JVM's gateway is, and the secret that it asks for.
        group: the job group of all that is done, by which it can be cancelled.
    """
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYSPARK_GATEWAY_PORT"] = str(gateway["port"])
    os.environ["PYSPARK_GATEWAY_SECRET"] = gateway["secret"]
    connection: Any = launch_gateway()  # type: ignore[no-untyped-call]
    del os.environ["PYSPARK_GATEWAY_SECRET"]
    jvm = connection.jvm
    jsc = jvm.org.apache.spark.api.java.JavaSparkContext(jvm.org.apache.spark.SparkContext.getOrCreate())
    context = SparkContext(gateway=connection, jsc=jsc, conf=SparkConf(_jvm=jvm, _jconf=jsc.getConf()))
    context.setJobGroup(group, group, interruptOnCancel=True)
    shared = jvm.org.apache.spark.sql.classic.SparkSession.builder().getOrCreate()
    return SparkSession(context, shared.newSession())


def mount_lake(spark: SparkSession, mounts: Mapping[str, str]) -> None:
    """Make the lake's paths readable.

    The settings go to the running JVM: on its command line, everybody on this machine could read them.

    Args:
        spark: the session.
        mounts: by authority, such as ``lake@account.dfs.core.windows.net``, where its files are to be had.
    """
    configuration = spark._jsc.hadoopConfiguration()
    configuration.set("fs.abfss.impl", VIEW_FILE_SYSTEM)
    configuration.set("fs.viewfs.overload.scheme.target.webhdfs.impl", WEB_HDFS)
    for authority, place in mounts.items():
        configuration.set(f"fs.viewfs.mounttable.{authority}.linkFallback", place)


def install_wheels(spark: SparkSession, wheels: Sequence[str], folder: Path) -> None:
    """Let the driver and the workers import from wheels, before all else that is installed here.

    A notebook that was given no wheel with the product does not find this checkout's own instead.

    Args:
        spark: the session.
        wheels: their paths.
        folder: takes copies of them, since Spark's workers import from archives by other names only.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for wheel in wheels:
        archive = folder / f"{Path(wheel).name}.zip"
        if not archive.exists():
            part = archive.with_suffix(f".{os.getpid()}")
            shutil.copyfile(wheel, part)
            part.rename(archive)
        spark.sparkContext.addPyFile(str(archive))
    sys.path[:0] = wheels
    if PathFinder.find_spec(PRODUCT, list(wheels)) is None:
        sys.modules[PRODUCT] = None  # type: ignore[assignment]


def install_connector(spark: SparkSession, connector: str | None) -> None:
    """Register the data source ``cosmos.oltp``, if the run has the connector among its libraries."""
    if connector == "available":
        from localcloud.databricks.connector.source import CosmosDataSource

        spark.dataSource.register(CosmosDataSource)
    elif connector == "refused":
        from localcloud.databricks.connector.source import RefusedConnector

        spark.dataSource.register(RefusedConnector)
