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

import functools
import time

from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F

from d2c.errors import D2CError
from d2c.export_format import DataFile, read_export_manifest
from d2c.load_run import accounting, batches, census, comparing, limits, replaying, verification, workers
from d2c.load_run.cosmos_options import cosmos_options, read_options, write_options
from d2c.load_run.journal import Journal
from d2c.load_run.mappers import request_mapper
from d2c.load_run.request import LoadRequest, parse_request

# COMMAND ----------

dbutils.widgets.text("request", "", "Path of the load request in the lake")
REQUEST_BYTES = 2**20

request: LoadRequest = parse_request(dbutils.fs.head(dbutils.widgets.get("request"), REQUEST_BYTES))
journal = Journal(lambda name, text: dbutils.fs.put(f"{request.result_folder}/{name}", text, True))
cosmos = cosmos_options(request, lambda name: dbutils.secrets.get(request.secret_scope, name))

# A file that costs more to open than a partition holds is a partition of its own: a worker holds one data file at a time.
spark.conf.set("spark.sql.files.maxPartitionBytes", str(128 * 2**20))
spark.conf.set("spark.sql.files.openCostInBytes", str(2**30))
# Documents, of up to 2 MB, come to a worker as many at a time: one by one takes five times as long.
spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "100")

# COMMAND ----------

# MAGIC %md
# MAGIC ## The export in the lake


# COMMAND ----------


def read_bytes(name: str) -> bytes:
    """Return a file of the export folder, whole."""
    return bytes(spark.read.format("binaryFile").load(f"{request.export_folder}/{name}").head().content)


def data_files(*columns: str) -> DataFrame:
    """Return columns of the export's data files, one row each: path, length, content."""
    folder = spark.read.format("binaryFile").option("pathGlobFilter", "*.json.gz")
    return folder.load(f"{request.export_folder}/data").select(*columns)


@functools.cache
def listed_files() -> tuple[DataFile, ...]:
    """Return the data files that the manifest lists, after checking that just those are in the lake."""
    manifest = read_export_manifest(read_bytes, export_arn=request.export_arn, table_arn=request.table_arn)
    sizes = {row.path.rsplit("/", 1)[-1]: row.length for row in data_files("path", "length").collect()}
    accounting.check_files_present(manifest.files, sizes)
    accounting.check_file_sizes(sizes)
    return manifest.files


def observed_outcomes(rows: DataFrame, worker: batches.Worker) -> tuple[DataFrame, Observation]:
    """Map rows; the observation gathers their tallies as whatever comes next consumes what they became."""
    outcomes = rows.mapInArrow(worker, batches.OUTCOME_SCHEMA)
    observation = Observation()
    tallies = F.collect_list(F.when(F.col("kind") == "file", F.col("body")))
    return outcomes.observe(observation, F.array_join(tallies, "\n").alias("tallies")), observation


# COMMAND ----------

# MAGIC %md
# MAGIC ## What becomes of items


# COMMAND ----------


def write_rejected(outcomes: DataFrame) -> None:
    """Write the rejected items as JSON lines."""
    rejected = outcomes.filter(F.col("kind") == "rejected").select("body")
    rejected.write.mode("overwrite").text(f"{request.result_folder}/rejected")


def upsert_documents(outcomes: DataFrame) -> None:
    """Write the documents to the container."""
    documents = outcomes.filter(F.col("kind") == "document").select(F.col("body").alias("_rawBody"))
    documents.write.format("cosmos.oltp").options(**cosmos, **write_options()).mode("append").save()


# COMMAND ----------

# MAGIC %md
# MAGIC ## Assess: every file and every item, before anything is written

# COMMAND ----------


def assess() -> None:
    files, assessed_at = listed_files(), int(time.time())
    journal.note(assessed_at=assessed_at)
    worker = workers.assess_files(request, files, assessed_at)
    outcomes, observation = observed_outcomes(data_files("path", "content"), worker)
    write_rejected(outcomes)
    tallies = accounting.parse_tallies(observation.get["tallies"])
    sums = accounting.totals(tallies)
    journal.note(assessed=sums, files={"listed": len(files), "verified": accounting.verified(files, tallies)})
    accounting.check_conservation(files, tallies)
    table_census = census.merged(tally.census for tally in tallies)
    journal.note(census=census.summarise(table_census))
    limits.check_limits(
        sums["rejected_by_reason"],
        table_census.partitions,
        max_rejected_items=request.max_rejected_items,
        max_logical_partition_bytes=request.max_logical_partition_bytes,
    )


# COMMAND ----------

# MAGIC %md
# MAGIC ## Load: upserts, so that a second run gives the same container

# COMMAND ----------


def load() -> None:
    files = listed_files()
    journal.note(load_started_at=int(time.time()))
    worker = workers.load_files(request, files, journal.found("assessed_at"))
    outcomes, observation = observed_outcomes(data_files("path", "content"), worker)
    upsert_documents(outcomes)
    tallies = accounting.parse_tallies(observation.get["tallies"])
    dbutils.fs.put(f"{request.result_folder}/files.jsonl", accounting.tallies_text(tallies), True)
    journal.note(loaded=accounting.totals(tallies))
    accounting.check_conservation(files, tallies)


# COMMAND ----------

# MAGIC %md
# MAGIC ## Replay: the rejected items once more, by the rules that there are now

# COMMAND ----------


def rejected_lines() -> DataFrame:
    """Return the rejected items that earlier runs left, as JSON lines, with the part of a file each comes from."""
    lines = spark.read.option("lineSep", "\n").text(request.rejected_folder)
    part = F.concat_ws("@", "_metadata.file_name", "_metadata.file_block_start")
    return lines.select(part.alias("part"), "value")


def replay() -> None:
    decided_at = int(time.time())
    outcomes, observation = observed_outcomes(rejected_lines(), replaying.decide(request, decided_at))
    write_rejected(outcomes)
    decided = accounting.parse_tallies(observation.get["tallies"])
    accounting.check_replayed(decided, request.items_rejected)
    outcomes, observation = observed_outcomes(rejected_lines(), replaying.write(request, decided_at))
    upsert_documents(outcomes)
    written = accounting.parse_tallies(observation.get["tallies"])
    accounting.check_replayed(written, request.items_rejected)
    journal.note(replayed=accounting.totals(written))


# COMMAND ----------

# MAGIC %md
# MAGIC ## Verify: the export, mapped again, against what the container holds

# COMMAND ----------


def container_documents() -> DataFrame:
    reader = spark.read.format("cosmos.oltp").options(**cosmos, **read_options())
    return reader.load().select("_rawBody")


def verify() -> None:
    since = request.load_started_at or journal.found("load_started_at")
    compare = compare_numbers if request.verify == "counts" else compare_documents
    counts, mismatches = compare(since)
    journal.note(verification={**counts, "method": request.verify}, mismatches=mismatches)
    written = sum((journal.found(stage) or {}).get("documents", 0) for stage in ("loaded", "replayed"))
    verification.check_compared_something(counts, request.documents_written + written)


def compare_numbers(since: int) -> tuple[dict, list]:
    """Count the documents of both sides."""
    began_at = int(time.time())
    counted = container_documents().mapInArrow(
        comparing.count_actual(request), comparing.ACTUAL_COUNTS_SCHEMA
    )
    actual = counted.agg(F.sum("documents")).head()[0] or 0
    worker = comparing.count_expected(request, listed_files(), since, began_at, int(time.time()))
    counted = data_files("path", "content").mapInArrow(worker, comparing.EXPECTED_COUNTS_SCHEMA)
    surely, possibly = counted.agg(F.sum("surely"), F.sum("possibly")).head()
    return verification.compare_counts(actual, surely or 0, possibly or 0), []


def compare_documents(since: int) -> tuple[dict, list]:
    """Compare all documents, or a sample, by digests of what they say; describe a few that are unlike."""
    worker = comparing.expected_documents(request, listed_files(), since)
    expected = data_files("path", "content").mapInArrow(worker, comparing.EXPECTED_SCHEMA)
    actual = container_documents().mapInArrow(comparing.actual_documents(request), comparing.ACTUAL_SCHEMA)
    compared = expected.alias("e").join(actual.alias("a"), F.expr("e.identity = a.identity"), "full_outer")
    columns = [F.expr(sql).alias(name) for name, sql in verification.JUDGEMENT_SQL.items()]
    judged = compared.select(*columns).persist()
    judged.count()  # reads both sides to their ends; what had expired is told by then
    read_at = int(time.time())
    counts = judged.agg(*[F.expr(sql).alias(name) for name, sql in verification.counts_sql(read_at).items()])
    found = counts.head().asDict(), describe(since, examples(judged, read_at))
    judged.unpersist()
    return found


def examples(judged: DataFrame, read_at: int) -> dict[str, str]:
    """Return a few mismatches of each kind: their kind by their identity."""
    kinds = {}
    for kind in verification.KINDS:
        rows = judged.filter(verification.mismatch_sql(kind, read_at)).select("identity")
        rows = rows.orderBy("identity").limit(verification.MOST_EXAMPLES).collect()
        kinds |= {row.identity: kind for row in rows}
    return kinds


def describe(since: int, kinds: dict[str, str]) -> list[dict[str, object]]:
    """Return mismatches with the properties that differ, which only the whole documents tell."""
    different = frozenset(identity for identity, kind in kinds.items() if kind == "different")
    expected, actual = {}, {}
    if different:
        worker = comparing.expected_bodies(request, listed_files(), since, different)
        bodies = data_files("path", "content").mapInArrow(worker, comparing.BODY_SCHEMA)
        expected = dict(map(tuple, bodies.collect()))
        worker = comparing.actual_bodies(request, different)
        actual = dict(map(tuple, container_documents().mapInArrow(worker, comparing.BODY_SCHEMA).collect()))
    has_ttl = request_mapper(request).rules.container_has_ttl
    return verification.describe(kinds, expected, actual, ignore_ttl=has_ttl)


# COMMAND ----------

# MAGIC %md
# MAGIC ## Run the stages that were asked for

# COMMAND ----------

STAGES = {"assess": assess, "load": load, "replay": replay, "verify": verify}

try:
    for stage in request.stages:
        with journal.stage(stage):
            STAGES[stage]()
except D2CError as error:
    print(f"{error.title}: {error.detail} {error.next_step}")

# COMMAND ----------

dbutils.notebook.exit(journal.close())
