"""All clients of the app, created at the edge and passed to activities and HTTP functions."""

from functools import cache
from typing import TYPE_CHECKING

from d2c.app.settings import Settings, app_settings

if TYPE_CHECKING:
    from azure.cosmos import CosmosClient

    from d2c.clients.aws.dynamodb import DynamoDB
    from d2c.clients.aws.s3 import Bucket
    from d2c.clients.aws.sign_in import WebIdentity
    from d2c.clients.azure.cosmos.management import CosmosManagement
    from d2c.clients.azure.cosmos.metrics import Metrics
    from d2c.clients.azure.data_factory import DataFactory
    from d2c.clients.azure.lake import Lake
    from d2c.clients.databricks.jobs import Databricks
    from d2c.clients.databricks.reading import WorkspaceReading


class Clients:
    """The clients for the app's settings; each is imported and connected on first use, and then shared.

    Args:
        settings: the app's.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @property
    def lake(self) -> "Lake":
        """The lake's file system."""
        from d2c.clients.azure.lake import connect_lake

        return connect_lake(self.settings)

    def dynamodb(self, account: str | None, region: str) -> "DynamoDB":
        """Return DynamoDB of an AWS account (None: the settings' only one) and region."""
        from d2c.clients.aws.dynamodb import connect_dynamodb

        return connect_dynamodb(self.settings, account, region)

    def bucket(self, account: str | None, region: str) -> "Bucket":
        """Return the export bucket, read as the role of an AWS account and region."""
        from d2c.clients.aws.s3 import connect_bucket

        return connect_bucket(self.settings, account, region)

    def web_identity(self, region: str) -> "WebIdentity":
        """Return the app's identity for AWS in a region."""
        from d2c.clients.aws.sign_in import web_identity

        return web_identity(self.settings, region)

    def aws_caller(self, account: str | None, region: str) -> str:
        """Return the ARN of the app's AWS identity, as an AWS account and region see it."""
        from d2c.clients.aws.sign_in import aws_client, caller_of

        return caller_of(aws_client(self.settings, "sts", account, region), region)

    @property
    def data_factory(self) -> "DataFactory":
        """The factory that copies."""
        from d2c.clients.azure.data_factory import connect_data_factory

        return connect_data_factory(self.settings)

    @property
    def cosmos(self) -> "CosmosClient":
        """The account's data plane."""
        from d2c.clients.azure.cosmos.data_plane import connect_cosmos

        return connect_cosmos(self.settings)

    @property
    def cosmos_management(self) -> "CosmosManagement":
        """The account's management plane."""
        from d2c.clients.azure.cosmos.management import connect_cosmos_management

        return connect_cosmos_management(self.settings)

    @property
    def metrics(self) -> "Metrics":
        """What Azure Monitor counts of the account."""
        from d2c.clients.azure.cosmos.metrics import connect_metrics

        return connect_metrics(self.settings)

    @property
    def databricks(self) -> "Databricks":
        """The workspace's jobs."""
        from d2c.clients.databricks.jobs import connect_databricks

        return connect_databricks(self.settings)

    @property
    def workspace(self) -> "WorkspaceReading":
        """The workspace, to look at."""
        from d2c.clients.databricks.reading import connect_workspace_reading

        return connect_workspace_reading(self.settings)


@cache
def app_clients() -> Clients:
    """Return the clients of this process."""
    return Clients(app_settings())
