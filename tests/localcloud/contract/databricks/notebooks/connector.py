# Databricks notebook source
# ruff: noqa: F821
import json

found = {}
frame = spark.createDataFrame([("{}",)], "_rawBody string")
for name, use in {
    "read": lambda: spark.read.format("cosmos.oltp").load().collect(),
    "write": lambda: frame.write.format("cosmos.oltp").mode("append").save(),
}.items():
    try:
        use()
    except Exception as error:
        found[name] = str(error)
dbutils.notebook.exit(json.dumps(found))
