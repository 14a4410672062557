"""A table: its settings, the input of its activities, its record, and its end."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

from d2c.shapes.answers import ErrorDict, State
from d2c.shapes.findings import (
    Arrived,
    AssessedSums,
    Consumed,
    Copy,
    Described,
    Export,
    LoadResult,
    Restored,
    Source,
    StageEntry,
    Verification,
)
from d2c.shapes.operations import ComparingKind
from d2c.shapes.settings import DatabaseThroughput, Limits, Rules, ThroughputSettings, Waits


class TableSettings(TypedDict):
    """One table's settings as its plan has them, its own merged over those at the top."""

    table: str
    database: str
    container: str
    account: NotRequired[str]  # absent: the settings' only one
    region: str
    rules: Rules
    indexing: NotRequired[
        str | Mapping[str, Any]
    ]  # keys, all or a policy; absent in what older versions stored
    apply_indexing: NotRequired[Literal["at_creation", "after_load"]]  # absent: as it is created
    throughput: ThroughputSettings
    limits: Limits
    verify: str
    allow_existing_documents: bool


class LoadScope(TypedDict):
    """What a load run does; that of a verify or a replay comes from `d2c.state.table_record.compared_input`."""

    stages: Sequence[str]
    rules_history: Sequence[Mapping[str, Any]]
    load_started_at: int | None  # epoch seconds
    documents_written: int
    rejected_folder: str | None
    items_rejected: int


class TableInput(TableSettings):
    """A table in an operation, as the lake stores it, and the input of each of its activities."""

    migration: str
    operation: int
    deployment: NotRequired[str]
    waits: NotRequired[Waits]
    size_bytes: NotRequired[int | None]
    item_count: NotRequired[int | None]
    tables_per_run: NotRequired[int]  # about how many tables share its load run
    arrived: NotRequired[Arrived]
    started_at: NotRequired[str]
    stages: list[StageEntry]
    source: NotRequired[Source]
    export: NotRequired[Export]
    copy: NotRequired[Copy]
    described: NotRequired[Described]
    may_have_written: NotRequired[bool]  # a load of an earlier operation
    prepare_began: NotRequired[str]
    is_prepared: NotRequired[bool]  # the container is taken, and fits
    assessed: NotRequired[AssessedSums]
    may_be_scaled: NotRequired[bool]  # kept before anything is asked of the container
    is_asked_for: NotRequired[bool]  # the load's throughput
    is_scaled: NotRequired[bool]
    is_let_go: NotRequired[bool]  # kept before the load run is told: from now on it may write
    assessed_in: NotRequired[str]  # the folder of the load run that has assessed it for a second one
    rejected_folder: NotRequired[str]  # where it is not the result's
    failures: NotRequired[int]  # in a row, of the activities of its unit
    load: NotRequired[LoadResult]
    verify_ru_per_second: NotRequired[int]  # with which verify reads at most; absent: as fast as it can
    indexing_began: NotRequired[str]
    is_indexing: NotRequired[bool]  # the final indexing policy has been applied
    indexed_percent: NotRequired[int]  # when it was waited for no longer
    restored: NotRequired[Restored | None]
    scope: NotRequired[LoadScope]  # of a verify or a replay
    attempt: NotRequired[int]
    part: NotRequired[int]  # of its copy; absent: the first
    run: NotRequired[Any]  # what the start activity returned


class PastOperation(TypedDict):
    """A verify or replay that has ended, in a table's record."""

    operation: ComparingKind
    number: int
    finished_at: str
    items: dict[str, int] | None
    verification: Verification | None
    verify_ru_per_second: NotRequired[int | None]


class TableOutcome(TableInput):
    """A table's settings with all that its stages found, when it ends."""

    state: State
    error: ErrorDict | None


class TableRecord(TableOutcome):
    """The outcome of a table as the lake stores it, with what operations have changed since."""

    rules_history: NotRequired[list[Rules]]  # the plan's, then those of replays
    verified_by: NotRequired[str]  # the result file of the load run that verified last
    operations: NotRequired[list[PastOperation]]
    consumed: NotRequired[Consumed]


class TableEnd(TypedDict):
    """A line of the log of ended tables."""

    table: str
    operation: int
    state: State
    stage: str
    error: ErrorDict | None
    items_exported: int | None
    items_written: int | None
    items_rejected: int | None
    items_expired: int | None
    mismatches: int | None
    started_at: str
    finished_at: str


class ContainerHolder(TypedDict):
    """What loads a container: a table of a migration, in one of its operations."""

    path: NotRequired[str]  # of the lock, where a clean-up names it
    migration: str
    table: str
    operation: int


class ContainerLock(ContainerHolder):
    """The lock of a container in the lake: its holder, and from then on what the container has to be and was."""

    database: NotRequired[str]
    container: NotRequired[str]
    taken_at: NotRequired[str]
    being_put_back: NotRequired[bool]
    created: NotRequired[bool]
    partition_key_paths: NotRequired[list[str]]
    default_ttl: NotRequired[int | None]
    before_ru_per_second: NotRequired[int | None]
    create_ru_per_second: NotRequired[int | None]
    peak_ru_per_second: NotRequired[int | None]
    after_ru_per_second: NotRequired[int | None]
    autoscale: NotRequired[bool]
    shared: NotRequired[DatabaseThroughput]
    indexing_policy: NotRequired[dict[str, Any]]
    final_policy: NotRequired[dict[str, Any]]
