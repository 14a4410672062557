# Databricks notebook source
# MAGIC %md
# MAGIC # Load one table, or several small ones
# MAGIC
# MAGIC Reads a copied DynamoDB export from the lake and loads it into a Cosmos DB container in three stages:
# MAGIC **assess** checks every data file and maps every item before anything is written, **load** upserts the
# MAGIC documents with the Cosmos DB Spark connector, and **verify** maps the export once more and compares it both
# MAGIC ways with the container's documents. The app starts this notebook with one parameter, the path of a request
# MAGIC file in the lake, or of a list of requests, which run one after another. The results for a table are written
# MAGIC to the folder of its request, and the failure of one table does not stop the next.
# MAGIC
# MAGIC Cluster: Databricks Runtime 17.3 LTS, dedicated access mode, the `d2c` wheel and
# MAGIC `com.azure.cosmos.spark:azure-cosmos-spark_4-0_2-13`.

# COMMAND ----------

import functools
import json
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F

from d2c.errors import D2CError, PermanentError
from d2c.export_format import DataFile, read_export_manifest
from d2c.export_format.manifest import MANIFEST_FILES
from d2c.load_run import accounting, batches, comparing, limits, replaying, verification, workers
from d2c.load_run.census import counts
from d2c.load_run.cosmos_options import cosmos_options, read_options, write_options
from d2c.load_run.mappers import request_mapper
from d2c.load_run.progress import RunProgress, repeated, task_counts
from d2c.load_run.request import LoadRequest, read_requests
from d2c.load_run.spark_errors import readable_cause
from d2c.load_run.unit_log import ended_tables

# COMMAND ----------

dbutils.widgets.text("request", "", "Path in the lake of the list of load requests")
REQUEST_BYTES = 2**20


def read_text(path: str) -> str:
    """Return a small file of the lake."""
    return dbutils.fs.head(path, REQUEST_BYTES)


requests, unit_log = read_requests(dbutils.widgets.get("request"), read_text)

# With opening costs above a partition's size, each file is a partition of its own: a worker holds one data file at a time.
spark.conf.set("spark.sql.files.maxPartitionBytes", str(128 * 2**20))
spark.conf.set("spark.sql.files.openCostInBytes", str(2**30))
# The number of documents, of up to 2 MB each, per batch of a worker: one at a time takes five times as long.
spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "100")
DATA_FILE_SUFFIX = ".json.gz"
SMALL_EXPORT_BYTES = 4 * 2**20
SHUFFLE_PARTITIONS = "spark.sql.shuffle.partitions"
cluster_shuffle_partitions = spark.conf.get(SHUFFLE_PARTITIONS)

# COMMAND ----------

# MAGIC %md
# MAGIC ## The export in the lake


# COMMAND ----------


@dataclass
class Load:
    """The load of one table: its request, its progress, and the export in the lake."""

    request: LoadRequest

    @functools.cached_property
    def progress(self) -> RunProgress:
        return RunProgress(self.put)

    @functools.cached_property
    def cosmos(self) -> dict[str, str]:
        """The connector's options for the table's container."""
        return cosmos_options(self.request, lambda name: dbutils.secrets.get(self.request.secret_scope, name))

    @functools.cached_property
    def files(self) -> tuple[DataFile, ...]:
        """The manifest's data files, after checking that the lake has exactly these."""
        paths = [f"{self.request.export_folder}/{name}" for name in MANIFEST_FILES]
        rows = spark.read.format("binaryFile").load(paths).select("path", "content").coalesce(1).collect()
        contents = {row.path.rpartition("/")[2]: bytes(row.content) for row in rows}
        arns = {"export_arn": self.request.export_arn, "table_arn": self.request.table_arn}
        files = read_export_manifest(contents.__getitem__, **arns).files
        accounting.check_files_present(files, self.sizes)
        accounting.check_file_sizes(self.sizes)
        return files

    @functools.cached_property
    def sizes(self) -> dict[str, int]:
        """The sizes of the data files in the lake, in bytes."""
        listed = dbutils.fs.ls(f"{self.request.export_folder}/data")
        return {file.name: file.size for file in listed if file.name.endswith(DATA_FILE_SUFFIX)}

    @property
    def is_small(self) -> bool:
        """Whether all data files fit in one partition, and more tasks would cost more than they save."""
        return sum(self.sizes.values()) <= SMALL_EXPORT_BYTES

    @functools.cached_property
    def contents(self) -> DataFrame:
        """The export's data files, one row each: path and content. They are listed once."""
        folder = spark.read.format("binaryFile").option("pathGlobFilter", f"*{DATA_FILE_SUFFIX}")
        rows = folder.load(f"{self.request.export_folder}/data").select("path", "content")
        return rows.coalesce(1) if self.is_small else rows

    def put(self, name: str, text: str) -> None:
        """Write a file to the folder of the request."""
        dbutils.fs.put(f"{self.request.result_folder}/{name}", text, True)


def observed_outcomes(rows: DataFrame, worker: batches.Worker) -> tuple[DataFrame, Observation]:
    """Map rows; the observation collects their tallies while the next action consumes the outcomes."""
    outcomes = rows.mapInArrow(worker, batches.OUTCOME_SCHEMA)
    observation = Observation()
    tallies = F.collect_list(F.when(F.col("kind") == "file", F.col("body")))
    return outcomes.observe(observation, F.array_join(tallies, "\n").alias("tallies")), observation


# COMMAND ----------

# MAGIC %md
# MAGIC ## Outcomes of items


# COMMAND ----------


def write_rejected(load: Load, outcomes: DataFrame) -> None:
    """Write the rejected items as JSON lines."""
    rejected = outcomes.filter(F.col("kind") == "rejected").select("body")
    rejected.write.mode("overwrite").text(f"{load.request.result_folder}/rejected")


def upsert_documents(load: Load, outcomes: DataFrame) -> None:
    """Write the documents to the container."""
    documents = outcomes.filter(F.col("kind") == "document").select(F.col("body").alias("_rawBody"))
    documents.write.format("cosmos.oltp").options(**load.cosmos, **write_options()).mode("append").save()


# COMMAND ----------

# MAGIC %md
# MAGIC ## Assess: every file and every item, before anything is written

# COMMAND ----------


def assess(load: Load) -> None:
    files, assessed_at = load.files, int(time.time())
    load.progress.note(assessed_at=assessed_at)
    worker = workers.assess_files(load.request, files, assessed_at)
    outcomes, observation = observed_outcomes(load.contents, worker)
    write_rejected(load, outcomes)
    tallies = accounting.parse_tallies(observation.get["tallies"])
    sums = accounting.totals(tallies)
    load.progress.note(
        assessed=sums, files={"listed": len(files), "verified": accounting.verified(files, tallies)}
    )
    accounting.check_conservation(files, tallies)
    table_census = counts.merged(tally.census for tally in tallies)
    load.progress.note(census=counts.summarise(table_census))
    limits.check_limits(
        sums["rejected_by_reason"],
        table_census.partitions,
        max_rejected_items=load.request.max_rejected_items,
        max_logical_partition_bytes=load.request.max_logical_partition_bytes,
    )


# COMMAND ----------

# MAGIC %md
# MAGIC ## Load: upserts, which makes a second run idempotent

# COMMAND ----------


def load_documents(load: Load) -> None:
    files = load.files
    load.progress.note(load_started_at=int(time.time()))
    worker = workers.load_files(load.request, files, load.progress.found("assessed_at"))
    outcomes, observation = observed_outcomes(load.contents, worker)
    upsert_documents(load, outcomes)
    tallies = accounting.parse_tallies(observation.get["tallies"])
    load.put("files.jsonl", accounting.tallies_text(tallies))
    load.progress.note(loaded=accounting.totals(tallies))
    accounting.check_conservation(files, tallies)


# COMMAND ----------

# MAGIC %md
# MAGIC ## Replay: map the rejected items again, with the new rules

# COMMAND ----------


def rejected_lines(load: Load) -> DataFrame:
    """Return the rejected items of earlier runs as JSON lines, each with its part of a file."""
    lines = spark.read.option("lineSep", "\n").text(load.request.rejected_folder)
    part = F.concat_ws("@", "_metadata.file_name", "_metadata.file_block_start")
    return lines.select(part.alias("part"), "value")


def replay(load: Load) -> None:
    decided_at = int(time.time())
    outcomes, observation = observed_outcomes(
        rejected_lines(load), replaying.decide(load.request, decided_at)
    )
    write_rejected(load, outcomes)
    decided = accounting.parse_tallies(observation.get["tallies"])
    accounting.check_replayed(decided, load.request.items_rejected)
    outcomes, observation = observed_outcomes(rejected_lines(load), replaying.write(load.request, decided_at))
    upsert_documents(load, outcomes)
    written = accounting.parse_tallies(observation.get["tallies"])
    accounting.check_replayed(written, load.request.items_rejected)
    load.progress.note(replayed=accounting.totals(written))


# COMMAND ----------

# MAGIC %md
# MAGIC ## Verify: compare the export, mapped again, with the container's documents

# COMMAND ----------


def container_documents(load: Load) -> DataFrame:
    reader = spark.read.format("cosmos.oltp").options(**load.cosmos, **read_options())
    return reader.load().select("_rawBody")


def verify(load: Load) -> None:
    since = load.request.load_started_at or load.progress.found("load_started_at")
    compare = compare_numbers if load.request.verify == "counts" else compare_documents
    counts, mismatches = compare(load, since)
    load.progress.note(verification={**counts, "method": load.request.verify}, mismatches=mismatches)
    written = sum((load.progress.found(stage) or {}).get("documents", 0) for stage in ("loaded", "replayed"))
    verification.check_compared_something(counts, load.request.documents_written + written)


def compare_numbers(load: Load, since: int) -> tuple[dict, list]:
    """Count the documents of both sides."""
    began_at = int(time.time())
    counted = container_documents(load).mapInArrow(
        comparing.count_actual(load.request), comparing.ACTUAL_COUNTS_SCHEMA
    )
    actual = counted.agg(F.sum("documents")).head()[0] or 0
    worker = comparing.count_expected(load.request, load.files, since, began_at, int(time.time()))
    counted = load.contents.mapInArrow(worker, comparing.EXPECTED_COUNTS_SCHEMA)
    surely, possibly = counted.agg(F.sum("surely"), F.sum("possibly")).head()
    return verification.compare_counts(actual, surely or 0, possibly or 0), []


def compare_documents(load: Load, since: int) -> tuple[dict, list]:
    """Compare all documents, or a sample, by digests; describe a few that differ."""
    worker = comparing.expected_documents(load.request, load.files, since)
    expected = load.contents.mapInArrow(worker, comparing.EXPECTED_SCHEMA)
    actual = container_documents(load).mapInArrow(
        comparing.actual_documents(load.request), comparing.ACTUAL_SCHEMA
    )
    compared = expected.alias("e").join(actual.alias("a"), F.expr("e.identity = a.identity"), "full_outer")
    columns = [F.expr(sql).alias(name) for name, sql in verification.JUDGEMENT_SQL.items()]
    shuffle_partitions = (
        spark.sparkContext.defaultParallelism if load.is_small else cluster_shuffle_partitions
    )
    spark.conf.set(SHUFFLE_PARTITIONS, shuffle_partitions)  # before the plan of the persisted rows is made
    judged = compared.select(*columns).persist()
    try:
        judged.count()  # reads both sides to their ends, which defines the time of reading
        read_at = int(time.time())
        sums = [F.expr(sql).alias(name) for name, sql in verification.counts_sql(read_at).items()]
        counts = judged.agg(*sums).head().asDict()
        return counts, describe(load, since, examples(judged, counts, read_at))
    finally:
        judged.unpersist()


def examples(judged: DataFrame, counts: dict[str, int], read_at: int) -> dict[str, str]:
    """Return a few mismatches of each kind: their kinds by identity."""
    kinds = {}
    for kind in filter(counts.get, verification.KINDS):
        rows = judged.filter(verification.mismatch_sql(kind, read_at)).select("identity")
        rows = rows.orderBy("identity").limit(verification.MOST_EXAMPLES).collect()
        kinds |= {row.identity: kind for row in rows}
    return kinds


def describe(load: Load, since: int, kinds: dict[str, str]) -> list[dict[str, object]]:
    """Return mismatches with the properties that differ, from the whole documents."""
    different = frozenset(identity for identity, kind in kinds.items() if kind == "different")
    expected, actual = {}, {}
    if different:
        worker = comparing.expected_bodies(load.request, load.files, since, different)
        bodies = load.contents.mapInArrow(worker, comparing.BODY_SCHEMA)
        expected = dict(map(tuple, bodies.collect()))
        worker = comparing.actual_bodies(load.request, different)
        actual = dict(
            map(tuple, container_documents(load).mapInArrow(worker, comparing.BODY_SCHEMA).collect())
        )
    has_ttl = request_mapper(load.request).rules.container_has_ttl
    return verification.describe(kinds, expected, actual, ignore_ttl=has_ttl)


# COMMAND ----------

# MAGIC %md
# MAGIC ## Run the requested stages

# COMMAND ----------

STAGES = {"assess": assess, "load": load_documents, "replay": replay, "verify": verify}


@contextmanager
def tasks_counted(progress: RunProgress) -> Iterator[None]:
    """Write how many tasks of the stage's jobs are done, every few seconds."""
    tracker = spark.sparkContext.statusTracker()
    group = spark.sparkContext.getLocalProperty("spark.jobGroup.id")
    before = set(tracker.getJobIdsForGroup(group))
    with repeated(lambda: progress.count(*task_counts(tracker, group, before))):
        yield


def spark_answers() -> bool:
    """Return whether Spark still works, which distinguishes a failure of a table from one of the platform."""
    try:
        return spark.range(1).count() == 1
    except Exception:
        return False


def unexpected(table: str, error: Exception) -> PermanentError:
    """Return an unexpected error as a failure of its table."""
    return PermanentError(
        f"{table}: {type(error).__name__}: {readable_cause(str(error))}",
        "See the run's output in Databricks; a retry overwrites the documents written so far.",
        title="Unexpected error",
    )


def run_stages(load: Load) -> str:
    """Run a table's stages up to the first failure; write the result, and return it as JSON text."""
    load.cosmos  # noqa: B018 - reports a missing secret before anything is read
    try:
        for stage in load.request.stages:
            with load.progress.stage(stage), tasks_counted(load.progress):
                STAGES[stage](load)
    except D2CError as error:
        print(f"{error.title}: {error.detail} {error.next_step}")
    except Exception as error:
        # The run of one table fails, which Databricks shows; the other tables of a run are still loaded.
        if len(requests) == 1 or not spark_answers():
            raise
        traceback.print_exc()
        load.progress.fail(unexpected(load.request.table, error))
    return load.progress.close()


def has_ended(table: str) -> bool:
    """Return whether a table was cancelled since the run was requested."""
    return table in ended_tables([json.loads(line) for line in read_text(unit_log).splitlines()])


# COMMAND ----------

results = {one.table: run_stages(Load(one)) for one in requests if not has_ended(one.table)}
found = json.dumps({table: json.loads(result)["state"] for table, result in results.items()})

# COMMAND ----------

dbutils.notebook.exit(found)
