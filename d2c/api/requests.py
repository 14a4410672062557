"""Bodies of requests, validated whole, with every fault named at once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError

from d2c.errors import BodyError
from d2c.plan.model import LimitsPlan, RulesPlan, StrictModel, TableName, ThroughputPlan, Verify, fault_text

Model = TypeVar("Model", bound=StrictModel)


def read_body(model: type[Model], body: bytes) -> Model:
    """Read the body of a request.

    Args:
        model: what it has to be.
        body: UTF-8 JSON, or nothing where all fields may be left out.

    Raises:
        BodyError: with every fault of it.
    """
    try:
        return model.model_validate_json(body.strip() or b"{}")
    except ValidationError as error:
        raise BodyError([fault_text(item, "the body") for item in error.errors()]) from None


class RetryTable(StrictModel):
    """A table that is retried, and what changes for it; within `rules`, `throughput` and `limits` field by field."""

    table: TableName
    rules: RulesPlan | None = None
    throughput: ThroughputPlan | None = None
    limits: LimitsPlan | None = None
    verify: Verify | None = None
    allow_existing_documents: bool | None = None


class RetryBody(StrictModel):
    """Which tables are retried; all that failed or were cancelled, where it is left out."""

    tables: Annotated[list[RetryTable], Field(min_length=1)] | None = None


def parse_retry(body: bytes, known_tables: Sequence[str]) -> list[dict[str, Any]] | None:
    """Read the body of a retry's request.

    Args:
        body: UTF-8 JSON as ``docs/reference/http-api.md`` describes it, or nothing.
        known_tables: the tables of the migration.

    Returns:
        Each table that is named with what changes for it, or None if none is named.

    Raises:
        BodyError: with every fault of it.
    """
    parsed = read_body(RetryBody, body)
    if parsed.tables is None:
        return None
    faults = list(_faults(parsed.tables, known_tables))
    if faults:
        raise BodyError(faults)
    return [table.model_dump(mode="json", exclude_none=True) for table in parsed.tables]


def _faults(tables: Sequence[RetryTable], known_tables: Sequence[str]) -> Iterator[str]:
    first: dict[str, int] = {}
    for number, entry in enumerate(tables):
        if entry.table not in known_tables:
            yield f"tables.{number}.table: {entry.table} is no table of the migration"
        if first.setdefault(entry.table, number) != number:
            yield f"tables.{number}.table: {entry.table} is in tables.{first[entry.table]} already"


class VerifyBody(StrictModel):
    """Which tables are verified, and how; all of them, and as the plan says, where it is left out."""

    tables: Annotated[list[TableName], Field(min_length=1)] | None = None
    verify: Verify | None = None


class ReplayTable(StrictModel):
    """A table whose rejected items are replayed, and the rules that change for them."""

    table: TableName
    rules: RulesPlan | None = None


class ReplayBody(StrictModel):
    """Which tables' rejected items are replayed; those of all that have some, where it is left out."""

    tables: Annotated[list[ReplayTable], Field(min_length=1)] | None = None


@dataclass(frozen=True)
class Asked:
    """What a revisit is asked.

    ``tables`` has the changed rules of each table by its name, None where none change; it is None if no table is
    named. ``verify`` is None if it is to be as before.
    """

    tables: Mapping[str, Mapping[str, Any] | None] | None
    verify: str | None = None


def parse_body(operation: str, body: bytes, known_tables: Sequence[str]) -> Asked:
    """Read the body of a revisit's request.

    Args:
        operation: ``verify`` or ``replay``.
        body: UTF-8 JSON as ``docs/reference/http-api.md`` describes it, or nothing.
        known_tables: the tables of the migration.

    Raises:
        BodyError: with every fault of it.
    """
    model, read = _BODIES[operation]
    parsed = read_body(model, body)
    named, asked = read(parsed)
    faults = [*_faults_of_names(named, known_tables)]
    if faults:
        raise BodyError(faults)
    return asked


def _verify_asked(body: Any) -> tuple[list[str], Asked]:
    names = body.tables or []
    return names, Asked(dict.fromkeys(names) or None, body.verify)


def _replay_asked(body: Any) -> tuple[list[str], Asked]:
    entries = body.tables or []
    rules = {
        entry.table: entry.rules and entry.rules.model_dump(mode="json", exclude_none=True)
        for entry in entries
    }
    return [entry.table for entry in entries], Asked(rules or None)


_BODIES: dict[str, tuple[type[StrictModel], Callable[[Any], tuple[list[str], Asked]]]] = {
    "verify": (VerifyBody, _verify_asked),
    "replay": (ReplayBody, _replay_asked),
}


def _faults_of_names(names: Sequence[str], known_tables: Sequence[str]) -> Iterator[str]:
    first: dict[str, int] = {}
    for number, name in enumerate(names):
        if name not in known_tables:
            yield f"tables.{number}: {name} is no table of the migration"
        if first.setdefault(name, number) != number:
            yield f"tables.{number}: {name} is in tables.{first[name]} already"


class CancelBody(StrictModel):
    """Which tables are cancelled; the whole migration, where it is left out."""

    tables: Annotated[list[TableName], Field(min_length=1)] | None = None


def parse_cancel(body: bytes, known_tables: Sequence[str]) -> list[str] | None:
    """Read the body of a request to cancel; the result is the tables that it names, or None.

    Args:
        body: UTF-8 JSON as ``docs/reference/http-api.md`` describes it, or nothing.
        known_tables: the tables of the migration.

    Raises:
        BodyError: with every fault of it.
    """
    tables = read_body(CancelBody, body).tables
    faults = [
        f"tables.{number}: {name} is no table of the migration"
        for number, name in enumerate(tables or ())
        if name not in known_tables
    ]
    if faults:
        raise BodyError(faults)
    return tables
