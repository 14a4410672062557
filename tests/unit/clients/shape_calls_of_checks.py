"""The calls that only look, as a check before a migration makes them; see `shape_calls`."""

from collections.abc import Callable
from typing import Any

from d2c.clients.aws.sign_in import caller_of
from d2c.clients.azure.cosmos.data_plane import try_reading_account
from d2c.clients.databricks.reading import WorkspaceReading

from .shape_calls import Wire, account, bucket, cosmos, factory, lake, workspace


def _reading() -> WorkspaceReading:
    return WorkspaceReading(workspace())


AWS: dict[str, Callable[[Wire], Any]] = {
    "aws.sign_in: get_caller_identity": lambda wire: caller_of(wire.client("sts"), "eu-west-1"),
    "aws.s3: head_bucket": lambda wire: bucket(wire).region(),
    "aws.s3: get_bucket_encryption": lambda wire: bucket(wire).encryption(),
}
AZURE: dict[str, Callable[[], Any]] = {
    "azure.data_lake: send_request": lambda: lake().has_hierarchical_namespace(),
    "azure.data_factory: factories.get": lambda: factory().global_parameters(),
    "azure.data_factory: pipelines.get": lambda: sorted(
        factory().find_pipeline_parameters("copy_export") or ()
    ),
    "azure.data_factory: linked_services.get": lambda: factory().has_linked_service("s3"),
    "azure.cosmos.management: get": lambda: cosmos().describe_account(),
    "azure.cosmos.management: list_sql_databases": lambda: cosmos().list_containers(),
    "azure.cosmos.management: list_sql_containers": lambda: cosmos().list_containers(),
    "databricks.reading: current_user.me": lambda: _reading().user_name(),
    "databricks.reading: workspace.get_status": lambda: _reading().kind_of_object("/Shared/d2c/load_table"),
    "databricks.reading: files.get_metadata": lambda: _reading().has_file("/Volumes/main/d2c/libs/d2c.whl"),
    "databricks.reading: clusters.get": lambda: _reading().find_cluster("0528-203000-abcd1234"),
    "databricks.reading: clusters.list_node_types": lambda: sorted(_reading().node_types()),
    "databricks.reading: cluster_policies.get": lambda: _reading().has_policy("D063D9E8B8000001"),
    "databricks.reading: instance_pools.get": lambda: _reading().has_pool("0528-203000-pool1"),
    "databricks.reading: volumes.read": lambda: _reading().place_of_volume("main.d2c.exports"),
    "databricks.reading: secrets.list_secrets": lambda: sorted(_reading().secret_names("d2c") or ()),
}
COSMOS: dict[str, Callable[[Any], Any]] = {
    "azure.cosmos.data_plane: list_databases": lambda transport: try_reading_account(
        account(transport), "https://acct-demo.documents.azure.com:443/"
    ),
}
