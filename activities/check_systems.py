"""The systems that a check looks at, each with the app's clients and settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from activities.copy import PIPELINES, SECURE_PARAMETERS
from d2c.app.cluster_settings import CONNECTOR
from d2c.app.settings import Settings
from d2c.checks.aws import check_bucket, check_copy_sessions, check_identities
from d2c.checks.cosmos_account import check_account
from d2c.checks.data_factory import check_data_factory
from d2c.checks.databricks import check_databricks
from d2c.checks.findings import Finding
from d2c.checks.lake import check_lake, check_name
from d2c.checks.surroundings import check_clocks, check_deployment, check_schedule, check_webhook
from d2c.clients.aws.dynamodb import connect_dynamodb
from d2c.clients.aws.s3 import connect_bucket
from d2c.clients.aws.sign_in import aws_caller, web_identity
from d2c.clients.azure.cosmos import connect_cosmos, try_reading_account
from d2c.clients.azure.cosmos_management import connect_cosmos_management
from d2c.clients.azure.data_factory import RUN_KEY_PARAMETER, connect_data_factory
from d2c.clients.azure.lake import connect_lake
from d2c.clients.clocks import clock_skew
from d2c.clients.databricks.reading import connect_workspace_reading
from d2c.deploy.parts import all_parts
from d2c.deploy.publish import connect_place
from d2c.deploy.release import own_release
from d2c.deploy.wheel import wheel_path
from d2c.load_run.cosmos_options import secrets_of
from d2c.plan.model import Plan
from d2c.plan.tables import Location, locations_of

SENT_PARAMETERS = (RUN_KEY_PARAMETER, "bucket", "exportFolder", "fileSystem", "lakeFolder")
# By what Data Factory reads S3 with (D2C_COPY_CREDENTIALS).
MORE_PARAMETERS: Mapping[str, tuple[str, ...]] = {"key_vault": (), "session": SECURE_PARAMETERS}
LINKED_SERVICES = {
    "key_vault": ("export_bucket", "key_vault", "lake"),
    "session": ("export_bucket_session", "lake"),
}

# What CloudTrail calls the session by which a check finds out how long one may last.
CHECK_SESSION = "d2c-check"

Json = dict[str, Any]


@dataclass(frozen=True)
class Checked:
    """What a check found, with facts that others need."""

    findings: list[Finding]
    facts: Json = field(default_factory=dict)


def _check_aws(settings: Settings, plan: Plan, payload: Json) -> Checked:
    places, seconds = locations_of(plan), settings.aws.longest_session_seconds

    def take_on(place: Location) -> str:
        role_arn = str(settings.aws.bucket_role(*place))
        web_identity(settings, place.region).take_on(role_arn, session_name=CHECK_SESSION, seconds=seconds)
        return role_arn

    findings = check_identities(places, lambda place: aws_caller(settings, *place))
    if settings.aws.copy_credentials == "session":
        findings += check_copy_sessions(places, take_on, seconds)
    return Checked(findings)


def _check_bucket(settings: Settings, plan: Plan, payload: Json) -> Checked:
    places = locations_of(plan)
    return Checked(
        check_bucket(
            lambda: connect_bucket(settings, *places[0]),
            settings.export_bucket,
            settings.export_prefix,
            [place.region for place in places],
        )
    )


def _check_lake(settings: Settings, plan: Plan, payload: Json) -> Checked:
    def connect() -> Any:
        return connect_lake(settings)

    return Checked(
        [
            *check_lake(connect, settings.lake_file_system, payload["plan"].get("path")),
            *check_name(lambda path: connect().read_json(path), plan.name, plan.digest()),
        ]
    )


def _check_data_factory(settings: Settings, plan: Plan, payload: Json) -> Checked:
    credentials = settings.aws.copy_credentials
    return Checked(
        check_data_factory(
            lambda: connect_data_factory(settings),
            settings.data_factory,
            PIPELINES[credentials],
            (*SENT_PARAMETERS, *MORE_PARAMETERS[credentials]),
            LINKED_SERVICES[credentials],
            settings.lake_account,
        )
    )


def _check_cosmos_db(settings: Settings, plan: Plan, payload: Json) -> Checked:
    def try_data_plane() -> None:
        try_reading_account(connect_cosmos(settings), settings.cosmos_endpoint)

    findings, facts = check_account(
        lambda: connect_cosmos_management(settings), try_data_plane, settings.cosmos_account
    )
    return Checked(findings, facts)


def _check_databricks(settings: Settings, plan: Plan, payload: Json) -> Checked:
    findings, facts = check_databricks(
        lambda: connect_workspace_reading(settings),
        host=settings.databricks_host,
        notebook=settings.notebook_path,
        wheel=wheel_path(settings.wheel_path),
        cluster=settings.cluster,
        connector=CONNECTOR,
        scope=settings.secret_scope,
        secrets=secrets_of(settings.spark_cosmos_auth),
    )
    return Checked(findings, facts)


def _check_deployment(settings: Settings, plan: Plan, payload: Json) -> Checked:
    return Checked(check_deployment(lambda: all_parts(connect_place(settings), own_release())))


def _check_surroundings(settings: Settings, plan: Plan, payload: Json) -> Checked:
    addresses: dict[str, Callable[[], str]] = {
        "AWS": lambda: connect_dynamodb(settings, *locations_of(plan)[0]).endpoint,
        "Lake": lambda: connect_lake(settings).endpoint,
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


CHECKS: Mapping[str, Callable[[Settings, Plan, Json], Checked]] = {
    "aws": _check_aws,
    "bucket": _check_bucket,
    "lake": _check_lake,
    "data_factory": _check_data_factory,
    "cosmos_db": _check_cosmos_db,
    "databricks": _check_databricks,
    "deployment": _check_deployment,
    "surroundings": _check_surroundings,
}
