"""The report of a migration as the HTTP API answers it: the models of that part of its OpenAPI document."""

from typing import Annotated, Any, Literal

from pydantic import Field

from d2c.api.models import Answer, Count, Error, Moment, Operation, Stage, StageError, State

Seconds = Annotated[float, Field(ge=0)]


class ReportedExport(Answer):
    """The export of a table, as far as it came to one."""

    arn: str | None
    time: Moment | None
    items: Count | None
    bytes: Count | None
    billed_bytes: Count | None


class ReportedFiles(Answer):
    """Data files that the manifest lists, and those whose MD5 and item count held."""

    listed: Count | None
    verified: Count | None


class ReportedItems(Answer):
    """What the items of a table became: exported = written + rejected + expired."""

    exported: Count | None
    written: Count | None
    rejected: Count | None
    expired: Count | None


class Verification(Answer):
    """Documents that were expected and found, and by how many these are unlike."""

    method: str | None
    expected: Count | None
    actual: Count | None
    missing: Count | None
    unexpected: Count | None
    different: Count | None


class Mismatch(Answer):
    """A document that is not what the export says."""

    kind: Literal["missing", "unexpected", "different"]
    document: str
    properties: list[str]


class ReplayedItems(Answer):
    """What rejected items became in a replay."""

    replayed: Count
    written: Count
    rejected: Count
    expired: Count


class Revisit(Answer):
    """A replay or verification that came later."""

    operation: Operation
    number: Annotated[int, Field(ge=1)]
    finished_at: Moment
    items: ReplayedItems | None
    verification: Verification


class ReportedStage(Answer):
    """A stage that a table came to."""

    stage: Stage
    state: State
    started_at: Moment
    seconds: Seconds


class DocumentBytes(Answer):
    """Sizes of the documents."""

    total: Count
    p50: Count | None
    p99: Count | None
    max: Count | None
    percentile_error: float


class AttributeTypes(Answer):
    """How many items have an attribute with which type."""

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


class LoadEstimate(Answer):
    """How long the load takes with some throughput."""

    ru_per_second: Count
    seconds: Count
    planned: bool


class ReportedCensus(Answer):
    """What assess counted before anything was written."""

    document_bytes: DocumentBytes
    documents_near_2_mb: Count
    longest_document_id_bytes: Count
    attributes: list[AttributeTypes]
    values_of_other_attributes: Count
    logical_partitions: LogicalPartitions
    write_ru: Count
    load_estimate: list[LoadEstimate]


class ReportedThroughput(Answer):
    """The container's RU/s before the load, in it, and after it."""

    before_ru_per_second: Count | None
    peak_ru_per_second: Count | None
    after_ru_per_second: Count | None


class EstimatedAndActual(Answer):
    """What was expected of something, and what it came to."""

    what: str
    unit: str
    estimated: Annotated[float, Field(ge=0)] | None
    actual: Annotated[float, Field(ge=0)] | None


class TableReport(Answer):
    """What one table's stages found."""

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
    revisits: list[Revisit]
    mismatches: list[Mismatch] = Field(description="Examples.")
    stages: list[ReportedStage]
    census: ReportedCensus | None
    throughput: ReportedThroughput
    estimate: list[EstimatedAndActual] | None = Field(
        default=None, description="Null where the size was unknown, or others made the export."
    )


class Report(Answer):
    """What became of a migration."""

    id: str
    state: State
    started_at: Moment
    error: Error | None = None
    plan: dict[str, Any] = Field(description="As it was accepted.")
    tables: list[TableReport]
    estimate: list[EstimatedAndActual] | None = Field(
        default=None, description="Of all tables, summed over what is known on both sides."
    )
