# Databricks notebook source
# ruff: noqa: F821
import json
import os

from pyspark.sql import functions as F

import d2c

# COMMAND ----------

kept = spark.conf.get("spark.test.kept", "")
spark.conf.set("spark.test.kept", "by another notebook")
origins = spark.range(4).select(F.udf(lambda _: __import__("d2c").__file__)("id")).distinct().collect()
dbutils.notebook.exit(
    json.dumps(
        {
            "jvm": spark._jvm.java.lang.ProcessHandle.current().pid(),
            "notebook": os.getpid(),
            "kept": kept,
            "origins": [d2c.__file__, *(row[0] for row in origins)],
        }
    )
)
