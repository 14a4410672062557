# Databricks notebook source
# ruff: noqa: F821
# MAGIC %md
# MAGIC # What a notebook can rely on

# COMMAND ----------

import json
import os
import sys

import pyarrow as pa

import d2c

dbutils.widgets.text("colour", "red", "A colour")
dbutils.widgets.text("folder", "")
found = {"colour": dbutils.widgets.get("colour"), "driver": d2c.__file__, "python": sys.executable}

# COMMAND ----------

secret = dbutils.secrets.get("d2c", "cosmos-account-key")
print("the secret is", secret)
found["environment"] = [name for name, value in os.environ.items() if secret in value]


# COMMAND ----------


def where(batches):
    import d2c

    for batch in batches:
        yield pa.RecordBatch.from_pydict({"origin": [d2c.__file__] * len(batch)})


found["worker"] = spark.range(1).mapInArrow(where, "origin string").head().origin

# COMMAND ----------

folder = dbutils.widgets.get("folder")
dbutils.fs.put(f"{folder}/note.json", '{"ä": 1}')
found["head"] = dbutils.fs.head(f"{folder}/note.json", 1000)
try:
    dbutils.fs.put(f"{folder}/note.json", "again")
except Exception as error:
    found["put_again"] = str(error)
dbutils.fs.put(f"{folder}/note.json", "second", True)

# COMMAND ----------

odd = f"{folder}/full/a=1;c#d.txt"
dbutils.fs.put(odd, "odd")
found["odd"] = [dbutils.fs.head(odd), [file.name for file in dbutils.fs.ls(f"{folder}/full")]]
dbutils.fs.mkdirs(f"{folder}/empty")
found["empty"] = [
    dbutils.fs.ls(f"{folder}/empty"),
    dbutils.fs.rm(f"{folder}/empty"),
    dbutils.fs.rm(f"{folder}/empty"),
]
try:
    dbutils.fs.rm(f"{folder}/full")
except Exception as error:
    found["rm"] = str(error)
found["removed"] = dbutils.fs.rm(f"{folder}/full", True)

# COMMAND ----------

lines = spark.createDataFrame([("one",), ("two",)], "value string").repartition(2)
for _ in range(2):
    lines.write.mode("overwrite").text(f"{folder}/lines")
found["lines"] = sorted(row.value for row in spark.read.text(f"{folder}/lines").collect())
files = spark.read.format("binaryFile").option("pathGlobFilter", "*.json").load(folder)
found["files"] = [[row.path, row.length, bytes(row.content).decode()] for row in files.collect()]
found["ls"] = [[file.name, file.size] for file in dbutils.fs.ls(folder)]
dbutils.notebook.exit(json.dumps(found))
