"""Compare the load path with the plain recipe for a notebook, in one Spark session on the same data files.

The recipe is the public one: read the export as JSON, whose schema Spark infers, select the columns
`Item.<attribute>.<type>`, and turn them to JSON again. It checks nothing: no MD5, no counts, no rejected items. The
schema's inference is timed with it, since a user waits for it.

Ours are the very workers of the stages: load maps items to documents, assess maps and counts them, and verify digests
both sides, the expected documents from the export and the stored ones, which are read from text files here. All write
into Spark's `noop` sink, so nothing is measured of any store. There are enough items that what a Spark job costs at its
start, whoever maps, is little beside them. Stages take turns, so that other load on the machine
affects all; figures are medians of the rounds after a first one that warms up. Beside the items per second there is the
processor time of Spark's JVM and of its Python workers for an item, which other load affects less.

    python -m benchmarks.load_path [--items 1000000] [--rounds 5] [--without-kernel] [--json]
"""

import argparse
import base64
import contextlib
import gzip
import hashlib
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - as everywhere in Spark

from benchmarks.mapping import KEYS, SEED, flat_item
from d2c.export_format import DataFile
from d2c.load_run import batches, comparing, workers
from d2c.load_run.kernel import module
from d2c.load_run.request import LoadRequest

FILES = 8
STAGES = ("recipe", "load", "assess", "verify expected", "verify stored")
STORED = {
    "_rid": "d2MAAA==",
    "_self": "dbs/d/colls/c/docs/x/",
    "_etag": '"0000"',
    "_attachments": "attachments/",
    "_ts": 1,
}
REQUEST = LoadRequest(
    migration="m",
    table="Orders",
    table_arn="",
    export_arn="",
    stages=("assess", "load", "verify"),
    export_folder="",
    result_folder="",
    hash_key=KEYS.hash_key,
    range_key=KEYS.range_key,
    ttl_attribute=None,
    rules_history=({},),
    max_rejected_items=0,
    verify="full",
    cosmos_endpoint="",
    cosmos_auth="MasterKey",
    secret_scope="d2c",  # noqa: S106 - a name, not a secret
    database="shop",
    container="orders",
)


@dataclass
class Data:
    """A folder with the export's data files, and what the manifest says of them."""

    folder: Path
    files: tuple[DataFile, ...]

    @property
    def exported(self) -> str:
        """The folder of the data files."""
        return str(self.folder / "data")

    @property
    def stored(self) -> str:
        """The folder of the stored documents, one on each line."""
        return str(self.folder / "stored")


def make_data(folder: Path, items: int) -> Data:
    """Write an export's data files."""
    (folder / "data").mkdir()
    source = random.Random(f"{SEED} flat")  # noqa: S311 - a sample, not a secret
    files = []
    for number in range(FILES):
        lines = [orjson.dumps({"Item": flat_item(source, place)}) for place in range(number, items, FILES)]
        content = gzip.compress(b"\n".join(lines) + b"\n", 6, mtime=0)
        name = f"{number}.json.gz"
        (folder / "data" / name).write_bytes(content)
        md5 = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        files.append(DataFile(f"p/AWSDynamoDB/e/data/{name}", name, len(lines), md5))
    return Data(folder, tuple(files))


def start_spark(folder: Path) -> SparkSession:
    """Start Spark on two cores."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_DIRS"] = str(folder)
    builder: Any = SparkSession.builder
    settings = {"ui.enabled": "false", "ui.showConsoleProgress": "false", "driver.memory": "3g"}
    for name, value in settings.items():
        builder = builder.config(f"spark.{name}", value)
    spark: SparkSession = builder.config("spark.log.level", "ERROR").master("local[2]").getOrCreate()
    return spark


def recipe(spark: SparkSession, data: Data) -> DataFrame:
    """Return the documents of the plain recipe."""
    rows = spark.read.json(data.exported)
    item: Any = rows.schema["Item"].dataType
    columns = [
        F.col(f"Item.`{attribute.name}`.`{tag}`").alias(attribute.name)
        for attribute in item.fields
        for tag in attribute.dataType.fieldNames()
    ]
    return rows.select(F.to_json(F.struct(*columns)).alias("_rawBody"))


def contents(spark: SparkSession, data: Data) -> DataFrame:
    """Return the data files, as a load run reads them."""
    return spark.read.format("binaryFile").load(data.exported).select("path", "content")


def load(spark: SparkSession, data: Data) -> DataFrame:
    """Return the documents of the stage load."""
    worker = workers.load_files(REQUEST, data.files, int(time.time()))
    outcomes = contents(spark, data).mapInArrow(switched(worker), batches.OUTCOME_SCHEMA)
    return outcomes.filter(F.col("kind") == "document").select(F.col("body").alias("_rawBody"))


def assess(spark: SparkSession, data: Data) -> DataFrame:
    """Return the outcomes of the stage assess."""
    worker = workers.assess_files(REQUEST, data.files, int(time.time()))
    return contents(spark, data).mapInArrow(switched(worker), batches.OUTCOME_SCHEMA)


def verify_expected(spark: SparkSession, data: Data) -> DataFrame:
    """Return the digests of the documents that should be stored."""
    worker = comparing.expected_documents(REQUEST, data.files, int(time.time()))
    return contents(spark, data).mapInArrow(switched(worker), comparing.EXPECTED_SCHEMA)


def verify_stored(spark: SparkSession, data: Data) -> DataFrame:
    """Return the digests of the stored documents."""
    rows = spark.read.text(data.stored).select(F.col("value").alias("_rawBody"))
    return rows.mapInArrow(switched(comparing.actual_documents(REQUEST)), comparing.ACTUAL_SCHEMA)


def switched(worker: batches.Worker) -> batches.Worker:
    """Return a worker whose process has this one's switch for the kernel."""
    switch = os.environ.get(module.SWITCH, "")

    def run(rows: batches.Batches) -> Iterator[Any]:
        if os.environ.get(module.SWITCH, "") != switch:
            os.environ[module.SWITCH] = switch
            module.native.cache_clear()
        return worker(rows)

    return run


RUNS: dict[str, Callable[[SparkSession, Data], DataFrame]] = dict(
    zip(STAGES, (recipe, load, assess, verify_expected, verify_stored), strict=True)
)


def put_stored(spark: SparkSession, data: Data) -> None:
    """Write the documents as a container would return them."""
    suffix = orjson.dumps(STORED).decode()[1:]
    body = F.concat(F.expr("substring(_rawBody, 1, length(_rawBody) - 1)"), F.lit("," + suffix))
    load(spark, data).select(body).write.text(data.stored)


@dataclass(frozen=True)
class Cost:
    """What one run of a stage took, in seconds: by the clock, and of all processors."""

    seconds: float
    processor_seconds: float


def cost_of(rows: Callable[[], DataFrame]) -> Cost:
    """Return what it takes to make rows and to throw them away."""
    started, before = time.perf_counter(), processor_seconds()
    rows().write.format("noop").mode("overwrite").save()
    return Cost(time.perf_counter() - started, processor_seconds() - before)


def processor_seconds() -> float:
    """Return the processor seconds that this process and all below it have used; on Linux."""
    found: dict[int, tuple[int, int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended
            # After the name, which may have blanks: state, parent, ..., its user and system time, those of its dead
            # children.
            fields = path.read_text().rpartition(")")[2].split()
            found[int(path.parent.name)] = int(fields[1]), sum(map(int, fields[11:15]))
    ours, more = {os.getpid()}, {os.getpid()}
    while more:
        more = {process for process, (parent, _) in found.items() if parent in more}
        ours |= more
    return sum(found[process][1] for process in ours & found.keys()) / os.sysconf("SC_CLK_TCK")


def measure(items: int, rounds: int) -> dict[str, list[Cost]]:
    """Return what each stage took by round."""
    costs: dict[str, list[Cost]] = {name: [] for name in STAGES}
    with tempfile.TemporaryDirectory() as folder:
        data, spark = make_data(Path(folder), items), start_spark(Path(folder))
        try:
            put_stored(spark, data)
            for number in range(rounds + 1):
                for name, run in RUNS.items():
                    cost = cost_of(lambda run=run: run(spark, data))  # type: ignore[misc]
                    if number:
                        costs[name].append(cost)
        finally:
            spark.stop()
    return costs


def ratios(rates: dict[str, list[float]]) -> dict[str, float]:
    """Return how many times as fast one stage is as another, of verify that of its slower side."""
    median = {name: statistics.median(found) for name, found in rates.items()}
    verify = min(median["verify expected"], median["verify stored"])
    return {
        "load_over_recipe": round(median["load"] / median["recipe"], 2),
        "assess_over_load": round(median["assess"] / median["load"], 2),
        "verify_over_load": round(verify / median["load"], 2),
    }


def main() -> None:
    """Print a line for each stage, and last the ratios."""
    parser = argparse.ArgumentParser(
        description="Compare the load path with the plain recipe for a notebook."
    )
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without-kernel", action="store_true", help="map all items in Python")
    parser.add_argument("--json", action="store_true", help="print the ratios as JSON")
    options = parser.parse_args()
    if options.without_kernel:
        os.environ[module.SWITCH] = "off"
    found, word = module.native()
    print(word)
    rates: dict[str, list[float]] = {}
    for name, costs in measure(options.items, options.rounds).items():
        rates[name] = rate = [options.items / cost.seconds for cost in costs]
        each = statistics.median(cost.processor_seconds / options.items for cost in costs) * 1e6
        print(
            f"{name:<16} {statistics.median(rate):>10,.0f} items/s  ({min(rate):,.0f} to {max(rate):,.0f}), "
            f"{each:.1f} µs of processor time an item"
        )
    found_ratios = {**ratios(rates), "kernel": found is not None}
    print(json.dumps(found_ratios) if options.json else found_ratios)


if __name__ == "__main__":
    main()
