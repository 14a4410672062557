"""The plan: a user's request, validated as a whole, with all faults reported at once."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, cast
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from d2c.errors import PlanError
from d2c.load_run.census.counts import LOGICAL_PARTITION_BYTES
from d2c.plan.validation import faults_between_fields, is_pattern
from d2c.shapes import Times

# DynamoDB's limits on concurrent exports of an account in a region: their number, and the total size of their tables.
# A terabyte is taken as 10**12 bytes.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
MOST_EXPORTS = 300
MOST_EXPORT_BYTES = 100 * 10**12
MOST_PARALLEL = 1000
MOST_TABLES_PER_LOAD_RUN = 100

# Patterns, and their meanings in words.
# A name becomes part of orchestration instance ids (at most 100 printable characters) and of lake paths.
NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,47}$"
TABLE_NAME = r"^[A-Za-z0-9_.-]{3,255}$"
TABLE_NAMES = r"^([A-Za-z0-9_.-]{3,255}|[A-Za-z0-9_.-]{0,254}\*)$"
RESOURCE_NAME = r"^[^/\\#?]{0,254}[^/\\#? ]$"
ACCOUNT = r"^[0-9]{12}$"
REGION = r"^[a-z]{2}(-[a-z]+)+-[0-9]$"
VERIFY = r"^(full|counts|sample:0?\.[0-9]*[1-9][0-9]*)$"
MOMENT = (
    r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})$"
)
TIME_OF_DAY = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
MEANINGS = {
    NAME: "1 to 48 letters, digits, - or _, the first a letter or digit",
    TABLE_NAME: "a DynamoDB table name: 3 to 255 letters, digits, -, _ or .",
    TABLE_NAMES: "a DynamoDB table name, 3 to 255 letters, digits, -, _ or ., or a prefix of names followed by one *",
    RESOURCE_NAME: "a Cosmos DB name: 1 to 255 characters, none of / \\ # ?, no space at the end",
    ACCOUNT: "an AWS account's 12 digits",
    REGION: "an AWS region such as eu-west-1",
    VERIFY: "full, counts, or sample: with a part below 1 such as sample:0.01",
    MOMENT: "a moment with its offset from UTC, such as 2026-11-06T22:00:00+01:00",
    TIME_OF_DAY: "a time of the day from 00:00 to 23:59",
}

Name = Annotated[str, StringConstraints(pattern=NAME)]
TableName = Annotated[str, StringConstraints(pattern=TABLE_NAME)]
TableNames = Annotated[str, StringConstraints(pattern=TABLE_NAMES)]
ResourceName = Annotated[str, StringConstraints(pattern=RESOURCE_NAME)]
Account = Annotated[str, StringConstraints(pattern=ACCOUNT)]
Region = Annotated[str, StringConstraints(pattern=REGION)]
AttributeName = Annotated[str, StringConstraints(min_length=1, max_length=65_535)]
Verify = Annotated[str, StringConstraints(pattern=VERIFY)]
Constant = str | int | float | bool | None
MaxParallel = Annotated[int, Field(ge=1, le=MOST_PARALLEL)]
MaxParallelExports = Annotated[int, Field(ge=1, le=MOST_EXPORTS)]
ManualThroughput = Annotated[int, Field(ge=400, le=1_000_000, multiple_of=100)]

DEFAULT_VERIFY = "full"
DEFAULT_MAX_REJECTED_ITEMS = 0


class StrictModel(BaseModel):
    """A part of a user's input, validated strictly: no unknown fields, no conversion."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _real_moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


def _window(between: list[str]) -> list[str]:
    if between[0] == between[1]:
        raise ValueError("both times are equal; omit it to let the plan run at any time")
    return between


def _known_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(f"{name!r} is not a time zone; use an IANA name such as Europe/Berlin") from None
    return name


Moment = Annotated[str, StringConstraints(pattern=MOMENT), AfterValidator(_real_moment)]
TimeOfDay = Annotated[str, StringConstraints(pattern=TIME_OF_DAY)]
Window = Annotated[list[TimeOfDay], Field(min_length=2, max_length=2), AfterValidator(_window)]
TimeZone = Annotated[str, AfterValidator(_known_time_zone)]


class RulesPlan(StrictModel):
    """Rules for mapping items to documents; `d2c.mapping` checks them against the table's key schema."""

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
    """Limits at which a table migration stops."""

    max_rejected_items: Annotated[int, Field(ge=0)] | None = None
    max_logical_partition_bytes: Annotated[int, Field(ge=1)] | None = None


class SourcePlan(StrictModel):
    """A table's description, for tables that the app cannot describe with DynamoDB."""

    hash_key: AttributeName
    range_key: AttributeName | None = None
    ttl_attribute: AttributeName | None = None


class SharedPlan(StrictModel):
    """Settings at the top of a plan for all tables, or in a table for it alone."""

    database: ResourceName | None = None
    account: Account | None = None
    region: Region | None = None
    rules: RulesPlan | None = None
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
    exclude: Annotated[list[TableNames], Field(max_length=1000)] = []
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
    plan, errors = None, []
    try:
        plan = Plan.model_validate_json(body)
    except ValidationError as error:
        errors = error.errors()
    faults = [fault_text(error, "the plan") for error in errors]
    faults += faults_between_fields(body, [error["loc"] for error in errors])
    if plan is None or faults:
        raise PlanError(faults)
    return plan


def times_of(plan: Plan) -> Times:
    """Return when a plan's stages may begin."""
    times = plan.model_dump(mode="json", include={"start_at", "between", "time_zone"}, exclude_none=True)
    return cast("Times", times)


def fault_text(error: Mapping[str, Any], whole: str) -> str:
    """Return the place and the fault in words; pydantic's own messages are about inputs and models.

    Args:
        error: an error of a ValidationError.
        whole: the name of the validated document, such as ``the plan``.
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
    if error["type"] == "value_error":
        return f"{where}: {error['ctx']['error']}"
    message = re.sub(r"^(Input|String|Value) ", "", error["msg"])
    return f"{where or whole}: {message}"
