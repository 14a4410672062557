"""Migrations, and the operations on one that has ended."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

from d2c.shapes.answers import ErrorDict, Progress, State
from d2c.shapes.findings import Arrived
from d2c.shapes.operations import OperationKind, RequestedKind
from d2c.shapes.settings import Waits


class AcceptedPlan(TypedDict):
    """A migration's plan as it was accepted."""

    plan: dict[str, Any]  # `d2c.plan.model.Plan` as JSON
    accepted_at: str
    digest: str
    deployment: NotRequired[str]  # its id, which goes into the run keys
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


class ListedTables(TypedDict):
    """All tables of a migration, and the operation that listed them."""

    operation: int
    tables: list[ListedTable]


class ReportInput(TypedDict):
    """The input of `write_report`; the error is that of the operation as a whole."""

    migration: str
    operation: int
    kind: OperationKind
    error: ErrorDict | None


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
        "part": NotRequired[int],  # absent: the first
        "run": Any,
        "runs_at_most": NotRequired[int],  # that are lost one after the other without progress
        "lost_for_seconds": NotRequired[
            float
        ],  # as long as no run has brought anything for less, more may be lost
        "lost": NotRequired[int],  # so many were
        "lost_since": NotRequired[str | None],  # when the first of them was
        "progress": NotRequired[Progress | None],
        "seconds": NotRequired[float | None],
    },
)


class OperationFile(TypedDict):
    """A retry, verify or replay as it was accepted, in the lake."""

    kind: RequestedKind
    number: int
    migration: str
    migration_state: State
    accepted_at: str
    tables: list[dict[str, Any]]
    caps: dict[str, int]
