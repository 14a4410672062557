"""Cleaning up after orchestrations that ended early."""

from typing import NotRequired, TypedDict

from d2c.shapes.answers import ErrorDict, State
from d2c.shapes.settings import Waits
from d2c.shapes.tables import ContainerHolder


class OrphanedTable(TypedDict):
    """A table whose lane ended without recording a result."""

    table: str
    operation: int
    state: State
    error: ErrorDict
    started_at: str


class MigrationEnd(TypedDict):
    """How a migration ends that a clean-up ends."""

    state: State
    error: ErrorDict | None


class OrphansFile(TypedDict):
    """The orphans of a migration, in the lake."""

    migration: str
    operation: int
    deployment: NotRequired[str]
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
    all_recorded: bool
    waits: Waits


class OrphanInput(TypedDict):
    """The input of the activities of a clean-up: a migration, and the position of one orphan."""

    migration: str
    number: NotRequired[int]


class FreedContainer(TypedDict):
    """A container whose lock a clean-up has released; None where there was no throughput to put back."""

    container: str  # database/container
    after_ru_per_second: int | None
