"""The pipeline of an operation: its queue in the lake, its lanes, and the inputs of their activities."""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict, final

from d2c.shapes.answers import ErrorDict
from d2c.shapes.operations import OperationKind
from d2c.shapes.settings import Times, Waits

LaneStage = Literal["export", "copy", "load"]


class QueuedTable(TypedDict):
    """A table as the queue knows it."""

    table: str
    location: str  # its AWS account, if the plan names one, and its region
    container: str  # database/container
    size_bytes: int | None
    items: int | None  # of its export, if there is one already
    enters: LaneStage


class Caps(TypedDict):
    """The limits of an operation's pipeline."""

    export: int  # lanes of an AWS account and region
    copy: int
    load: int
    tables_per_load_run: int
    share_load_run_below_bytes: int
    tables: int | None  # between their first stage's start and their end
    cluster_seconds: float  # the time in which a cluster starts


class QueueFile(TypedDict):
    """What an operation's queue begins with: its caps, and its tables in their order."""

    caps: Caps
    times: Times
    tables: list[QueuedTable]


class QueueEntry(TypedDict):
    """A line of the log of a queue.

    ``claimed``: a lane takes tables; ``passed``: a table has done its stage; ``ended``: a table is done;
    ``abandoned``: nothing more is taken.
    """

    did: Literal["claimed", "passed", "ended", "abandoned"]
    at: str
    stage: NotRequired[LaneStage]
    lane: NotRequired[int]
    turn: NotRequired[int]
    tables: NotRequired[list[str]]
    cancelled: NotRequired[bool]  # taken to be ended, not to be run
    table: NotRequired[str]
    items: NotRequired[int | None]  # of the export of a table that has passed
    state: NotRequired[str]
    error: NotRequired[ErrorDict | None]


class OperationRef(TypedDict):
    """An operation on a migration."""

    migration: str
    operation: int  # 0: the migration's start
    kind: OperationKind
    deployment: NotRequired[str]  # part of its run keys; a migration from before there were any has none


class OperationInput(OperationRef):
    """The input of the orchestration `run_operation`."""

    waits: Waits


class LaneInput(OperationInput):
    """The input of a lane, of its next history, and of the activities of what it has taken."""

    stage: LaneStage
    location: str  # of an export lane; empty for the others
    lane: int  # counted from 0 within the stage
    turn: int  # how often it has taken tables
    is_second_run: NotRequired[bool]  # loads what a first load run has assessed
    attempt: NotRequired[int]
    run: NotRequired[Any]  # what the start activity returned
    error: NotRequired[ErrorDict | None]
    spares_assessed: NotRequired[bool]  # tables that a second load run loads do not end
    restore_error: NotRequired[ErrorDict | None]


class TableRef(OperationRef):
    """The input of the activities of one table; the rest of it is in the file of the lake that it names."""

    file: str
    table: str
    waits: Waits
    started_at: str  # when the stage began


class StageEnd(OperationRef):
    """The input of `pass_on` and `end_table`: a table whose stage has ended."""

    table: str
    stage: str
    started_at: str
    ended_at: str
    found: Mapping[str, Any]
    error: ErrorDict | None
    restore_error: NotRequired[ErrorDict | None]


@final
class Taken(TypedDict):
    """Tables that a lane has taken; only the first is named, since a unit may have many."""

    state: Literal["taken"]
    table: str
    tables: int
    cancelled: bool
    arrived: bool  # others copy the table's export into the lake


@final
class Idle(TypedDict):
    """Nothing to take yet: after how many seconds to look again."""

    state: Literal["idle"]
    seconds: float


@final
class Over(TypedDict):
    """Nothing can come any more."""

    state: Literal["over"]


Take = Taken | Idle | Over


class LaneCounts(TypedDict):
    """What `list_tables` returns: how many tables an operation has, and how many lanes each stage needs."""

    tables: int
    export: dict[str, int]  # by location
    copy: int
    load: int


class LaneEnd(TypedDict):
    """The result of a lane."""

    error: ErrorDict | None


class LostLane(TypedDict):
    """What `end_lost` returns: the next turn of a lane that was lost, and how many tables it ended."""

    turn: int
    tables: int


class OperationResult(TypedDict):
    """The result of the orchestration `run_operation`: the worst state, and the number of tables in each."""

    state: str
    tables: dict[str, int]
    error: ErrorDict | None
