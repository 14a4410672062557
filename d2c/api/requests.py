"""Bodies of requests, validated completely, with every fault reported at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypedDict, TypeVar

from pydantic import Field, ValidationError

from d2c.errors import MOST_FAULTS, BodyError
from d2c.foreign_json import ForeignJsonError, json_value
from d2c.plan.fields import MaxParallel, MaxParallelExports, TableName, Verify
from d2c.plan.indexing import ApplyIndexing, IndexingPlan
from d2c.plan.model import LimitsPlan, RulesPlan, StrictModel, ThroughputPlan, fault_texts
from d2c.shapes import ComparingKind

Model = TypeVar("Model", bound=StrictModel)
# A retry that changes the rules of 1,000 tables has some 250 KB.
MOST_BODY_BYTES = 2**19


def read_body(model: type[Model], body: bytes) -> Model:
    """Read the body of a request.

    Args:
        model: of the body.
        body: UTF-8 JSON, or nothing where all fields may be left out.

    Raises:
        BodyError: with every fault of it.
    """
    try:
        return model.model_validate(json_value(body.strip() or b"{}", "the body", MOST_BODY_BYTES))
    except ForeignJsonError as error:
        raise BodyError(error.faults) from None
    except ValidationError as error:
        errors = error.errors(include_url=False)
        raise BodyError(fault_texts(errors, "the body"), more=len(errors) - MOST_FAULTS) from None


class RetryTable(StrictModel):
    """A table that is retried, and its changes; within `rules`, `throughput` and `limits` field by field."""

    table: TableName
    rules: RulesPlan | None = None
    indexing: IndexingPlan | None = None
    apply_indexing: ApplyIndexing | None = None
    throughput: ThroughputPlan | None = None
    limits: LimitsPlan | None = None
    verify: Verify | None = None
    allow_existing_documents: bool | None = None


class RetryBody(StrictModel):
    """Which tables are retried, all that failed or were cancelled where it is left out, and with which caps."""

    tables: Annotated[list[RetryTable], Field(min_length=1)] | None = None
    max_parallel_exports: MaxParallelExports | None = None
    max_parallel_copies: MaxParallel | None = None
    max_parallel_loads: MaxParallel | None = None
    max_parallel_tables: MaxParallel | None = None


@dataclass(frozen=True)
class RetryRequest:
    """The request of a retry: each table that is named with its changes, None if none is, and the caps that change."""

    tables: list[dict[str, Any]] | None
    caps: dict[str, int]


def parse_retry(body: bytes, known_tables: Sequence[str] | None) -> RetryRequest:
    """Read the body of a retry's request.

    Args:
        body: UTF-8 JSON as ``docs/reference/http-api.md`` describes it, or nothing.
        known_tables: the tables of the migration; None if it ended before they were listed.

    Raises:
        BodyError: with every fault of it.
    """
    parsed = read_body(RetryBody, body)
    caps = parsed.model_dump(mode="json", exclude_none=True, exclude={"tables"})
    if parsed.tables is None:
        return RetryRequest(None, caps)
    if known_tables is None:
        raise BodyError(["tables: the migration ended before its tables were listed; leave them out"])
    _refuse_names([entry.table for entry in parsed.tables], known_tables, ".table")
    return RetryRequest([table.model_dump(mode="json", exclude_none=True) for table in parsed.tables], caps)


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
class OperationRequest:
    """The request of a verify or a replay.

    ``tables`` has the changed rules of each table by its name, None where none change; it is None if no table is
    named. ``verify`` is the method, None for the former one.
    """

    tables: Mapping[str, Mapping[str, Any] | None] | None
    verify: str | None = None


def parse_operation(kind: ComparingKind, body: bytes, known_tables: Sequence[str]) -> OperationRequest:
    """Read the body of the request of a verify or a replay.

    Args:
        kind: of the operation.
        body: UTF-8 JSON as ``docs/reference/http-api.md`` describes it, or nothing.
        known_tables: the tables of the migration.

    Raises:
        BodyError: with every fault of it.
    """
    return PARSERS[kind](body, known_tables)


def _parse_verify(body: bytes, known_tables: Sequence[str]) -> OperationRequest:
    parsed = read_body(VerifyBody, body)
    names = parsed.tables or []
    _refuse_names(names, known_tables)
    return OperationRequest(dict.fromkeys(names) or None, parsed.verify)


def _parse_replay(body: bytes, known_tables: Sequence[str]) -> OperationRequest:
    entries = read_body(ReplayBody, body).tables or []
    _refuse_names([entry.table for entry in entries], known_tables, ".table")
    rules = {
        entry.table: entry.rules.model_dump(mode="json", exclude_none=True) if entry.rules else None
        for entry in entries
    }
    return OperationRequest(rules or None)


class Parsers(TypedDict):
    """How the body of each kind is read."""

    verify: Callable[[bytes, Sequence[str]], OperationRequest]
    replay: Callable[[bytes, Sequence[str]], OperationRequest]


PARSERS: Final[Parsers] = {"verify": _parse_verify, "replay": _parse_replay}


def _refuse_names(names: Sequence[str], known_tables: Sequence[str], field: str = "") -> None:
    """Refuse tables of a body that the migration does not have, or that the body names twice.

    Args:
        names: in the order of the body's ``tables``.
        known_tables: the tables of the migration.
        field: of an entry that has the name, such as ``.table``; empty if the entry is the name.

    Raises:
        BodyError: with every fault.
    """
    faults = []
    first: dict[str, int] = {}
    known = set(known_tables)
    for number, name in enumerate(names):
        if name not in known:
            faults.append(f"tables.{number}{field}: {name} is no table of the migration")
        if first.setdefault(name, number) != number:
            faults.append(f"tables.{number}{field}: {name} is in tables.{first[name]} already")
    if faults:
        raise BodyError(faults)


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
    _refuse_names(tables or (), known_tables)
    return tables
