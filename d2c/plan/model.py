"""The plan: a user's request, validated as a whole, with all faults reported at once."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Literal, cast

from pydantic import Field, ValidationError

from d2c.errors import MOST_FAULTS, PlanError
from d2c.foreign_json import MOST_QUOTED, ForeignJsonError, json_value, quoted
from d2c.load_run.census.counts import LOGICAL_PARTITION_BYTES
from d2c.load_run.throughput.sizing import AFTER_LOAD_RU, LEAST_AUTOSCALE_RU, in_steps
from d2c.mapping.indexing import KEYS
from d2c.plan.fields import (
    MEANINGS,
    MOST_TABLES_PER_LOAD_RUN,
    Account,
    AttributeName,
    AttributeNames,
    Constant,
    KeyName,
    ManualThroughput,
    MaxParallel,
    MaxParallelExports,
    Moment,
    Name,
    Region,
    ResourceName,
    TableNames,
    TimeZone,
    Verify,
    Window,
)
from d2c.plan.fields import StrictModel as StrictModel
from d2c.plan.indexing import ApplyIndexing, IndexingPlan
from d2c.plan.sharing import SHARED
from d2c.plan.validation import faults_between_fields, is_pattern
from d2c.shapes import DatabaseThroughput, Times

# A plan of 1,000 tables with rules of their own has some 500 KB.
MOST_PLAN_BYTES = 2**20
DEFAULT_VERIFY = "full"
DEFAULT_INDEXING = KEYS
DEFAULT_MAX_REJECTED_ITEMS = 0


class RulesPlan(StrictModel):
    """Rules for mapping items to documents; `d2c.mapping` checks them against the table's key schema."""

    partition_key: Annotated[AttributeNames, Field(min_length=1, max_length=3)] | None = None
    document_id: Annotated[AttributeNames, Field(min_length=1)] | None = None
    rename: dict[AttributeName, AttributeName] | None = None
    drop: AttributeNames | None = None
    set: dict[AttributeName, Constant] | None = None
    numbers: Literal["exact", "reject", "string"] | None = None
    ttl: Literal["convert", "off"] | None = None


class ThroughputPlan(StrictModel):
    """Request units per second of a container: during the load, and after it; with autoscale its maximum.

    One of the kind `shared` has none of its own.
    """

    kind: Literal["manual", "autoscale", "shared"] | None = None
    load_ru_per_second: Literal["auto"] | ManualThroughput | None = None
    after_load_ru_per_second: ManualThroughput | None = None


class DatabaseThroughputPlan(StrictModel):
    """Request units per second of a database that is created for containers of the kind `shared`."""

    kind: Literal["manual", "autoscale"] = "manual"
    ru_per_second: ManualThroughput = AFTER_LOAD_RU

    def to_dict(self) -> DatabaseThroughput:
        """Return them as the service takes them: of autoscale the maximum."""
        is_autoscale = self.kind == "autoscale"
        least = LEAST_AUTOSCALE_RU if is_autoscale else 0
        return {
            "ru_per_second": in_steps(max(self.ru_per_second, least), is_autoscale),
            "autoscale": is_autoscale,
        }


class LimitsPlan(StrictModel):
    """Limits at which a table migration stops."""

    max_rejected_items: Annotated[int, Field(ge=0)] | None = None
    max_logical_partition_bytes: Annotated[int, Field(ge=1)] | None = None


class SourcePlan(StrictModel):
    """A table's description, for tables that the app cannot describe with DynamoDB."""

    hash_key: KeyName
    range_key: KeyName | None = None
    ttl_attribute: KeyName | None = None


class SharedPlan(StrictModel):
    """Settings at the top of a plan for all tables, or in a table for it alone."""

    database: ResourceName | None = None
    account: Account | None = None
    region: Region | None = None
    rules: RulesPlan | None = None
    indexing: IndexingPlan | None = None
    apply_indexing: ApplyIndexing | None = None
    throughput: ThroughputPlan | None = None
    limits: LimitsPlan | None = None
    verify: Verify | None = None
    allow_existing_documents: bool | None = None


class TablePlan(SharedPlan):
    """One table of a plan, or all with a common prefix; the container's default name is the table's."""

    table: TableNames
    container: ResourceName | None = None
    source: SourcePlan | None = None


class Plan(SharedPlan):
    """A migration's tables, containers, rules and caps. Its name is the migration's id."""

    name: Name
    tables: Annotated[list[TablePlan], Field(min_length=1, max_length=1000)]
    exclude: Annotated[list[TableNames], Field(max_length=1000)] = Field(default=[])
    order: Literal["largest_first", "as_listed"] = "largest_first"
    max_parallel_tables: MaxParallel | None = None
    max_parallel_exports: MaxParallelExports = 50
    max_parallel_copies: MaxParallel = 20
    max_parallel_loads: MaxParallel = 4
    share_load_run_below_bytes: Annotated[int, Field(ge=0)] = 100 * 2**20
    max_tables_per_load_run: Annotated[int, Field(ge=1, le=MOST_TABLES_PER_LOAD_RUN)] = 20
    start: Literal["now", "when_exports_arrive"] = "now"
    start_at: Moment | None = None
    between: Window | None = None
    time_zone: TimeZone | None = None
    database_throughput: DatabaseThroughputPlan | None = None

    @cached_property
    def shared_databases(self) -> frozenset[str]:
        """The databases whose throughput containers of the plan share."""
        top = self.throughput and self.throughput.kind
        kinds = (
            (entry.database or self.database, (entry.throughput and entry.throughput.kind) or top)
            for entry in self.tables
        )
        return frozenset(database for database, kind in kinds if database and kind == SHARED)

    def table_inputs(self) -> list[dict[str, Any]]:
        """Return the complete settings of each table listed by name, as plain JSON."""
        return [self.table_input(entry, entry.table) for entry in self.tables if not is_pattern(entry.table)]

    def table_input(self, entry: TablePlan, table: str) -> dict[str, Any]:
        """Return a table's complete settings as plain JSON; its own override those at the top.

        Args:
            entry: the plan's entry for it.
            table: its name.
        """
        top = self.model_dump(mode="json", exclude_none=True, include=set(SharedPlan.model_fields))
        own = entry.model_dump(mode="json", exclude_none=True)
        merged = {
            "verify": DEFAULT_VERIFY,
            "allow_existing_documents": False,
            "indexing": DEFAULT_INDEXING,
            "container": table,
            **top,
            **own,
            **{
                part: {**top.get(part, {}), **own.get(part, {})} for part in ("rules", "throughput", "limits")
            },
            "table": table,
        }
        if entry.source is not None:
            merged["source"] = entry.source.model_dump(mode="json")
        merged["limits"].setdefault("max_rejected_items", DEFAULT_MAX_REJECTED_ITEMS)
        merged["limits"].setdefault("max_logical_partition_bytes", LOGICAL_PARTITION_BYTES)
        merged["throughput"].setdefault("load_ru_per_second", "auto")
        if merged.get("database") in self.shared_databases:
            # Whichever table comes first creates the database, also one that does not share.
            shared = self.database_throughput or DatabaseThroughputPlan()
            merged["throughput"]["database"] = shared.to_dict()
        return merged

    def digest(self) -> str:
        """Return a text that is equal for equal plans."""
        text = json.dumps(self.model_dump(mode="json", exclude_none=True), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def parse_plan(body: bytes) -> Plan:
    """Read a plan from JSON text.

    Args:
        body: UTF-8 JSON, one object as described in ``docs/start/plan.md``.

    Raises:
        PlanError: with all faults.
    """
    try:
        value = json_value(body, "the plan", MOST_PLAN_BYTES)
    except ForeignJsonError as error:
        raise PlanError(error.faults) from None
    plan, errors = None, []
    try:
        plan = Plan.model_validate(value)
    except ValidationError as error:
        errors = error.errors(include_url=False)
    faults = fault_texts(errors, "the plan")
    faults += faults_between_fields(value, [error["loc"] for error in errors])
    if plan is None or faults:
        raise PlanError(faults, more=len(errors) - MOST_FAULTS)
    return plan


def times_of(plan: Plan) -> Times:
    """Return when a plan's stages may begin."""
    times = plan.model_dump(mode="json", include={"start_at", "between", "time_zone"}, exclude_none=True)
    return cast("Times", times)


def fault_texts(errors: Sequence[Mapping[str, Any]], whole: str) -> list[str]:
    """Return the first faults in words, each with its place; pydantic's own messages are about inputs and models.

    Args:
        errors: of a ValidationError.
        whole: the name of the validated document, such as ``the plan``.
    """
    return [_fault_text(error, whole) for error in errors[:MOST_FAULTS]]


def _fault_text(error: Mapping[str, Any], whole: str) -> str:
    parts = [str(part) for part in error["loc"]]
    where = ".".join(part[:MOST_QUOTED] for part in parts if not re.search(r"\[|constrained", part))
    if error["type"] == "extra_forbidden":
        return f"{where}: unknown field"
    if error["type"] == "missing":
        return f"{where}: missing"
    if error["type"] == "string_pattern_mismatch":
        return f"{where}: {quoted(error['input'])} is not {MEANINGS[error['ctx']['pattern']]}"
    if error["type"] == "value_error":
        return f"{where}: {error['ctx']['error']}"
    message = re.sub(r"^(Input|String|Value) ", "", error["msg"])
    return f"{where or whole}: {message}"
