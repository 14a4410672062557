"""The report of a migration in the HTTP API: the models of this part of its OpenAPI document."""

from typing import Annotated, Any, Literal

from pydantic import Field

from d2c.api.models import Answer, Count, Error, Moment, Percent, Stage, StageError, State
from d2c.shapes import ComparingKind

Seconds = Annotated[float, Field(ge=0)]
VERIFY_RU = "With which verify read the container at most; null: as fast as it could."


class ReportedExport(Answer):
    """The export of a table; null fields if it was not exported."""

    arn: str | None
    time: Moment | None
    items: Count | None
    bytes: Count | None
    billed_bytes: Count | None


class ReportedFiles(Answer):
    """Data files in the manifest, and those with the correct MD5 and item count."""

    listed: Count | None
    verified: Count | None


class ReportedItems(Answer):
    """The items of a table by outcome: exported = written + rejected + expired."""

    exported: Count | None
    written: Count | None
    rejected: Count | None
    expired: Count | None


class Verification(Answer):
    """Expected and actual documents, and the number of mismatches by kind."""

    method: str | None
    expected: Count | None
    actual: Count | None
    missing: Count | None
    unexpected: Count | None
    different: Count | None


class Mismatch(Answer):
    """A document that differs from the export."""

    kind: Literal["missing", "unexpected", "different"]
    document: str
    properties: list[str]


class ReplayedItems(Answer):
    """The replayed items by outcome."""

    replayed: Count
    written: Count
    rejected: Count
    expired: Count


class ReportedOperation(Answer):
    """A later replay or verification."""

    operation: ComparingKind
    number: Annotated[int, Field(ge=1)]
    finished_at: Moment
    items: ReplayedItems | None
    verification: Verification
    verify_ru_per_second: Count | None = Field(default=None, description=VERIFY_RU)


class ReportedStage(Answer):
    """A stage that a table reached."""

    stage: Stage
    state: State
    started_at: Moment
    seconds: Seconds


class DocumentBytes(Answer):
    """The sizes of the documents."""

    total: Count
    p50: Count | None
    p99: Count | None
    max: Count | None
    percentile_error: float


class AttributeTypes(Answer):
    """The number of items by type of an attribute."""

    name: str
    types: dict[str, Count]
    inexact_numbers: Count


class LogicalPartition(Answer):
    """One of the largest logical partitions."""

    partition_key: list[Any]
    at_least_bytes: Count
    at_most_bytes: Count
    part_of_limit: float


class LogicalPartitions(Answer):
    """The largest logical partitions; no other has more than ``others_at_most_bytes``."""

    limit_bytes: Count
    largest: list[LogicalPartition]
    others_at_most_bytes: Count


class HotFirstLevel(Answer):
    """A value of the first level of a hierarchical partition key that so many documents have that it slows a load."""

    value: str = Field(description="As JSON, cut if it is long.")
    part: float = Field(description="The part of the sampled documents that have it.")
    sampled: Count
    most_ru_per_second: Count = Field(
        description="What a load can write with at most, until the value's physical partition splits."
    )


class LoadEstimate(Answer):
    """The duration of the load at a given throughput."""

    ru_per_second: Count
    seconds: Count
    planned: bool


class ReportedCensus(Answer):
    """The counts of the stage ``assess``, taken before anything is written."""

    document_bytes: DocumentBytes
    documents_near_2_mb: Count
    longest_document_id_bytes: Count
    attributes: list[AttributeTypes]
    values_of_other_attributes: Count
    never_expiring: dict[Literal["not_a_number", "milliseconds", "long_past"], Count] = Field(
        default={},
        description="Items whose time-to-live attribute has a value by which they never expire, by cause.",
    )
    logical_partitions: LogicalPartitions
    hot_first_level: HotFirstLevel | None = None
    write_ru: Count = Field(description="With the container's indexes.")
    write_factor: float = Field(description="By how much the indexes multiply a write.")
    load_estimate: list[LoadEstimate]


class ReportedThroughput(Answer):
    """The container's RU/s before, during and after the load; or its database's, which it shares with others."""

    before_ru_per_second: Count | None
    peak_ru_per_second: Count | None
    after_ru_per_second: Count | None
    shared_ru_per_second: Count | None = None
    verify_ru_per_second: Count | None = Field(default=None, description=VERIFY_RU)


class ReportedRequestUnits(Answer):
    """The request units of the load: estimated by the documents' sizes, and counted by Azure Monitor.

    What Azure Monitor has not counted yet, or does not show, is null.
    """

    estimated: Count | None
    counted_ru: Count | None
    used_part: float | None = Field(
        description="Of the container's RU/s, between the first and the last tenth of the load, by whole minutes; "
        "null for a load of a few minutes."
    )
    highest_use_percent: float | None = Field(
        description="The largest part of a physical partition's RU/s that was used in a second."
    )


class ReportedIndexing(Answer):
    """Indexes that a container got after its load, for which it kept the load's RU/s."""

    percent: Percent = Field(
        description="How far the service was when it was waited for no longer; 100: the indexes are in use."
    )
    seconds: Seconds
    estimated_ru: Count | None = Field(description="What the indexes add to writing all documents.")
    counted_ru: Count | None = Field(
        description="By Azure Monitor, of everything but reads in the whole minutes after the load; null for a time "
        "without such a minute, or what is not counted yet."
    )


class EstimatedAndActual(Answer):
    """An estimated and an actual figure."""

    what: str
    unit: str
    estimated: Annotated[float, Field(ge=0)] | None
    actual: Annotated[float, Field(ge=0)] | None


class TableReport(Answer):
    """The results of a table's stages."""

    table: str
    container: str
    database: str
    state: State
    error: StageError | None
    export: ReportedExport
    files: ReportedFiles
    items: ReportedItems
    rejected_by_reason: dict[str, Count]
    verification: Verification
    operations: list[ReportedOperation]
    mismatches: list[Mismatch] = Field(description="Some of the mismatches.")
    stages: list[ReportedStage]
    census: ReportedCensus | None
    throughput: ReportedThroughput
    request_units: ReportedRequestUnits | None = Field(
        default=None, description="Null in reports of versions that did not ask for them."
    )
    indexing: ReportedIndexing | None = Field(
        default=None, description="Null if the container had its indexes during the load."
    )
    estimate: list[EstimatedAndActual] | None = Field(
        default=None, description="Null if the size was unknown, or for an existing export."
    )


class Report(Answer):
    """The report of a migration."""

    id: str
    state: State
    started_at: Moment
    error: Error | None = None
    plan: dict[str, Any] = Field(description="The plan as accepted.")
    tables: list[TableReport]
    estimate: list[EstimatedAndActual] | None = Field(
        default=None, description="The sums of all tables for which both figures are known."
    )
