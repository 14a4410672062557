"""The response models of the HTTP API, from which its OpenAPI document is generated."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from d2c.shapes import ComparingKind, RequestedKind, WaitingFor

State = Literal["pending", "running", "succeeded", "failed", "cancelled"]
Stage = Literal["export", "copy", "prepare", "assess", "load", "verify", "index", "report"]
MOMENT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"
Moment = Annotated[str, StringConstraints(pattern=MOMENT), Field(examples=["2026-06-01T12:00:00+00:00"])]
Count = Annotated[int, Field(ge=0)]
Rate = Annotated[float, Field(ge=0)]
Percent = Annotated[int, Field(ge=0, le=100)]
Links = Annotated[
    dict[str, str],
    Field(
        description="URLs of this API, the orchestration's `id`, and Durable Functions' URL of its status."
    ),
]
Token = Annotated[str | None, Field(description="The `token` of the next page; null on the last one.")]


class Answer(BaseModel):
    """A part of a response, without undocumented fields."""

    model_config = ConfigDict(extra="forbid")


class Problem(Answer):
    """The reason for a rejected or failed call, with the next step (RFC 9457)."""

    status: int
    title: str
    detail: str
    next_step: str
    faults: list[str] = Field(
        default=[], description="All faults of a plan or body, each starting with the path of its field."
    )


class Error(Answer):
    """The reason for a failure or cancellation, with the next step."""

    title: str
    detail: str
    next_step: str
    transient: bool = Field(description="Whether a retry may succeed.")
    busy: bool = Field(default=False, description="Whether a service was at its limit.")
    another_run: bool = Field(description="Whether another run may succeed.")
    cancelled: bool = Field(description="Whether a user cancelled it.")
    stage: Stage | None = Field(default=None, description="The stage that failed or was cancelled.")


class StageError(Error):
    """The reason for a table's failure or cancellation, with the stage."""

    stage: Stage


class Waiting(Answer):
    """The condition that a table waits for before its next stage starts."""

    for_: WaitingFor = Field(
        alias="for",
        description=(
            "`tables`: as many tables as `max_parallel_tables` are under way. `ahead`: enough exported tables wait "
            "to be loaded. `aws_limit`: the exports under way are as large as AWS allows. `container`: another table "
            "loads it. `export_lane`, `copy_lane`, `load_lane`: the stage runs for as many tables as its cap allows. "
            "`throughput`: its items fit, and its container is created and scaled."
        ),
    )
    until: Moment | None = Field(description="Null if the time is not known in advance.")
    place: Annotated[int, Field(ge=1)] | None = Field(
        description="The table's place in the queue before the stage; null where there is none."
    )


class Stall(Answer):
    """A stage without progress for longer than expected of its kind."""

    stage: Stage
    since: Moment
    detail: str


class StageProgress(Answer):
    """How far the stage of a table is: assess, load and verify tell items and bytes, copy bytes."""

    items: Count | None = Field(
        description="Items of the export that the stage has gone through; of verify, the mean of both sides."
    )
    items_total: Count | None
    bytes_: Count | None = Field(
        alias="bytes", description="Bytes of data files; those of a file count in proportion to its items."
    )
    bytes_total: Count | None
    items_per_second: Rate | None = Field(description="The rate of the last two minutes.")
    bytes_per_second: Rate | None


class TableStatus(Answer):
    """The status of a table. Counts are null until they are known."""

    table: str
    state: State
    stage: Stage | None
    items_exported: Count | None
    items_written: Count | None
    items_rejected: Count | None
    items_expired: Count | None
    mismatches: Count | None
    percent: Percent
    progress: StageProgress | None = Field(description="Null for a stage that does not tell.")
    eta: Moment | None = Field(
        description=(
            "Estimated completion time; null until it can be estimated. While a table is loaded and verified it "
            "comes from the rate of the last two minutes."
        )
    )
    waiting: Waiting | None
    stalled: Stall | None
    finding: str | None = Field(
        description="What is wrong with what the stage waits for, such as a data file of 0 bytes; null if nothing is."
    )
    error: StageError | None
    links: Links


class Counts(Answer):
    """The number of tables in each state."""

    pending: Count
    running: Count
    succeeded: Count
    failed: Count
    cancelled: Count


class Items(Answer):
    """The items of all tables by outcome, as far as known."""

    exported: Count
    written: Count
    rejected: Count
    expired: Count


class StageLoad(Answer):
    """How busy a stage is."""

    lanes: Count = Field(
        description="How many tables, or for load how many load runs, it runs at once at the most."
    )
    busy: Count
    waiting: Count = Field(description="Tables that wait for the stage.")


class StageLoads(Answer):
    """How busy the stages are that have lanes."""

    export: StageLoad
    copy_: StageLoad = Field(alias="copy")
    load: StageLoad


class OperationStatus(Answer):
    """A retry, replay or verification of a migration."""

    operation: RequestedKind
    number: Annotated[int, Field(ge=1)]
    state: State
    started_at: Moment
    finished_at: Moment | None
    error: Error | None


class MigrationEntry(Answer):
    """A migration in the list."""

    id: str
    state: State
    started_at: Moment
    finished_at: Moment | None


class Migrations(Answer):
    """A page of migrations, newest first."""

    migrations: list[MigrationEntry]
    next: Token


class MigrationStatus(MigrationEntry):
    """The status of a migration and a page of its tables."""

    error: Error | None = Field(
        description="The error of the migration as a whole; its tables have their own."
    )
    paused: bool = Field(description="Whether the migration is suspended: no new stage starts.")
    waiting_until: Moment | None = Field(
        description="The end of the wait for the plan's start time or window."
    )
    counts: Counts
    items: Items
    percent: Percent
    eta: Moment | None = Field(description="Estimated completion time; null until it can be estimated.")
    stages: StageLoads | None = Field(description="Null unless the migration runs.")
    held_back_by: Literal["export", "copy", "load"] | None = Field(
        description="The stage whose lanes are all busy while most tables wait for it."
    )
    tables: list[TableStatus]
    next: Token
    operations: list[OperationStatus]
    links: Links


class Accepted(Answer):
    """An accepted request, carried out in the background."""

    id: str
    state: State
    links: Links


class Cancelled(Accepted):
    """The migration or the named operation that is being cancelled."""

    operation: ComparingKind | None = None
    number: int | None = None


class OperationAccepted(Accepted):
    """An accepted replay or verification."""

    operation: ComparingKind
    number: Annotated[int, Field(ge=1)]


class RejectedItem(Answer):
    """An item that cannot become a faithful document."""

    table: str
    file: str
    line: Annotated[int, Field(ge=1)]
    reason: str
    detail: str
    keys: dict[str, Any] | None
    item: Any = Field(description="As exported; the text of the line if it is not an item.")


class RejectedItems(Answer):
    """A page of the currently rejected items; a page may be short or empty without being the last."""

    rejected: list[RejectedItem]
    next: Token
