"""Types of the data that crosses the durable boundary or is stored in the lake: plain JSON, with its fields named.

Orchestrations and activities exchange it, `d2c.control` starts orchestrations with it, and reports and statuses read
it. A key that may be absent is `NotRequired`; one that is there without a value is None. Times are ISO 8601 with an
offset unless a field says otherwise, sizes are bytes, and paths are paths within the lake's file system.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, Literal, NotRequired, TypedDict, TypeVar, Union, final

State = Literal["succeeded", "failed", "cancelled"]
Operation = Literal["verify", "replay"]
Result = TypeVar("Result")


# ---- Errors, answers and looks ---------------------------------------------------------------------------------------


class ErrorDict(TypedDict):
    """What `D2CError.to_dict` returns: the texts for a user, and the flags that orchestrators decide on."""

    title: str
    detail: str
    next_step: str
    transient: bool  # the same call may succeed later
    busy: bool  # the service has no capacity now; waited for without limit
    another_run: bool  # a new run outside may succeed
    cancelled: bool
    stage: NotRequired[str]  # the stage that failed


@final
class Value(TypedDict, Generic[Result]):
    """An activity's answer when it succeeded."""

    value: Result


@final
class Failure(TypedDict):
    """An activity's answer when it failed."""

    error: ErrorDict


Answer = Union[Value[Result], Failure]  # noqa: UP007 - an alias with a type variable


# Why a stage has not begun: "start", "pause", "window", "slot" or "group"; until is None where nobody knows.
Waiting = TypedDict("Waiting", {"for": str, "until": str | None})


class Progress(TypedDict, total=False):
    """What a look shows of something that is still running; each stage fills what it knows."""

    status: str
    stage: str
    done: int  # bytes or items, out of `total`
    total: int
    files: int
    ru_per_second: int
    wanted_ru_per_second: int
    waiting: Waiting
    waits_for: list[str]  # tables that share the load run and have not joined it


@final
class Running(TypedDict):
    """A look at something that has not ended."""

    state: Literal["running"]
    progress: Progress
    look_again_in_seconds: NotRequired[float | None]


@final
class Succeeded(TypedDict, Generic[Result]):
    """A look at something that has ended well."""

    state: Literal["succeeded"]
    result: Result


Look = Union[Running, Succeeded[Result]]  # noqa: UP007 - an alias with a type variable


# ---- Settings that travel with the work ------------------------------------------------------------------------------


class Waits(TypedDict):
    """The intervals between two looks, in seconds: the first, by how much each grows, and the longest."""

    first_seconds: float
    factor: float
    longest_seconds: float


class Times(TypedDict, total=False):
    """When a plan's stages may begin."""

    start_at: str
    between: list[str]  # two times of the day, HH:MM
    time_zone: str  # IANA


class Rules(TypedDict, total=False):
    """How items become documents, as `d2c.mapping.rules` reads it."""

    partition_key: list[str]
    document_id: list[str]
    rename: dict[str, str]
    drop: list[str]
    set: dict[str, str | int | float | bool | None]
    numbers: Literal["exact", "reject", "string"]
    ttl: Literal["convert", "off"]


class ThroughputSettings(TypedDict):
    """The RU/s of a container while it is loaded, and afterwards (absent: a default, or what it was before)."""

    load_ru_per_second: int | Literal["auto"]
    after_load_ru_per_second: NotRequired[int]


class Limits(TypedDict):
    """What ends a table's load."""

    max_rejected_items: int
    max_logical_partition_bytes: int


class Slots(TypedDict):
    """How many tables may be in a stage at once; None where the number cannot be exceeded."""

    exports: int | None
    copies: int | None
    loads: int | None


class LoadGroup(TypedDict):
    """The tables that share a load run."""

    id: str
    tables: list[str]


# ---- What the stages find --------------------------------------------------------------------------------------------


class Source(TypedDict):
    """A DynamoDB table, as `describe_source` returns it."""

    arn: str
    hash_key: str
    range_key: str | None
    ttl_attribute: str | None
    item_count: int  # DynamoDB's own, up to six hours old
    size_bytes: int
    table_class: NotRequired[str]
    export_time: str


class Export(TypedDict):
    """A complete export, as `look_at_export` returns it."""

    arn: str
    time: str  # the table is exported as of it
    id: str
    folder: str  # in the bucket, or in the lake if others copied it
    items: int
    billed_bytes: int  # uncompressed, as DynamoDB billed them
    bytes: int  # of the compressed data files
    files: int


class Copy(TypedDict):
    """An export in the lake, as `look_at_copy` returns it."""

    folder: str
    files: int
    bytes: int


class ArrivedExport(TypedDict):
    """What the summary of an export says that others copied into the lake."""

    arn: str
    table_arn: str
    time: str
    id: str
    items: int


class Arrived(TypedDict):
    """An export that others copied into the lake, with the standing plan that loads it."""

    folder: str
    plan: str
    bytes: int  # uncompressed, as DynamoDB billed them
    export: ArrivedExport


class Scaling(TypedDict):
    """The RU/s of a container before, during and after the load; None if it has no throughput of its own."""

    before_ru_per_second: int | None
    peak_ru_per_second: int | None
    after_ru_per_second: int | None
    autoscale: bool


class Described(Scaling):
    """What a container has to be, and how it is scaled, as `describe_container` returns it."""

    created: bool
    partition_key_paths: list[str]
    default_ttl: int | None  # seconds; -1: only documents with a ttl expire


class Prepared(TypedDict):
    """The RU/s that a container has for its load; None if it has no throughput of its own."""

    peak_ru_per_second: int | None


class Restored(TypedDict):
    """The RU/s that a container has after its load; None where there was nothing to put back."""

    after_ru_per_second: int | None


class StageEntry(TypedDict):
    """One stage of a table's migration."""

    stage: str
    state: str
    started_at: str
    seconds: NotRequired[float]


class Sums(TypedDict):
    """What the items that a load run read became."""

    lines: int
    documents: int
    expired: int
    rejected: int
    rejected_by_reason: dict[str, int]
    document_bytes: NotRequired[int]


class Verification(TypedDict):
    """Documents compared with items; None where the method does not count it."""

    method: str
    expected: int | None
    actual: int | None
    missing: int | None
    unexpected: int | None
    different: int | None


class LoadResult(TypedDict):
    """What a load run found, as `look_at_load` summarizes it."""

    state: str
    error: ErrorDict | None
    stages: list[StageEntry]
    files: dict[str, int] | None  # listed, verified
    assessed: Sums | None
    loaded: Sums | None
    replayed: Sums | None
    load_started_at: int | None  # epoch seconds
    verification: Verification | None
    result_path: str


class Findings(TypedDict, total=False):
    """What a table's stages have found so far."""

    source: Source
    export: Export
    copy: Copy
    described: Described
    load: LoadResult
    restored: Restored | None


# ---- Tables ----------------------------------------------------------------------------------------------------------


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


# ---- Migrations ------------------------------------------------------------------------------------------------------


class AcceptedPlan(TypedDict):
    """A migration's plan as it was accepted."""

    plan: dict[str, Any]  # `d2c.plan.model.Plan` as JSON
    accepted_at: str
    digest: str
    arrived: NotRequired[Arrived]


class ListedTable(TypedDict):
    """A table of a migration, in the list of them all."""

    table: str
    container: str
    database: str
    account: str | None
    region: str
    size_bytes: int | None
    item_count: int | None
    load_group: LoadGroup | None
    unit: int


class ListedTables(TypedDict):
    """All tables of a migration, and the round that listed them."""

    round: int
    tables: list[ListedTable]


class Unit(TypedDict):
    """The tables that a lane takes at once."""

    tables: list[TableInput]
    together: bool  # side by side, not one after another
    max_parallel_tables: NotRequired[int | None]  # None: it need not wait for others
    number: NotRequired[int]


class Members(TypedDict):
    """The names of the tables of each unit."""

    units: list[list[str]]


@final
class MigrationInput(TypedDict):
    """The input of the orchestration `migrate`: a migration's first round, or a retry."""

    migration: str
    round: int
    times: Times
    waits: Waits


class Work(TypedDict):
    """What the lanes of one round or operation share."""

    migration: str
    name: int | str  # the round's number, or such as verify-1
    folder: str
    waits: Waits
    shared: dict[str, Any]  # goes into the input of every table's orchestration


class LaneInput(Work):
    """The input of one lane, and of its next history."""

    orchestration: str
    lane: int
    turn: int  # how many units it has taken
    states: dict[str, int]
    error: ErrorDict | None
    unit: NotRequired[int]  # the unit taken last


class LaneResult(TypedDict):
    """How many of a lane's tables ended in each state, and its first error."""

    states: NotRequired[dict[str, int]]
    error: ErrorDict | None


class PlacesInput(TypedDict):
    """The input of `look_at_places`."""

    migration: str
    name: int | str
    waits: Waits
    unit: int
    tables: int
    max_parallel_tables: int
    attempt: NotRequired[int]
    run: NotRequired[str]


class LaneCount(TypedDict):
    """What `list_tables` and `list_revisited` return."""

    tables: NotRequired[int]
    lanes: int


class MigrationResult(TypedDict):
    """The result of the orchestrations `migrate` and `revisit`: the worst state, and the tables in each."""

    state: State
    tables: dict[str, int]
    error: ErrorDict | None


class ReportInput(TypedDict):
    """The input of `write_report`."""

    migration: str
    state: State
    error: NotRequired[ErrorDict | None]


class ReportResult(TypedDict):
    """What `write_report` returns: the worst state, and the tables in each."""

    state: State
    tables: dict[str, int]


# `run_to_its_end` takes these: names of activities, their payload, and how far it has come.
Job = TypedDict(
    "Job",
    {
        "start": str,
        "look": str,
        "stop": str | None,
        "payload": Mapping[str, Any],
        "waits": Waits,
        "try": int,
        "run": Any,
        "seconds": NotRequired[float | None],
    },
)


# ---- Operations on a migration that has ended ------------------------------------------------------------------------


class OperationInput(TypedDict):
    """The input of the orchestration `revisit`: a verify or a replay of a migration that has ended."""

    operation: Operation
    number: int
    migration: str
    migration_state: State
    waits: Waits


class OperationTable(TypedDict):
    """One table of a verify or replay; None where nothing else is asked than before."""

    table: str
    rules: Rules | None
    verify: str | None


class OperationFile(OperationInput):
    """A verify or replay as it was accepted."""

    accepted_at: str
    tables: list[OperationTable]
    max_parallel_tables: int


class OperationTableInput(OperationTable):
    """The input of the orchestration `revisit_table`."""

    migration: str
    operation: Operation
    number: int
    waits: Waits


# ---- Cleaning up -----------------------------------------------------------------------------------------------------


class OrphanedTable(TypedDict):
    """A table whose orchestration ended without recording a result."""

    table: str
    round: int
    state: State
    error: ErrorDict
    started_at: str
    found: Findings


class MigrationEnd(TypedDict):
    """How a migration ends that a clean-up ends."""

    state: State
    error: ErrorDict | None


class OrphansFile(TypedDict):
    """The orphans of a migration, in the lake."""

    migration: str
    round: int
    since: str | None  # when the migration was accepted
    tables: list[OrphanedTable]
    containers: list[ContainerHolder]
    ends: MigrationEnd | None


class Orphans(TypedDict):
    """The input of the orchestration `clean_up`, and of its next history: numbers of what `OrphansFile` lists."""

    migration: str
    tables: int
    containers: int
    next: int
    error: ErrorDict | None
    all_told: bool
    waits: Waits


class OrphanInput(TypedDict):
    """The input of the activities of a clean-up: a migration, and the position of one orphan."""

    migration: str
    number: NotRequired[int]


class FreedContainer(TypedDict):
    """A container whose lock a clean-up has released; None where there was no throughput to put back."""

    container: str  # database/container
    after_ru_per_second: int | None


# ---- Checks ----------------------------------------------------------------------------------------------------------


class Reference(TypedDict, total=False):
    """A stored value: the path of its file in the lake, or the value itself where the lake cannot be written."""

    path: str
    value: Any


class CheckInput(TypedDict):
    """The input of the orchestration `check_plan`, and with one of the last four of its activities."""

    check: str
    plan: Reference
    system: NotRequired[str]
    tables: NotRequired[Reference]
    part: NotRequired[int]
    results: NotRequired[list[Reference]]


class CheckParts(TypedDict):
    """What `list_checked_tables` returns: the parts to check, and the findings of the listing itself."""

    parts: list[Reference]
    result: Reference


class CheckResult(TypedDict):
    """The result of a check."""

    state: str
    counts: NotRequired[dict[str, int]]
    error: NotRequired[ErrorDict]
    result: Reference | None
