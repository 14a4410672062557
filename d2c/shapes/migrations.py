"""Migrations with their units and lanes, and the operations on one that has ended."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict, final

from d2c.shapes.answers import ErrorDict, Operation, State
from d2c.shapes.findings import Arrived
from d2c.shapes.settings import LoadGroup, Rules, Times, Waits
from d2c.shapes.tables import TableInput


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
