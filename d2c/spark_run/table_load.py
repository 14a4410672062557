"""The load of one table: its request, its progress, and the export in the lake."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - as everywhere in Spark

from d2c.export_format import DataFile, read_export_manifest
from d2c.export_format.manifest import MANIFEST_FILES, check_sizes
from d2c.load_run import accounting, cosmos_options
from d2c.load_run.counting.item_counts import ItemCounts
from d2c.load_run.counting.reports import Address, Worker, reporting
from d2c.load_run.progress import RunProgress
from d2c.load_run.request import LoadRequest
from d2c.load_run.spark_paths import literal
from d2c.load_run.streamed import check_shown

CONNECTOR = "cosmos.oltp"
DATA_FILE_SUFFIX = ".json.gz"
SMALL_EXPORT_BYTES = 4 * 2**20
# Of streamed files a task has so many bytes, or one file; those of a small table cost more to start than to read.
TASK_BYTES = 32 * 2**20
# Of so few items, the driver maps all in some tens of milliseconds.
FEW_ITEMS = 1_000
FEW_ITEMS_BYTES = 256 * 2**10
CONTENTS = pa.schema([("path", pa.string()), ("content", pa.binary())])
GROUPS = "groups"
# What is read of a manifest as text; the list of an export has some 220 bytes for each data file.
SHORT_MANIFEST_BYTES = 2**20
# Stands in a text for bytes that are none.
NOT_A_CHARACTER = "\N{REPLACEMENT CHARACTER}"


@dataclass
class TableLoad:
    """The load of one table.

    Args:
        request: what it does.
        spark: the notebook's session.
        dbutils: Databricks' utilities.
        reports_to: where tasks report; nowhere if None.
    """

    request: LoadRequest
    spark: SparkSession
    dbutils: Any
    reports_to: Address | None = None

    @functools.cached_property
    def progress(self) -> RunProgress:
        """What the app shows of it."""
        return RunProgress(self.put)

    @functools.cached_property
    def counts(self) -> ItemCounts:
        """What of the running stage is done."""
        return ItemCounts()

    @functools.cached_property
    def cosmos(self) -> dict[str, str]:
        """The connector's options for the table's container."""
        scope = self.request.secret_scope
        return cosmos_options.cosmos_options(self.request, lambda name: self.dbutils.secrets.get(scope, name))

    @functools.cached_property
    def files(self) -> tuple[DataFile, ...]:
        """The manifest's data files, after checking that the lake has exactly these, and that they can be read."""
        accounting.check_files_present(self.listed, self.sizes)
        if self.request.streams_from is None:
            accounting.check_file_sizes(self.sizes)
        else:
            check_shown(f"{self.request.streams_from}/data", self.sizes)
        return self.listed

    @functools.cached_property
    def listed(self) -> tuple[DataFile, ...]:
        """The data files in the manifest; without one there is no folder of them, as for an empty table."""
        arns = {"export_arn": self.request.export_arn, "table_arn": self.request.table_arn}
        contents = self._short_manifests() or self._manifests()
        # Of an empty file Spark makes no row.
        return read_export_manifest(lambda name: bytes(contents.get(name, b"")), **arns).files

    def _short_manifests(self) -> dict[str, bytes] | None:
        """Return the manifests by name, if they are short: without a Spark job. None where one is not, or not there."""
        folder, texts = self.request.export_folder, {}
        for name in MANIFEST_FILES:
            try:
                texts[name] = self.dbutils.fs.head(f"{folder}/{name}", SHORT_MANIFEST_BYTES)
            # It has several types: that of Databricks, that of Java. Spark's names what is missing.
            except Exception:
                return None
            if len(texts[name].encode()) >= SHORT_MANIFEST_BYTES or NOT_A_CHARACTER in texts[name]:
                return None
        contents = {name: text.encode() for name, text in texts.items()}
        check_sizes({name: len(content) for name, content in contents.items()})
        return contents

    def _manifests(self) -> dict[str, bytes]:
        """Return the manifests by name."""
        paths = [literal(f"{self.request.export_folder}/{name}") for name in MANIFEST_FILES]
        # A path that is not there fails the read.
        found = self.spark.read.format("binaryFile").load(paths).coalesce(1)
        # Of columns without the content, Spark opens no file.
        check_sizes(_by_name(found.select("path", "length")))
        return _by_name(found.select("path", "content"))

    @functools.cached_property
    def sizes(self) -> dict[str, int]:
        """The sizes of the data files in the lake, in bytes."""
        listed = self.dbutils.fs.ls(f"{self.request.export_folder}/data") if self.listed else ()
        return {file.name: file.size for file in listed if file.name.endswith(DATA_FILE_SUFFIX)}

    @property
    def is_small(self) -> bool:
        """Whether all data files fit in one partition, and more tasks would cost more than they save."""
        return sum(self.sizes.values()) <= SMALL_EXPORT_BYTES

    @functools.cached_property
    def contents(self) -> DataFrame:
        """The export's data files, one row each: path and content. They are listed once.

        Where workers open them by themselves, rows have no content.
        """
        if not self.listed:
            return self.spark.range(0).selectExpr("'' as path", "binary('') as content")
        if self.request.streams_from is not None:
            return self._paths_of(self.listed)
        folder = self.spark.read.format("binaryFile").option("pathGlobFilter", f"*{DATA_FILE_SUFFIX}")
        rows = folder.load(literal(f"{self.request.export_folder}/data")).select("path", "content")
        return rows.coalesce(1) if self.is_small else rows

    def contents_of(self, files: Sequence[DataFile]) -> DataFrame:
        """Return some of the export's data files, as `contents` has all of them."""
        if len(files) == len(self.listed):
            return self.contents
        if self.request.streams_from is not None:
            return self._paths_of(files)
        paths = [literal(f"{self.request.export_folder}/data/{file.name}") for file in files]
        rows = self.spark.read.format("binaryFile").load(paths).select("path", "content")
        return rows.coalesce(1) if self.is_small else rows

    def _paths_of(self, files: Sequence[DataFile]) -> DataFrame:
        """Return rows with the paths by which workers open data files; none has a line feed in its name."""
        size = sum(self.sizes[file.name] for file in files)
        tasks = max(self.spark.sparkContext.defaultParallelism, -(-size // TASK_BYTES))
        numbers = self.spark.range(0, len(files), 1, 1 if self.is_small else min(tasks, len(files)))
        names = F.split(F.lit("\n".join(file.name for file in files)), "\n")
        name = F.element_at(names, (F.col("id") + 1).cast("int"))
        path = F.concat(F.lit(f"{self.request.streams_from}/data/"), name)
        return numbers.select(path.alias("path"), F.lit(None).cast("binary").alias("content"))

    @property
    def has_few_items(self) -> bool:
        """Whether the driver maps the items itself, since any task would take longer for what surrounds it."""
        if not self.is_small or self.request.streams_from is not None:
            return False
        is_short = sum(self.sizes.values()) <= FEW_ITEMS_BYTES
        return is_short and sum(file.item_count for file in self.listed) <= FEW_ITEMS

    @functools.cached_property
    def _few(self) -> pa.RecordBatch:
        """The data files of a table of few items, read once for all stages."""
        rows = self.contents.collect()
        return pa.RecordBatch.from_pydict(
            {"path": [row.path for row in rows], "content": [bytes(row.content) for row in rows]},
            schema=CONTENTS,
        )

    def mapped(self, worker: Worker, schema: str, files: Sequence[DataFile] | None = None) -> DataFrame:
        """Return what a worker makes of data files.

        Args:
            worker: takes rows of path and content.
            schema: that of the rows that it returns.
            files: some of the table's; all if None.
        """
        if not self.has_few_items:
            rows = self.contents if files is None else self.contents_of(files)
            return rows.mapInArrow(reporting(worker, self.reports_to), schema)
        found = list(worker([self._few]))
        return self.spark.createDataFrame(pa.Table.from_batches(found) if found else [], schema)

    def put(self, name: str, text: str) -> None:
        """Write a file to the folder of the request."""
        self.dbutils.fs.put(f"{self.request.result_folder}/{name}", text, True)

    @property
    def done_folder(self) -> str:
        """The folder of what this run and earlier ones have done."""
        return self.request.done_folder or f"{self.request.result_folder}/done"

    @functools.cached_property
    def done_names(self) -> tuple[str, ...]:
        """The names of the groups of data files that earlier runs have done, in the order of their stages."""
        folder, (above, _, name) = f"{self.done_folder}/{GROUPS}", self.done_folder.rpartition("/")
        if name not in (entry.name.rstrip("/") for entry in self.dbutils.fs.ls(above)):
            return ()
        # Of a folder that is not there, a list fails.
        self.dbutils.fs.mkdirs(folder)
        return tuple(sorted(file.name for file in self.dbutils.fs.ls(folder)))

    def read_done(self, name: str, most_bytes: int) -> str:
        """Return what `put_done` wrote."""
        return str(self.dbutils.fs.head(f"{self.done_folder}/{GROUPS}/{name}", most_bytes))

    def put_done(self, name: str, text: str) -> None:
        """Write a file on data files that are done."""
        self.dbutils.fs.put(f"{self.done_folder}/{GROUPS}/{name}", text, True)

    def read_container(self, options: Mapping[str, str], schema: str | None = None) -> DataFrame:
        """Return what the connector reads from the container."""
        pacing = cosmos_options.pacing_options(self.request.verify_ru_per_second)
        reader = self.spark.read.format(CONNECTOR).options(**self.cosmos, **pacing, **options)
        return (reader.schema(schema) if schema else reader).load()


def _by_name(rows: DataFrame) -> dict[str, Any]:
    """Return the second column's values by the names of the files in the first."""
    return {path.rpartition("/")[2]: value for path, value in rows.collect()}
