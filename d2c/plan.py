"""The plan: what a user asks for, validated whole, with every fault named at once."""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from d2c.errors import PlanError
from d2c.load_run.census import LOGICAL_PARTITION_BYTES

# Patterns, and what each asks for in words.
# A name becomes part of orchestration instance ids (at most 100 printable characters) and of lake paths.
NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,47}$"
TABLE_NAME = r"^[A-Za-z0-9_.-]{3,255}$"
RESOURCE_NAME = r"^[^/\\#?]{0,254}[^/\\#? ]$"
REGION = r"^[a-z]{2}(-[a-z]+)+-[0-9]$"
VERIFY = r"^(full|counts|sample:0?\.[0-9]*[1-9][0-9]*)$"
MEANINGS = {
    NAME: "1 to 48 letters, digits, - or _, the first a letter or digit",
    TABLE_NAME: "a DynamoDB table name: 3 to 255 letters, digits, -, _ or .",
    RESOURCE_NAME: "a Cosmos DB name: 1 to 255 characters, none of / \\ # ?, no space at the end",
    REGION: "an AWS region such as eu-west-1",
    VERIFY: "full, counts, or sample: with a part below 1 such as sample:0.01",
}

Name = Annotated[str, StringConstraints(pattern=NAME)]
TableName = Annotated[str, StringConstraints(pattern=TABLE_NAME)]
ResourceName = Annotated[str, StringConstraints(pattern=RESOURCE_NAME)]
Region = Annotated[str, StringConstraints(pattern=REGION)]
AttributeName = Annotated[str, StringConstraints(min_length=1, max_length=65_535)]
Verify = Annotated[str, StringConstraints(pattern=VERIFY)]
Constant = str | int | float | bool | None
ManualThroughput = Annotated[int, Field(ge=400, le=1_000_000, multiple_of=100)]

DEFAULT_VERIFY = "full"
DEFAULT_MAX_REJECTED_ITEMS = 0


class StrictModel(BaseModel):
    """A part of what a user may post: nothing unknown, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RulesPlan(StrictModel):
    """How items become documents; `d2c.mapping` checks them against the table's key schema."""

    partition_key: Annotated[list[AttributeName], Field(min_length=1, max_length=3)] | None = None
    document_id: Annotated[list[AttributeName], Field(min_length=1)] | None = None
    rename: dict[AttributeName, AttributeName] | None = None
    drop: list[AttributeName] | None = None
    set: dict[AttributeName, Constant] | None = None
    numbers: Literal["exact", "reject", "string"] | None = None
    ttl: Literal["convert", "off"] | None = None


class ThroughputPlan(StrictModel):
    """Request units per second of a container: during the load, and after it."""

    load_ru_per_second: Literal["auto"] | ManualThroughput | None = None
    after_load_ru_per_second: ManualThroughput | None = None


class LimitsPlan(StrictModel):
    """What a table migration may cost before it stops."""

    max_rejected_items: Annotated[int, Field(ge=0)] | None = None
    max_logical_partition_bytes: Annotated[int, Field(ge=1)] | None = None


class SharedPlan(StrictModel):
    """What may stand at the top of a plan for every table, and in a table for it alone."""

    database: ResourceName | None = None
    region: Region | None = None
    rules: RulesPlan | None = None
    throughput: ThroughputPlan | None = None
    limits: LimitsPlan | None = None
    verify: Verify | None = None
    allow_existing_documents: bool | None = None


class TablePlan(SharedPlan):
    """One table of a plan."""

    table: TableName
    container: ResourceName


class Plan(SharedPlan):
    """What a user asks for: tables, containers, rules, caps. Its name is the migration's id."""

    name: Name
    tables: Annotated[list[TablePlan], Field(min_length=1, max_length=1000)]
    max_parallel_tables: Annotated[int, Field(ge=1, le=100)] = 4

    def table_inputs(self) -> list[dict[str, Any]]:
        """Return each table's whole settings, its own before those at the top, as plain JSON."""
        return [_table_input(self, table) for table in self.tables]

    def digest(self) -> str:
        """Return a text that is equal for equal plans."""
        text = json.dumps(self.model_dump(mode="json", exclude_none=True), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def parse_plan(body: bytes) -> Plan:
    """Read a plan from JSON text.

    Args:
        body: UTF-8 JSON, one object as ``docs/plan.md`` describes it.

    Raises:
        PlanError: with every fault of it.
    """
    try:
        plan = Plan.model_validate_json(body)
    except ValidationError as error:
        raise PlanError([fault_text(item, "the plan") for item in error.errors()]) from None
    faults = [*_incomplete_tables(plan), *_repeated_tables(plan), *_indistinct_tables(plan)]
    if faults:
        raise PlanError(faults)
    return plan


def fault_text(error: Mapping[str, Any], whole: str) -> str:
    """Say where and what in words; pydantic's own messages speak of inputs and models.

    Args:
        error: one of a ValidationError's.
        whole: what was validated, such as ``the plan``.
    """
    where = ".".join(str(part) for part in error["loc"] if not re.search(r"\[|constrained", str(part)))
    if error["type"] == "extra_forbidden":
        return f"{where}: unknown field"
    if error["type"] == "json_invalid":
        return f"{whole} is not JSON: {error['ctx']['error']}"
    if error["type"] == "missing":
        return f"{where}: missing"
    if error["type"] == "string_pattern_mismatch":
        return f"{where}: {error['input']!r} is not {MEANINGS[error['ctx']['pattern']]}"
    message = re.sub(r"^(Input|String|Value) ", "", error["msg"])
    return f"{where or whole}: {message}"


def _incomplete_tables(plan: Plan) -> Iterator[str]:
    for number, table in enumerate(plan.tables):
        for field in ("database", "region"):
            if getattr(table, field) is None and getattr(plan, field) is None:
                yield f"tables.{number}.{field}: missing, here and at the top of the plan"


def _repeated_tables(plan: Plan) -> Iterator[str]:
    first: dict[str, int] = {}
    for number, table in enumerate(plan.tables):
        if first.setdefault(table.table, number) != number:
            yield f"tables.{number}.table: {table.table} is in tables.{first[table.table]} already"


def _indistinct_tables(plan: Plan) -> Iterator[str]:
    """Find tables that share a container without constants that keep their documents apart."""
    sharers = defaultdict(list)
    for table in plan.table_inputs():
        sharers[table.get("database"), table["container"]].append(table)
    for (database, container), tables in sharers.items():
        if len(tables) == 1:
            continue
        marks = [_constants_in_partition_key(table["rules"]) for table in tables]
        if "[]" in marks or len(set(marks)) < len(marks):
            names = ", ".join(table["table"] for table in tables)
            yield (
                f"{names} share the container {database}/{container}: each needs a `set` constant in its "
                "partition_key that differs from the others'"
            )


def _constants_in_partition_key(rules: Mapping[str, Any]) -> str:
    constants = rules.get("set", {})
    return json.dumps(
        [[name, constants[name]] for name in rules.get("partition_key", ()) if name in constants]
    )


def _table_input(plan: Plan, table: TablePlan) -> dict[str, Any]:
    top = plan.model_dump(mode="json", exclude_none=True, include=set(SharedPlan.model_fields))
    own = table.model_dump(mode="json", exclude_none=True)
    merged = {
        "verify": DEFAULT_VERIFY,
        "allow_existing_documents": False,
        **top,
        **own,
        **{part: {**top.get(part, {}), **own.get(part, {})} for part in ("rules", "throughput", "limits")},
    }
    merged["limits"].setdefault("max_rejected_items", DEFAULT_MAX_REJECTED_ITEMS)
    merged["limits"].setdefault("max_logical_partition_bytes", LOGICAL_PARTITION_BYTES)
    merged["throughput"].setdefault("load_ru_per_second", "auto")
    return merged
