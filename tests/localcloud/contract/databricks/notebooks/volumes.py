# Databricks notebook source
# ruff: noqa: F821, PTH123
# MAGIC %md
# MAGIC # What Python opens of volumes, in the driver and in a worker

# COMMAND ----------

import json
from pathlib import Path

import pyarrow as pa

paths = json.loads(dbutils.widgets.get("paths"))
mode = dbutils.widgets.getAll().get("mode", "rb")


def opened(path):
    try:
        with open(path, mode) as file:
            first = file.read(3)
            end = file.seek(0, 2)
            file.seek(2)
            return f"{first!r} {end} {len(file.read())}"
    except OSError as error:
        return f"{type(error).__name__}: {error}"


def opened_by_a_worker(batches):
    for batch in batches:
        yield pa.RecordBatch.from_pydict({"found": [opened(path.as_py()) for path in batch.column("path")]})


rows = spark.createDataFrame([(path,) for path in paths], "path string").coalesce(1)
found = [row.found for row in rows.mapInArrow(opened_by_a_worker, "found string").collect()]
dbutils.notebook.exit(
    json.dumps(
        {"driver": [opened(Path(path) if path[0] == "/" else path) for path in paths], "worker": found}
    )
)
