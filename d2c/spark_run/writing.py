"""The stages that map items: assess, load and replay."""

import json
import time
from collections.abc import Mapping, Sequence

from pyspark import StorageLevel
from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F  # noqa: N812 - as everywhere in Spark

from d2c.export_format import DataFile
from d2c.load_run import accounting, batches, cosmos_options, limits, replaying, workers
from d2c.load_run.census import counts
from d2c.load_run.counting.reports import reporting
from d2c.load_run.spark_paths import literal
from d2c.spark_run.grouped import Outcome, StageFiles, stage_files
from d2c.spark_run.table_load import CONNECTOR, TableLoad

# So many censuses reach the driver at the most.
MERGED_AT_ONCE = 64


def assess(load: TableLoad) -> None:
    """Check every file and map every item, before anything is written."""
    files, stage = load.files, stage_files(load, "assess")
    load.progress.note(assessed_at=stage.began_at)

    def assess_group(name: str, group: Sequence[DataFile]) -> Outcome:
        worker = workers.assess_files(load.request, group, stage.began_at)
        outcomes = _outcomes(load, load.contents_of(group), worker)
        # What is left of a file is little beside it: its rejected items, its tally and its census.
        outcomes = outcomes.persist(StorageLevel.DISK_ONLY)
        try:
            tallies, census = _merged(outcomes)
            if any(tally.rejected for tally in tallies):
                _write_rejected(outcomes, _rejected_of(load, name))
        finally:
            outcomes.unpersist()
        return tallies, census.to_json()

    stage.run(assess_group)
    _gather_rejected(load, stage)
    _conclude(load, files, stage)


def _conclude(load: TableLoad, files: Sequence[DataFile], stage: StageFiles) -> None:
    """Check what assess found of all files."""
    tallies = stage.tallies
    sums = accounting.totals(tallies)
    load.progress.note(
        assessed=sums, files={"listed": len(files), "verified": accounting.verified(files, tallies)}
    )
    limits.check_mapped_to_the_end(tallies, load.request.max_rejected_items)
    accounting.check_conservation(files, tallies)
    table_census = counts.merged(group.census for group in stage.done if group.census)
    load.progress.note(census=counts.summarise(table_census))
    limits.check_limits(
        sums["rejected_by_reason"],
        table_census.partitions,
        max_rejected_items=load.request.max_rejected_items,
        max_logical_partition_bytes=load.request.max_logical_partition_bytes,
    )


def load_documents(load: TableLoad) -> None:
    """Upsert the documents, which makes it harmless to write those of a data file again."""
    sums = load.progress.found("assessed")
    ahead = cosmos_options.documents_on_their_way(sums["documents"], sums["document_bytes"])
    files, stage = load.files, stage_files(load, "load", ahead)
    load.progress.note(load_started_at=stage.began_at)

    def load_group(_: str, group: Sequence[DataFile]) -> Outcome:
        worker = workers.load_files(load.request, group, load.progress.found("assessed_at"))
        rows = load.contents_of(group)
        outcomes, observation = _observed(_outcomes(load, rows, worker))
        _upsert_documents(load, outcomes, sums)
        return accounting.parse_tallies(observation.get["tallies"]), None

    stage.run(load_group)
    load.put("files.jsonl", accounting.tallies_text(stage.tallies))
    load.progress.note(loaded=accounting.totals(stage.tallies))
    accounting.check_conservation(files, stage.tallies)


def replay(load: TableLoad) -> None:
    """Map the rejected items again, with the new rules."""
    decided_at = int(time.time())
    worker = replaying.decide(load.request, decided_at)
    outcomes, observation = _observed(_outcomes(load, _rejected_lines(load), worker))
    _write_rejected(outcomes, _rejected_of(load))
    decided = accounting.parse_tallies(observation.get["tallies"])
    accounting.check_replayed(decided, load.request.items_rejected)
    worker = replaying.write(load.request, decided_at)
    outcomes, observation = _observed(_outcomes(load, _rejected_lines(load), worker))
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


def _outcomes(load: TableLoad, rows: DataFrame, worker: batches.Worker) -> DataFrame:
    """Map rows, with reports of the tasks on how far they are."""
    return rows.mapInArrow(reporting(worker, load.reports_to), batches.OUTCOME_SCHEMA)


def _observed(outcomes: DataFrame) -> tuple[DataFrame, Observation]:
    """Collect the tallies of outcomes in an observation, while the next action consumes them."""
    observation = Observation()
    tallies = F.collect_list(F.when(F.col("kind") == "file", F.col("body")))
    return outcomes.observe(observation, F.array_join(tallies, "\n").alias("tallies")), observation


def _rejected_of(load: TableLoad, group: str | None = None) -> str:
    """Return the folder of the rejected items of the table, or of a group of its data files."""
    return f"{load.done_folder}/rejected/{group}" if group else f"{load.request.result_folder}/rejected"


def _write_rejected(outcomes: DataFrame, folder: str) -> None:
    """Write the rejected items as JSON lines."""
    rejected = outcomes.filter(F.col("kind") == "rejected").select("body")
    rejected.write.mode("overwrite").text(folder)


def _gather_rejected(load: TableLoad, stage: StageFiles) -> None:
    """Write the rejected items of all groups to one folder."""
    folders = [literal(_rejected_of(load, group.name)) for group in stage.done if group.has_rejected]
    if folders:
        lines = load.spark.read.option("lineSep", "\n").text(folders)
        lines.write.mode("overwrite").text(_rejected_of(load))
    else:
        # Readers find a folder without any.
        load.put("rejected/_SUCCESS", "")


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
