"""A table: its settings, the input of its activities, its record, and its end."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

from d2c.shapes.answers import ErrorDict, Operation, State
from d2c.shapes.findings import (
    Arrived,
    Copy,
    Described,
    Export,
    Findings,
    LoadResult,
    Restored,
    Source,
    StageEntry,
    Verification,
)
from d2c.shapes.settings import Limits, LoadGroup, Rules, Slots, ThroughputSettings, Times, Waits


class TableSettings(TypedDict):
    """One table's settings as its plan has them, its own merged over those at the top."""

    table: str
    database: str
    container: str
    account: NotRequired[str]  # absent: the settings' only one
    region: str
    rules: Rules
    throughput: ThroughputSettings
    limits: Limits
    verify: str
    allow_existing_documents: bool


class TableInput(TableSettings):
    """The input of a table's orchestration and, with what its stages found, of each of its activities."""

    migration: str
    round: int
    waits: Waits
    times: NotRequired[Times]
    slots: NotRequired[Slots]
    load_group: NotRequired[LoadGroup | None]
    size_bytes: NotRequired[int | None]
    item_count: NotRequired[int | None]
    arrived: NotRequired[Arrived]
    found: NotRequired[Findings]  # by an earlier round; not found again
    started_at: NotRequired[str]
    source: NotRequired[Source]
    export: NotRequired[Export]
    copy: NotRequired[Copy]
    described: NotRequired[Described]
    load: NotRequired[LoadResult]
    restored: NotRequired[Restored | None]
    kind: NotRequired[str]  # of a slot: exports, copies or loads
    attempt: NotRequired[int]
    run: NotRequired[Any]  # what the start activity returned


class PastOperation(TypedDict):
    """A verify or replay that has ended, in a table's record."""

    operation: Operation
    number: int
    finished_at: str
    items: dict[str, int] | None
    verification: Verification


class TableOutcome(TableInput):
    """A table's settings with all that its stages found, when it ends."""

    state: State
    error: ErrorDict | None
    stages: list[StageEntry]


class TableRecord(TableOutcome):
    """The outcome of a table as the lake stores it, with what operations have changed since."""

    rules_history: NotRequired[list[Rules]]  # the plan's, then those of replays
    rejected_folder: NotRequired[str]
    verified_by: NotRequired[str]  # the result file of the load run that verified last
    revisits: NotRequired[list[PastOperation]]


class LoadScope(TypedDict):
    """What a load run does; that of a verify or a replay comes from `d2c.state.table_record.run_payload`."""

    name: str  # load, or such as verify-1
    stages: Sequence[str]
    rules_history: Sequence[Mapping[str, Any]]
    load_started_at: int | None  # epoch seconds
    documents_written: int
    rejected_folder: str | None
    items_rejected: int


class LoadInput(TypedDict):
    """The input of `start_load`, `look_at_load` and `stop_load`: a table's, or that of a verify or replay of it."""

    migration: str
    table: str
    database: str
    container: str
    rules: Rules
    limits: Limits
    verify: str
    source: Source
    export: Export
    copy: Copy
    waits: Waits
    attempt: NotRequired[int]  # not in that of `stop_load`
    round: NotRequired[int]
    load_group: NotRequired[LoadGroup | None]
    revisit: NotRequired[LoadScope]
    run: NotRequired[int | str]  # the run's id, or what stands for the run that tables share


class TableResult(TypedDict):
    """The result of a table's orchestration."""

    table: NotRequired[str]
    state: State
    error: ErrorDict | None


class TableEnd(TypedDict):
    """A line of the log of ended tables."""

    table: str
    round: int
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
    """Who loads a container: a table of a migration, in one of its rounds."""

    path: NotRequired[str]  # of the lock, where a clean-up names it
    migration: str
    table: str
    round: int
