"""What a load run writes to the lake for the app, as `d2c.load_run.told` takes it from there.

What is not declared here is not taken.
"""

from typing import Literal, NotRequired, TypedDict

from d2c.shapes.answers import ErrorDict
from d2c.shapes.findings import Sums, Verification


class LoadStage(TypedDict):
    """A stage of a load run that has ended."""

    stage: Literal["assess", "load", "replay", "verify"]
    state: Literal["succeeded", "failed"]
    started_at: str
    seconds: float


class Mismatch(TypedDict):
    """A document that differs from the export, or that one side lacks."""

    kind: Literal["missing", "unexpected", "different"]
    document: str
    properties: list[str]


class DocumentBytes(TypedDict):
    """The sizes of a table's documents; None where there are none."""

    total: int
    p50: int | None
    p99: int | None
    max: int | None
    percentile_error: float


class AttributeCounts(TypedDict):
    """The items that have an attribute, by its type."""

    name: str
    types: dict[str, int]
    inexact_numbers: int


class LogicalPartition(TypedDict):
    """One of a table's largest logical partitions."""

    partition_key: list[str | float | bool | None]
    at_least_bytes: int
    at_most_bytes: int
    part_of_limit: float


class LogicalPartitions(TypedDict):
    """A table's largest logical partitions; no other has more than ``others_at_most_bytes``."""

    limit_bytes: int
    largest: list[LogicalPartition]
    others_at_most_bytes: int


class HotFirstLevel(TypedDict):
    """The value that most documents have in the first level of the partition key, by a sample."""

    value: str
    part: float
    sampled: int
    most_ru_per_second: int


class TableCensus(TypedDict):
    """What assess counted, as `d2c.load_run.census.counts.summarise` returns it."""

    document_bytes: DocumentBytes
    documents_near_2_mb: int
    longest_document_id_bytes: int
    attributes: list[AttributeCounts]
    values_of_other_attributes: int
    never_expiring: NotRequired[dict[str, int]]
    logical_partitions: LogicalPartitions
    hot_first_level: NotRequired[HotFirstLevel | None]
    write_ru: int


class LoadRunResult(TypedDict):
    """The result of a table's load run, with what the stages found that it came to."""

    state: Literal["succeeded", "failed", "assessed"]
    error: ErrorDict | None
    stages: list[LoadStage]
    files: NotRequired[dict[str, int] | None]  # listed, verified
    assessed: NotRequired[Sums | None]
    loaded: NotRequired[Sums | None]
    replayed: NotRequired[Sums | None]
    load_started_at: NotRequired[int | None]  # epoch seconds
    verification: NotRequired[Verification | None]
    mismatches: NotRequired[list[Mismatch]]
    census: NotRequired[TableCensus]


class StageBegun(TypedDict):
    """A stage in the progress of a load run."""

    stage: Literal["assess", "load", "verify", "index"]


class LoadProgress(TypedDict):
    """The progress of a table's load run: its stages, and how much of the last one is done."""

    stages: list[StageBegun]
    is_waiting: NotRequired[bool]  # for the container
    done: NotRequired[int]  # items
    total: NotRequired[int]
    bytes: NotRequired[int]
    bytes_total: NotRequired[int]
    items_per_second: NotRequired[float]
    bytes_per_second: NotRequired[float]
    seconds_left: NotRequired[float]
    seconds_after: NotRequired[float]
