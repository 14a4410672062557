"""The systems that a check looks at, each with the app's clients and settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from activities.copy_lane.runs import PIPELINES, SECURE_PARAMETERS
from d2c.checks.aws import check_bucket, check_copy_sessions, check_identities
from d2c.checks.cosmos.account import check_account
from d2c.checks.data_factory import check_data_factory
from d2c.checks.databricks import check_databricks
from d2c.checks.findings import Finding
from d2c.checks.lake import check_lake, check_name
from d2c.checks.surroundings import check_clocks, check_deployment, check_schedule, check_webhook
from d2c.clients.azure.cosmos.data_plane import try_reading_account
from d2c.clients.azure.data_factory import RUN_KEY_PARAMETER
from d2c.clients.clients import Clients
from d2c.clients.clocks import clock_skew
from d2c.deploy.parts import all_parts
from d2c.deploy.publish import connect_place
from d2c.deploy.release import own_release
from d2c.deploy.wheel import wheel_path
from d2c.load_run.cosmos_options import secrets_of
from d2c.plan.model import Plan
from d2c.plan.tables import Location, locations_of
from d2c.shapes import CheckInput

SENT_PARAMETERS = (
    RUN_KEY_PARAMETER,
    "bucket",
    "exportFolder",
    "fileList",
    "isLastPart",
    "fileSystem",
    "lakeFolder",
    "dataIntegrationUnits",
    "parallelCopies",
)
# By what Data Factory reads S3 with (D2C_COPY_CREDENTIALS).
MORE_PARAMETERS: Mapping[str, tuple[str, ...]] = {"key_vault": (), "session": SECURE_PARAMETERS}
LINKED_SERVICES = {
    "key_vault": ("export_bucket", "key_vault", "lake"),
    "session": ("export_bucket_session", "lake"),
}

# What CloudTrail calls the session by which a check finds out how long one may last.
CHECK_SESSION = "d2c-check"


@dataclass(frozen=True)
class Checked:
    """What a check found, with facts that others need."""

    findings: list[Finding]
    facts: dict[str, Any] = field(default_factory=dict)


def _check_aws(clients: Clients, plan: Plan, payload: CheckInput) -> Checked:
    aws, places = clients.settings.aws, locations_of(plan)
    seconds = aws.longest_session_seconds

    def take_on(place: Location) -> str:
        role_arn = str(aws.bucket_role(*place))
        identity = clients.web_identity(place.region)
        identity.take_on(role_arn, session_name=CHECK_SESSION, seconds=seconds)
        return role_arn

    findings = check_identities(places, lambda place: clients.aws_caller(*place))
    if aws.copy_credentials == "session":
        findings += check_copy_sessions(places, take_on, seconds)
    return Checked(findings)


def _check_bucket(clients: Clients, plan: Plan, payload: CheckInput) -> Checked:
    settings, places = clients.settings, locations_of(plan)
    return Checked(
        check_bucket(
            lambda: clients.bucket(*places[0]),
            settings.export_bucket,
            settings.export_prefix,
            [place.region for place in places],
            settings.aws.export_kms_key,
        )
    )


def _check_lake(clients: Clients, plan: Plan, payload: CheckInput) -> Checked:
    file_system, path = clients.settings.lake_file_system, payload["plan"].get("path")
    return Checked(
        [
            *check_lake(lambda: clients.lake, file_system, path),
            *check_name(lambda path: clients.lake.read_json(path), plan.name, plan.digest()),
        ]
    )


def _check_data_factory(clients: Clients, plan: Plan, payload: CheckInput) -> Checked:
    settings = clients.settings
    credentials = settings.aws.copy_credentials
    return Checked(
        check_data_factory(
            lambda: clients.data_factory,
            settings.data_factory,
            PIPELINES[credentials],
            (*SENT_PARAMETERS, *MORE_PARAMETERS[credentials]),
            LINKED_SERVICES[credentials],
            settings.lake_account,
        )
    )


def _check_cosmos_db(clients: Clients, plan: Plan, payload: CheckInput) -> Checked:
    settings = clients.settings

    def try_data_plane() -> None:
        try_reading_account(clients.cosmos, settings.cosmos_endpoint)

    findings, facts = check_account(
        lambda: clients.cosmos_management, try_data_plane, settings.cosmos_account
    )
    return Checked(findings, facts)


def _check_databricks(clients: Clients, plan: Plan, payload: CheckInput) -> Checked:
    settings = clients.settings
    findings, facts = check_databricks(
        lambda: clients.workspace,
        host=settings.databricks_host,
        notebook=settings.notebook_path,
        wheel=wheel_path(settings.wheel_path),
        cluster=settings.cluster,
        connector=settings.load_runs.connector,
        scope=settings.secret_scope,
        secrets=secrets_of(settings.spark_cosmos_auth),
        volume=settings.load_runs.lake_volume,
        exports=settings.exports_path,
    )
    return Checked(findings, facts)


def _check_deployment(clients: Clients, plan: Plan, payload: CheckInput) -> Checked:
    return Checked(check_deployment(lambda: all_parts(connect_place(clients.settings), own_release())))


def _check_surroundings(clients: Clients, plan: Plan, payload: CheckInput) -> Checked:
    settings = clients.settings
    addresses: dict[str, Callable[[], str]] = {
        "AWS": lambda: clients.dynamodb(*locations_of(plan)[0]).endpoint,
        "Lake": lambda: clients.lake.endpoint,
        "Azure Resource Manager": lambda: settings.management_endpoint,
        "Cosmos DB": lambda: settings.cosmos_endpoint,
        "Databricks": lambda: settings.databricks_host,
    }
    return Checked(
        [
            *check_clocks(addresses, clock_skew),
            *check_webhook(settings.webhook_url),
            *check_schedule(plan, datetime.now(UTC)),
        ]
    )


CHECKS: Mapping[str, Callable[[Clients, Plan, CheckInput], Checked]] = {
    "aws": _check_aws,
    "bucket": _check_bucket,
    "lake": _check_lake,
    "data_factory": _check_data_factory,
    "cosmos_db": _check_cosmos_db,
    "databricks": _check_databricks,
    "deployment": _check_deployment,
    "surroundings": _check_surroundings,
}
