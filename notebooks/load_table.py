# Databricks notebook source
# MAGIC %md
# MAGIC # Load one table
# MAGIC
# MAGIC Reads one copied DynamoDB export from the lake and takes it into a Cosmos DB container in three stages:
# MAGIC **assess** checks every data file and maps every item before anything is written, **load** upserts the
# MAGIC documents with the Cosmos DB Spark connector, and **verify** maps the export once more and compares it both
# MAGIC ways with what the container holds. The app starts this notebook with one parameter, the path of a request
# MAGIC file in the lake; all that it finds is written beside that file.
# MAGIC
# MAGIC Cluster: Databricks Runtime 17.3 LTS, dedicated access mode, the `d2c` wheel and
# MAGIC `com.azure.cosmos.spark:azure-cosmos-spark_4-0_2-13`.

# COMMAND ----------

import time

from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F

from d2c.errors import D2CError
from d2c.export_format import DataFile, read_export_manifest
from d2c.load_run import accounting, verification, workers
from d2c.load_run.cosmos_options import cosmos_options, read_options, write_options
from d2c.load_run.journal import Journal
from d2c.load_run.request import LoadRequest, parse_request

# COMMAND ----------

dbutils.widgets.text("request", "", "Path of the load request in the lake")
REQUEST_BYTES = 2**20

request: LoadRequest = parse_request(dbutils.fs.head(dbutils.widgets.get("request"), REQUEST_BYTES))
journal = Journal(lambda name, text: dbutils.fs.put(f"{request.result_folder}/{name}", text, True))
cosmos = cosmos_options(request, lambda name: dbutils.secrets.get(request.secret_scope, name))

# One data file in one Arrow batch: a worker holds one at a time.
spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "1")

# COMMAND ----------

# MAGIC %md
# MAGIC ## The export in the lake


# COMMAND ----------


def read_bytes(name: str) -> bytes:
    """Return a file of the export folder, whole."""
    return bytes(spark.read.format("binaryFile").load(f"{request.export_folder}/{name}").head().content)


def data_files() -> DataFrame:
    """Return the export's data files, one row each: path, length, content."""
    folder = spark.read.format("binaryFile").option("pathGlobFilter", "*.json.gz")
    return folder.load(f"{request.export_folder}/data").select("path", "length", "content")


def listed_files() -> tuple[DataFile, ...]:
    """Return the data files that the manifest lists, after checking that just those are in the lake."""
    manifest = read_export_manifest(read_bytes, export_arn=request.export_arn, table_arn=request.table_arn)
    sizes = {
        row.path.rsplit("/", 1)[-1]: row.length for row in data_files().select("path", "length").collect()
    }
    accounting.check_files_present(manifest.files, sizes)
    accounting.check_file_sizes(sizes)
    return manifest.files


def observed_outcomes(worker: workers.Worker) -> tuple[DataFrame, Observation]:
    """Map the data files; the observation gathers each file's tally as whatever comes next consumes the rows."""
    outcomes = data_files().select("path", "content").mapInArrow(worker, workers.OUTCOME_SCHEMA)
    observation = Observation()
    tallies = F.collect_list(F.when(F.col("kind") == "file", F.col("body")))
    return outcomes.observe(observation, F.array_join(tallies, "\n").alias("tallies")), observation


# COMMAND ----------

# MAGIC %md
# MAGIC ## Assess: every file and every item, before anything is written

# COMMAND ----------


def assess(files: tuple[DataFile, ...]) -> None:
    outcomes, observation = observed_outcomes(workers.assess_files(request, files))
    rejected = outcomes.filter(F.col("kind") == "rejected").select("body")
    rejected.write.mode("overwrite").text(f"{request.result_folder}/rejected")
    tallies = accounting.parse_tallies(observation.get["tallies"])
    sums = accounting.totals(tallies)
    journal.note(assessed=sums, files={"listed": len(files), "verified": accounting.verified(files, tallies)})
    accounting.check_conservation(files, tallies)
    accounting.check_rejected_limit(sums["rejected"], sums["rejected_by_reason"], request.max_rejected_items)


# COMMAND ----------

# MAGIC %md
# MAGIC ## Load: upserts, so that a second run gives the same container

# COMMAND ----------


def load(files: tuple[DataFile, ...]) -> None:
    journal.note(load_started_at=int(time.time()))
    outcomes, observation = observed_outcomes(workers.load_files(request, files))
    documents = outcomes.filter(F.col("kind") == "document").select(F.col("body").alias("_rawBody"))
    documents.write.format("cosmos.oltp").options(**cosmos, **write_options()).mode("append").save()
    tallies = accounting.parse_tallies(observation.get["tallies"])
    dbutils.fs.put(f"{request.result_folder}/files.jsonl", accounting.tallies_text(tallies), True)
    journal.note(loaded=accounting.totals(tallies))
    accounting.check_conservation(files, tallies)


# COMMAND ----------

# MAGIC %md
# MAGIC ## Verify: the export, mapped again, against what the container holds

# COMMAND ----------


def container_documents() -> DataFrame:
    reader = spark.read.format("cosmos.oltp").options(**cosmos, **read_options())
    return reader.load().select("_rawBody")


def verify(files: tuple[DataFile, ...]) -> None:
    since = journal.found("load_started_at") or int(time.time())
    export = data_files().select("path", "content")
    expected = export.mapInArrow(workers.expected_documents(request, files, since), workers.EXPECTED_SCHEMA)
    actual = container_documents().mapInArrow(workers.actual_documents(request), workers.ACTUAL_SCHEMA)
    compared = expected.alias("e").join(actual.alias("a"), F.expr("e.identity = a.identity"), "full_outer")
    judged = compared.select(
        F.expr("coalesce(e.identity, a.identity)").alias("identity"),
        F.expr("e.identity is not null").alias("expected"),
        F.expr("a.identity is not null").alias("actual"),
        F.expr(verification.judgement_sql(int(time.time()))).alias("mismatch"),
    ).persist()
    counts = judged.agg(*[F.expr(sql).alias(name) for name, sql in verification.COUNTS_SQL.items()]).head()
    verification_counts = verification.summarise(counts.asDict(), request.verify)
    journal.note(verification=verification_counts)
    examples = judged.filter("mismatch is not null").limit(verification.MOST_EXAMPLES).collect()
    judged.unpersist()
    journal.note(mismatches=describe(files, since, {row.identity: row.mismatch for row in examples}))
    verification.check_compared_something(verification_counts, journal.found("loaded"))


def describe(files: tuple[DataFile, ...], since: int, kinds: dict[str, str]) -> list[dict[str, object]]:
    """Return a few mismatches with the properties that differ, which only the whole documents tell."""
    different = frozenset(identity for identity, kind in kinds.items() if kind == "different")
    expected, actual = {}, {}
    if different:
        worker = workers.expected_bodies(request, files, since, different)
        expected = dict(map(tuple, data_files().mapInArrow(worker, workers.BODY_SCHEMA).collect()))
        worker = workers.actual_bodies(request, different)
        actual = dict(map(tuple, container_documents().mapInArrow(worker, workers.BODY_SCHEMA).collect()))
    return verification.describe(kinds, expected, actual)


# COMMAND ----------

# MAGIC %md
# MAGIC ## Run the stages that were asked for

# COMMAND ----------

STAGES = {"assess": assess, "load": load, "verify": verify}

try:
    files: tuple[DataFile, ...] | None = None
    for stage in request.stages:
        with journal.stage(stage):
            files = files or listed_files()
            STAGES[stage](files)
except D2CError as error:
    print(f"{error.title}: {error.detail} {error.next_step}")

# COMMAND ----------

dbutils.notebook.exit(journal.close())
