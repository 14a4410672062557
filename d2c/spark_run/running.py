"""The run: the requested stages of each table, several tables side by side."""

import json
import traceback
from collections.abc import Callable
from typing import Any

from pyspark import InheritableThread
from pyspark.sql import SparkSession

from d2c.errors import D2CError
from d2c.load_run.kernel.module import native
from d2c.load_run.request import REQUEST_BYTES, LoadRequest, read_requests
from d2c.load_run.spark_errors import unexpected
from d2c.load_run.unit.log import SharedLog, ended_tables
from d2c.load_run.unit.turns import Turns, each_side_by_side, tables_at_once
from d2c.spark_run.counting import items_counted
from d2c.spark_run.handing_over import hand_over, take_over
from d2c.spark_run.table_load import TableLoad
from d2c.spark_run.verifying import verify
from d2c.spark_run.writing import assess, load_documents, replay


def load_assessed(load: TableLoad) -> None:
    """Load a table that this run has assessed, or an earlier one."""
    take_over(load)
    load_documents(load)


STAGES = {"assess": assess, "load": load_assessed, "replay": replay, "verify": verify}


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

    requests, log_path = read_requests(path, read)
    log = SharedLog(lambda: read(log_path))
    print(native()[1])
    states: dict[str, str] = {}
    turns = Turns(tables_at_once(len(requests), spark.sparkContext.defaultParallelism))

    def may_go_on(load: TableLoad) -> bool:
        with turns.left():
            return hand_over(load, log.text)

    def run_table(request: LoadRequest) -> None:
        # Just before its turn, since it may be cancelled while others are loaded.
        if request.table not in ended_tables(log.text()):
            _enter_thread(spark, request.table)
            load = TableLoad(request, spark, dbutils)
            states[request.table] = run_stages(load, may_go_on, alone=len(requests) == 1)

    each_side_by_side(requests, run_table, turns, thread=InheritableThread)
    return {one.table: states[one.table] for one in requests if one.table in states}


def run_stages(load: TableLoad, may_go_on: Callable[[TableLoad], bool], *, alone: bool) -> str:
    """Run a table's stages up to the first failure; write the result, and return its state.

    Args:
        load: the table's.
        may_go_on: waits until a table that has been assessed may be loaded; returns False if it may not in this run.
        alone: whether the run has no other table. Then an unexpected error fails the run, which Databricks shows.
    """
    load.cosmos  # noqa: B018 - reports a missing secret before anything is read
    try:
        for stage in load.request.stages:
            with load.progress.stage(stage), items_counted(load, stage):
                STAGES[stage](load)
            if stage == "assess" and not may_go_on(load):
                return _closed(load, "assessed")
    except D2CError as error:
        load.progress.fail(error)
        texts = error.texts()
        print(f"{texts['title']}: {texts['detail']} {texts['next_step']}")
    except Exception as error:
        if alone or not _spark_answers(load.spark):
            raise
        traceback.print_exc()
        load.progress.fail(unexpected(load.request.table, error))
    return _closed(load, "succeeded")


def _closed(load: TableLoad, state: str) -> str:
    return str(json.loads(load.progress.close(state))["state"])


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
