"""What the HTTP API answers, and the bodies that it takes: the models of which its OpenAPI document is made."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

State = Literal["pending", "running", "succeeded", "failed", "cancelled"]
Stage = Literal["export", "copy", "prepare", "assess", "load", "verify", "report"]
Operation = Literal["verify", "replay"]
MOMENT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"
Moment = Annotated[str, StringConstraints(pattern=MOMENT), Field(examples=["2026-06-01T12:00:00+00:00"])]
Count = Annotated[int, Field(ge=0)]
Percent = Annotated[int, Field(ge=0, le=100)]
Links = Annotated[dict[str, str], Field(description="Addresses of this API, and Durable Functions' own.")]
Token = Annotated[str | None, Field(description="The `token` of the next page; null on the last one.")]


class Answer(BaseModel):
    """A part of an answer: nothing in it that the document does not name."""

    model_config = ConfigDict(extra="forbid")


class Problem(Answer):
    """Why a call was refused or failed, and what to do about it (RFC 9457)."""

    status: int
    title: str
    detail: str
    next_step: str
    faults: list[str] = Field(
        default=[], description="Every fault of a plan or body, each beginning with the field's place."
    )


class Error(Answer):
    """Why something failed or was cancelled, and what to do about it."""

    title: str
    detail: str
    next_step: str
    transient: bool = Field(description="Whether trying again might have healed it.")
    busy: bool = Field(default=False, description="Whether a service had no room.")
    another_run: bool = Field(description="Whether another run might succeed.")
    cancelled: bool = Field(description="Whether a user asked for it.")
    stage: Stage | None = Field(default=None, description="The stage that it befell.")


class StageError(Error):
    """Why a table's migration failed or was cancelled, and in which stage."""

    stage: Stage


class Waiting(Answer):
    """What a table waits for before its next stage begins."""

    for_: Literal["start", "pause", "window", "slot", "group"] = Field(alias="for")
    until: Moment | None = Field(description="Null where that depends on others.")


class Stall(Answer):
    """A stage without progress for longer than its kind should take."""

    stage: Stage
    since: Moment
    detail: str


class TableStatus(Answer):
    """How a table stands. Counts are null until they are known."""

    table: str
    state: State
    stage: Stage | None
    items_exported: Count | None
    items_written: Count | None
    items_rejected: Count | None
    items_expired: Count | None
    mismatches: Count | None
    percent: Percent
    eta: Moment | None = Field(description="When it may arrive; null while nobody can tell.")
    waiting: Waiting | None
    stalled: Stall | None
    error: StageError | None
    links: Links


class Counts(Answer):
    """How many tables are in each state."""

    pending: Count
    running: Count
    succeeded: Count
    failed: Count
    cancelled: Count


class Items(Answer):
    """What the items of all tables became, as far as it is known."""

    exported: Count
    written: Count
    rejected: Count
    expired: Count


class OperationStatus(Answer):
    """A replay or verification of a migration that had ended."""

    operation: Operation
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
    """How a migration and a page of its tables stand."""

    error: Error | None = Field(description="Why it failed as a whole, beside what its tables say.")
    paused: bool = Field(description="Whether no new stage is to begin.")
    waiting_until: Moment | None = Field(description="Until when the plan's times hold it back.")
    counts: Counts
    items: Items
    percent: Percent
    eta: Moment | None = Field(description="When it may arrive; null while nobody can tell.")
    tables: list[TableStatus]
    next: Token
    operations: list[OperationStatus]
    links: Links


class Accepted(Answer):
    """What was accepted: it is done in the background."""

    id: str
    state: State
    links: Links


class Cancelled(Accepted):
    """What is being cancelled: the migration, or the revisit of it that is named."""

    operation: Operation | None = None
    number: int | None = None


class OperationAccepted(Accepted):
    """A replay or verification that was accepted."""

    operation: Operation
    number: Annotated[int, Field(ge=1)]


class RejectedItem(Answer):
    """An item that cannot become a faithful document."""

    table: str
    file: str
    line: Annotated[int, Field(ge=1)]
    reason: str
    detail: str
    keys: dict[str, Any] | None
    item: Any = Field(description="As exported; the line's text where it is no item.")


class RejectedItems(Answer):
    """A page of the items that are rejected now; it may be short, even empty, and not be the last."""

    rejected: list[RejectedItem]
    next: Token
