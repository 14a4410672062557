# Databricks notebook source
# MAGIC %md
# MAGIC # Load one table, or several small ones
# MAGIC
# MAGIC Reads a copied DynamoDB export from the lake and loads it into a Cosmos DB container in three stages:
# MAGIC **assess** checks every data file and maps every item before anything is written, **load** upserts the
# MAGIC documents with the Cosmos DB Spark connector, and **verify** maps the export once more and compares it both
# MAGIC ways with the container's documents. **replay** maps rejected items again, with new rules. Between assess and
# MAGIC load it waits until the app has created and scaled the container, as long as the request says.
# MAGIC
# MAGIC The app starts this notebook with one parameter, the path in the lake of a list of requests. They run side by
# MAGIC side, as many as the cluster has cores. The results for a table are written to the folder of its request, and
# MAGIC the failure of one table does not stop the others.
# MAGIC
# MAGIC Cluster: Databricks Runtime 17.3 LTS, dedicated access mode, the `d2c` wheel, whose `d2c.spark_run` does the
# MAGIC work, and `com.azure.cosmos.spark:azure-cosmos-spark_4-0_2-13`.

# COMMAND ----------

import json

from d2c.spark_run.running import run_tables

# COMMAND ----------

dbutils.widgets.text("request", "", "Path in the lake of the list of load requests")

# With opening costs above a partition's size, each file is a partition of its own: a worker holds one data file at a time.
spark.conf.set("spark.sql.files.maxPartitionBytes", str(128 * 2**20))
spark.conf.set("spark.sql.files.openCostInBytes", str(2**30))
# The number of documents, of up to 2 MB each, per batch of a worker: one at a time takes five times as long.
spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "100")

# COMMAND ----------

states = run_tables(dbutils.widgets.get("request"), spark, dbutils)

# COMMAND ----------

dbutils.notebook.exit(json.dumps(states))
