# Databricks notebook source
# ruff: noqa: F821
# MAGIC %md
# MAGIC # Fails in its third cell

# COMMAND ----------


def look_up(key):
    return {"a": 1}[key]


# COMMAND ----------

print("about to fail with", dbutils.secrets.get("d2c", "other"))
look_up(dbutils.secrets.get("d2c", "other"))
