"""DynamoDB: whether a table can be exported and its items become documents."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from d2c.checks.findings import Finding, Findings, numbered
from d2c.clients.aws.dynamodb import DynamoDB, RecoveryWindow, TableDescription
from d2c.errors import PlanError
from d2c.load_run.mappers import table_mapper
from d2c.mapping import Mapper
from d2c.plan.model import MOST_EXPORT_BYTES, Plan
from d2c.plan.tables import Location, locations_with_patterns, resolve_tables

TABLE, RECOVERY, RIGHTS, RULES, TIME_TO_LIVE = (
    "table",
    "point-in-time recovery",
    "export rights",
    "keys and rules",
    "time to live",
)


@dataclass(frozen=True)
class CheckedTable:
    """What a table was found to be; the later fields are None where an earlier check failed."""

    findings: list[Finding]
    description: TableDescription | None
    mapper: Mapper | None


def check_table(table: Mapping[str, Any], connect: Callable[[], DynamoDB], bucket: str) -> CheckedTable:
    """Look at a table as its migration will, and try the rights that the export needs.

    Args:
        table: its whole settings of the plan.
        connect: connects to its region.
        bucket: what it is to be exported to.
    """
    findings, name = Findings("DynamoDB"), str(table["table"])
    description = mapper = None
    with findings.attempt(name, TABLE):
        dynamodb = connect()
        description = dynamodb.describe_table(name)
        _check_size(findings, name, description)
        with findings.attempt(name, RECOVERY):
            _check_recovery(findings, name, dynamodb.recovery_window(name), table["region"])
        with findings.attempt(name, RIGHTS):
            dynamodb.try_listing_exports(description.arn)
            dynamodb.try_exporting(description.arn, bucket)
            findings.ok(name, RIGHTS, "Exports may be listed and asked for.")
        with findings.attempt(name, RULES):
            mapper = table_mapper(
                description.hash_key, description.range_key, description.ttl_attribute, table["rules"]
            )
            paths = ", ".join(mapper.partition_key_paths)
            findings.ok(name, RULES, f"{_keys(description)}; documents are parted by {paths}.")
        if mapper is not None:
            findings.ok(name, TIME_TO_LIVE, _time_to_live(description, mapper))
    return CheckedTable(findings.found, description, mapper)


def _check_size(findings: Findings, name: str, description: TableDescription) -> None:
    told = (
        f"Active, about {numbered(description.item_count, 'item')} and {description.size_bytes:,} bytes "
        f"(as of DynamoDB's last count), class {description.table_class}."
    )
    if not description.item_count:
        findings.warning(
            name,
            TABLE,
            f"{told} It counts about every six hours, so a table that has just been filled may pass for empty.",
            "If it is not empty, add its items and bytes to the estimate yourself, or check again in six hours.",
        )
        return
    if description.size_bytes <= MOST_EXPORT_BYTES:
        findings.ok(name, TABLE, told)
        return
    findings.failed(
        name,
        TABLE,
        f"{told} That is more than the {MOST_EXPORT_BYTES:,} bytes that may be exported at once.",
        "Ask AWS for a larger quota of exports, then move this table with a plan of its own.",
    )


def _check_recovery(findings: Findings, name: str, window: RecoveryWindow, region: str) -> None:
    if window.latest is None:
        findings.failed(
            name,
            RECOVERY,
            "It is off, and an export reads from it.",
            f"Turn it on: aws dynamodb update-continuous-backups --region {region} --table-name {name} "
            "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true",
        )
        return
    findings.ok(
        name,
        RECOVERY,
        f"It is on: exports may be as of {_moment(window.earliest)} to {_moment(window.latest)}.",
    )


def _keys(description: TableDescription) -> str:
    keys = [description.hash_key, *([description.range_key] if description.range_key else [])]
    return f"The table's key is {', '.join(keys)}"


def _time_to_live(description: TableDescription, mapper: Mapper) -> str:
    if description.ttl_attribute is None:
        return "The table's items do not expire."
    if mapper.rules.container_has_ttl:
        return f"The attribute {description.ttl_attribute} becomes the documents' time to live."
    return f"The attribute {description.ttl_attribute} stays an attribute: rules.ttl is off."


def _moment(moment: datetime | None) -> str:
    return "an unknown time" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"


TABLES = "tables"

Json = dict[str, Any]


def find_tables(
    plan: Plan, list_tables: Callable[[Location], Sequence[str]]
) -> tuple[list[Json], list[Finding]]:
    """Return the plan's tables, those of patterns too; where they cannot be resolved, those listed by name.

    Args:
        plan: the plan.
        list_tables: returns the names of all tables in a place.
    """
    findings = Findings("Plan")
    tables = plan.table_inputs()
    with findings.attempt(plan.name, TABLES):
        existing = {place: list_tables(place) for place in locations_with_patterns(plan)}
        try:
            tables = resolve_tables(plan, existing)
            findings.ok(plan.name, TABLES, f"It comes to {numbered(len(tables), 'table')}.")
        except PlanError as error:
            for fault in error.faults:
                findings.failed(plan.name, TABLES, fault, error.next_step)
    return tables, findings.found
