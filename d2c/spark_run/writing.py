"""The stages that map items: assess, load and replay."""

import json
import time
from collections.abc import Mapping

from pyspark import StorageLevel
from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F  # noqa: N812 - as everywhere in Spark

from d2c.load_run import accounting, batches, cosmos_options, limits, replaying, workers
from d2c.load_run.census import counts
from d2c.load_run.spark_paths import literal
from d2c.spark_run.table_load import CONNECTOR, TableLoad

# So many censuses reach the driver at the most.
MERGED_AT_ONCE = 64


def assess(load: TableLoad) -> None:
    """Check every file and map every item, before anything is written."""
    files, assessed_at = load.files, int(time.time())
    load.progress.note(assessed_at=assessed_at)
    worker = workers.assess_files(load.request, files, assessed_at)
    # What is left of a file is little beside it: its rejected items, its tally and its census.
    outcomes = load.contents.mapInArrow(worker, batches.OUTCOME_SCHEMA).persist(StorageLevel.DISK_ONLY)
    try:
        _write_rejected(load, outcomes)
        tallies, table_census = _merged(outcomes)
    finally:
        outcomes.unpersist()
    sums = accounting.totals(tallies)
    load.progress.note(
        assessed=sums, files={"listed": len(files), "verified": accounting.verified(files, tallies)}
    )
    limits.check_mapped_to_the_end(tallies, load.request.max_rejected_items)
    accounting.check_conservation(files, tallies)
    load.progress.note(census=counts.summarise(table_census))
    limits.check_limits(
        sums["rejected_by_reason"],
        table_census.partitions,
        max_rejected_items=load.request.max_rejected_items,
        max_logical_partition_bytes=load.request.max_logical_partition_bytes,
    )


def load_documents(load: TableLoad) -> None:
    """Upsert the documents, which makes a second run idempotent."""
    files = load.files
    load.progress.note(load_started_at=int(time.time()))
    worker = workers.load_files(load.request, files, load.progress.found("assessed_at"))
    outcomes, observation = _observed_outcomes(load.contents, worker)
    _upsert_documents(load, outcomes, load.progress.found("assessed"))
    tallies = accounting.parse_tallies(observation.get["tallies"])
    load.put("files.jsonl", accounting.tallies_text(tallies))
    load.progress.note(loaded=accounting.totals(tallies))
    accounting.check_conservation(files, tallies)


def replay(load: TableLoad) -> None:
    """Map the rejected items again, with the new rules."""
    decided_at = int(time.time())
    outcomes, observation = _observed_outcomes(
        _rejected_lines(load), replaying.decide(load.request, decided_at)
    )
    _write_rejected(load, outcomes)
    decided = accounting.parse_tallies(observation.get["tallies"])
    accounting.check_replayed(decided, load.request.items_rejected)
    outcomes, observation = _observed_outcomes(
        _rejected_lines(load), replaying.write(load.request, decided_at)
    )
    _upsert_documents(load, outcomes, accounting.totals(decided))
    written = accounting.parse_tallies(observation.get["tallies"])
    accounting.check_replayed(written, load.request.items_rejected)
    load.progress.note(replayed=accounting.totals(written))


def _merged(outcomes: DataFrame) -> tuple[list[accounting.FileTally], counts.Census]:
    """Return the tallies of all files, and their censuses merged: first by the executors, then here.

    A census may have 100 KB. One row with those of 20,000 files would not fit in the driver.
    """
    bodies = outcomes.filter(F.col("kind") == "file").select("body").coalesce(MERGED_AT_ONCE)
    rows = bodies.mapInArrow(workers.merge_censuses, batches.OUTCOME_SCHEMA).collect()
    tallies = accounting.parse_tallies("\n".join(row.body for row in rows if row.kind == "file"))
    return tallies, counts.merged(json.loads(row.body) for row in rows if row.kind == "census")


def _observed_outcomes(rows: DataFrame, worker: batches.Worker) -> tuple[DataFrame, Observation]:
    """Map rows; the observation collects their tallies while the next action consumes the outcomes."""
    outcomes = rows.mapInArrow(worker, batches.OUTCOME_SCHEMA)
    observation = Observation()
    tallies = F.collect_list(F.when(F.col("kind") == "file", F.col("body")))
    return outcomes.observe(observation, F.array_join(tallies, "\n").alias("tallies")), observation


def _write_rejected(load: TableLoad, outcomes: DataFrame) -> None:
    """Write the rejected items as JSON lines."""
    rejected = outcomes.filter(F.col("kind") == "rejected").select("body")
    rejected.write.mode("overwrite").text(f"{load.request.result_folder}/rejected")


def _upsert_documents(load: TableLoad, outcomes: DataFrame, sums: Mapping[str, int]) -> None:
    """Write the documents to the container; the sums are those of an earlier stage."""
    documents = outcomes.filter(F.col("kind") == "document").select(F.col("body").alias("_rawBody"))
    options = cosmos_options.write_options(sums["documents"], sums["document_bytes"])
    documents.write.format(CONNECTOR).options(**load.cosmos, **options).mode("append").save()


def _rejected_lines(load: TableLoad) -> DataFrame:
    """Return the rejected items of earlier runs as JSON lines, each with its part of a file."""
    lines = load.spark.read.option("lineSep", "\n").text(literal(load.request.rejected_folder or ""))
    part = F.concat_ws("@", "_metadata.file_name", "_metadata.file_block_start")
    return lines.select(part.alias("part"), "value")
