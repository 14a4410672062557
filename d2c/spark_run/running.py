"""The run: the requested stages of each table, several tables side by side."""

import json
import traceback
from typing import Any

from pyspark import InheritableThread
from pyspark.sql import SparkSession

from d2c.errors import D2CError
from d2c.load_run.kernel.module import native
from d2c.load_run.request import REQUEST_BYTES, LoadRequest, read_requests
from d2c.load_run.spark_errors import unexpected
from d2c.load_run.unit import each_side_by_side, ended_tables, tables_at_once
from d2c.spark_run.counting import items_counted
from d2c.spark_run.table_load import TableLoad
from d2c.spark_run.verifying import verify
from d2c.spark_run.writing import assess, load_documents, replay

STAGES = {"assess": assess, "load": load_documents, "replay": replay, "verify": verify}


def run_tables(path: str, spark: SparkSession, dbutils: Any) -> dict[str, str]:
    """Run the requests of a list, and return the tables' states; tables that have ended before their turn have none.

    Args:
        path: the list's, in the lake.
        spark: the notebook's session.
        dbutils: Databricks' utilities.

    Raises:
        PermanentError: if the list or a request cannot be read.
        Exception: if the platform fails, or the only table for a reason of its own.
    """

    def read(path: str) -> str:
        return str(dbutils.fs.head(path, REQUEST_BYTES))

    requests, log = read_requests(path, read)
    print(native()[1])
    states: dict[str, str] = {}

    def run_table(request: LoadRequest) -> None:
        # Just before its turn, since it may be cancelled while others are loaded.
        if request.table not in ended_tables(read(log)):
            _enter_thread(spark, request.table)
            states[request.table] = run_stages(TableLoad(request, spark, dbutils), alone=len(requests) == 1)

    at_once = tables_at_once(len(requests), spark.sparkContext.defaultParallelism)
    each_side_by_side(requests, run_table, at_once, thread=InheritableThread)
    return {one.table: states[one.table] for one in requests if one.table in states}


def run_stages(load: TableLoad, *, alone: bool) -> str:
    """Run a table's stages up to the first failure; write the result, and return its state.

    Args:
        load: the table's.
        alone: whether the run has no other table. Then an unexpected error fails the run, which Databricks shows.
    """
    load.cosmos  # noqa: B018 - reports a missing secret before anything is read
    try:
        for stage in load.request.stages:
            with load.progress.stage(stage), items_counted(load, stage):
                STAGES[stage](load)
    except D2CError as error:
        texts = error.texts()
        print(f"{texts['title']}: {texts['detail']} {texts['next_step']}")
    except Exception as error:
        if alone or not _spark_answers(load.spark):
            raise
        traceback.print_exc()
        load.progress.fail(unexpected(load.request.table, error))
    return str(json.loads(load.progress.close())["state"])


def _enter_thread(spark: SparkSession, pool: str) -> None:
    """Prepare a new thread for a table: its jobs share the cluster equally with those of other pools.

    A thread of the JVM also needs an active session, by which Spark finds settings and data sources; else it takes
    another one's. Whatever makes a DataFrame of local rows sets it.
    """
    spark.sparkContext.setLocalProperty("spark.scheduler.pool", pool)
    spark.createDataFrame([], "nothing int")


def _spark_answers(spark: SparkSession) -> bool:
    """Return whether Spark still works, which distinguishes a failure of a table from one of the platform."""
    try:
        return spark.range(1).count() == 1
    except Exception:
        return False
