# Databricks notebook source
# ruff: noqa: F821
import json
import os
import time
from pathlib import Path

# COMMAND ----------

pids = {"driver": os.getpid(), "jvm": spark._jvm.java.lang.ProcessHandle.current().pid()}
pids |= {"worker_file": str(Path("worker.pid").resolve())}
dbutils.fs.put(dbutils.widgets.get("file"), json.dumps(pids), True)


# COMMAND ----------


def waits(batches):
    Path(pids["worker_file"]).write_text(str(os.getpid()))
    time.sleep(1000)
    yield from batches


spark.range(1).mapInArrow(waits, "id bigint").collect()
