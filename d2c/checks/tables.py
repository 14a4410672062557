"""DynamoDB checks of a table: it can be exported, and its items can become documents."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from d2c.app.settings import Settings
from d2c.checks.findings import Finding, Findings, numbered
from d2c.errors import MOST_FAULTS, PlanError
from d2c.load_run.mappers import table_mapper
from d2c.mapping import Mapper
from d2c.plan.allowed import forbidden_tables
from d2c.plan.fields import MOST_EXPORT_BYTES
from d2c.plan.model import Plan
from d2c.plan.tables import Location, locations_with_patterns, resolve_tables

if TYPE_CHECKING:
    from d2c.clients.aws.dynamodb import DynamoDB, RecoveryWindow, TableDescription

TABLE, RECOVERY, RIGHTS, RULES, TIME_TO_LIVE = (
    "table",
    "point-in-time recovery",
    "export rights",
    "keys and rules",
    "time to live",
)


TABLES, ALLOWED = "tables", "allowed tables and databases"
Json = dict[str, Any]


@dataclass(frozen=True)
class CheckedTable:
    """A checked table; fields are None after a failed check."""

    findings: list[Finding]
    description: "TableDescription | None"
    mapper: Mapper | None


def check_table(table: Mapping[str, Any], connect: Callable[[], "DynamoDB"], bucket: str) -> CheckedTable:
    """Check a table like its migration will, and test the permissions of the export.

    Args:
        table: its settings in the plan.
        connect: connects to its region.
        bucket: the export bucket.
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
            findings.ok(name, RIGHTS, "The app can list and start exports.")
        with findings.attempt(name, RULES):
            mapper = table_mapper(
                description.hash_key, description.range_key, description.ttl_attribute, table["rules"]
            )
            paths = ", ".join(mapper.partition_key_paths)
            findings.ok(name, RULES, f"{_keys(description)}; the partition key is {paths}.")
        if mapper is not None:
            findings.ok(name, TIME_TO_LIVE, _time_to_live(description, mapper))
    return CheckedTable(findings.found, description, mapper)


def check_allowed(plan: Plan, tables: Sequence[Json], settings: Settings) -> list[Finding]:
    """Check that the app's settings let it touch the plan's tables, their accounts and databases.

    Args:
        plan: the plan.
        tables: its tables, those of patterns among them.
        settings: the app's.
    """
    findings = Findings("Plan")
    faults = list(forbidden_tables(tables, settings))
    for fault in faults[:MOST_FAULTS]:
        findings.failed(
            plan.name, ALLOWED, fault, "Change the plan; docs/install/settings.md has the limits."
        )
    if not faults:
        findings.ok(plan.name, ALLOWED, "The app may touch all its tables and databases.")
    return findings.found


def _check_size(findings: Findings, name: str, description: "TableDescription") -> None:
    summary = (
        f"Active, about {numbered(description.item_count, 'item')} and {description.size_bytes:,} bytes "
        f"(as of DynamoDB's last count), class {description.table_class}."
    )
    if not description.item_count:
        findings.warning(
            name,
            TABLE,
            f"{summary} DynamoDB counts about every six hours, so a recently filled table may appear empty.",
            "If it is not empty, add its items and bytes to the estimate, or check again in six hours.",
        )
        return
    if description.size_bytes <= MOST_EXPORT_BYTES:
        findings.ok(name, TABLE, summary)
        return
    findings.failed(
        name,
        TABLE,
        f"{summary} That is more than the {MOST_EXPORT_BYTES:,} bytes that can be exported at once.",
        "Request a higher export quota from AWS, then migrate this table with a separate plan.",
    )


def _check_recovery(findings: Findings, name: str, window: "RecoveryWindow", region: str) -> None:
    if window.latest is None:
        findings.failed(
            name,
            RECOVERY,
            "It is off, and exports require it.",
            f"Turn it on: aws dynamodb update-continuous-backups --region {region} --table-name {name} "
            "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true",
        )
        return
    findings.ok(
        name,
        RECOVERY,
        f"It is on: exports are possible as of {_moment(window.earliest)} to {_moment(window.latest)}.",
    )


def _keys(description: "TableDescription") -> str:
    keys = [description.hash_key, *([description.range_key] if description.range_key else [])]
    return f"The table's key is {', '.join(keys)}"


def _time_to_live(description: "TableDescription", mapper: Mapper) -> str:
    if description.ttl_attribute is None:
        return "The table's items do not expire."
    if mapper.rules.container_has_ttl:
        return f"The attribute {description.ttl_attribute} becomes the documents' time to live."
    return f"The attribute {description.ttl_attribute} remains an attribute: rules.ttl is off."


def _moment(moment: datetime | None) -> str:
    return "an unknown time" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def find_tables(
    plan: Plan, list_tables: Callable[[Location], Sequence[str]]
) -> tuple[list[Json], list[Finding]]:
    """Return the plan's tables, including those of patterns; if they cannot be resolved, only those listed by name.

    Args:
        plan: the plan.
        list_tables: returns the names of all tables in a location.
    """
    findings = Findings("Plan")
    tables = plan.table_inputs()
    with findings.attempt(plan.name, TABLES):
        existing = {location: list_tables(location) for location in locations_with_patterns(plan)}
        try:
            tables = resolve_tables(plan, existing)
            findings.ok(plan.name, TABLES, f"It has {numbered(len(tables), 'table')}.")
        except PlanError as error:
            for fault in error.faults:
                findings.failed(plan.name, TABLES, fault, error.next_step)
    return tables, findings.found
