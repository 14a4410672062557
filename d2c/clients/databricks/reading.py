"""Databricks: read-only calls to a workspace, for the check before a migration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from d2c.app.settings import Settings
from d2c.clients.answers import text_of
from d2c.clients.connections import connected_once
from d2c.clients.databricks.errors import databricks_errors

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


@dataclass(frozen=True)
class ExistingCluster:
    """An existing cluster: its state, its specification and its number of workers."""

    state: str
    spec: Mapping[str, Any]
    workers: int


class WorkspaceReading:
    """The read-only calls.

    Args:
        client: databricks-sdk's client.
    """

    def __init__(self, client: WorkspaceClient) -> None:
        self._client = client

    def user_name(self) -> str:
        """Return the app's user name in the workspace."""
        with databricks_errors("Databricks workspace"):
            return str(self._client.current_user.me().user_name)

    def kind_of_object(self, path: str) -> str | None:
        """Return the type of the object at a path of the workspace, such as ``NOTEBOOK``, or None if there is none."""
        with databricks_errors(f"Workspace object {path}"):
            try:
                status = self._client.workspace.get_status(path)
            except _not_found_errors():
                return None
        return str(status.object_type.value) if status.object_type else ""

    def has_file(self, path: str) -> bool:
        """Return whether a file exists in a volume or the workspace."""
        if not path.startswith("/Volumes/"):
            return self.kind_of_object(path.removeprefix("/Workspace")) is not None
        with databricks_errors(f"File {path}"):
            try:
                self._client.files.get_metadata(path)
            except _not_found_errors():
                return False
        return True

    def find_cluster(self, cluster_id: str) -> ExistingCluster | None:
        """Return a cluster, or None if there is no such cluster."""
        with databricks_errors(f"Cluster {cluster_id}"):
            try:
                cluster = self._client.clusters.get(cluster_id)
            except _not_found_errors():
                return None
        spec = cluster.as_dict()
        workers = (cluster.autoscale and cluster.autoscale.max_workers) or cluster.num_workers or 0
        return ExistingCluster(spec.get("state", ""), spec, workers)

    def node_types(self) -> set[str]:
        """Return the ids of the available node types."""
        with databricks_errors("Databricks node types"):
            return {node.node_type_id for node in self._client.clusters.list_node_types().node_types or ()}

    def has_policy(self, policy_id: str) -> bool:
        """Return whether there is a cluster policy that the app can access."""
        with databricks_errors(f"Cluster policy {policy_id}"):
            try:
                self._client.cluster_policies.get(policy_id)
            except _not_found_errors():
                return False
        return True

    def has_pool(self, pool_id: str) -> bool:
        """Return whether there is an instance pool that the app can access."""
        with databricks_errors(f"Instance pool {pool_id}"):
            try:
                self._client.instance_pools.get(pool_id)
            except _not_found_errors():
                return False
        return True

    def place_of_volume(self, name: str) -> str | None:
        """Return the address of what a volume shows, or None if there is no such volume that the app can access.

        Args:
            name: catalog, schema and volume, with dots between them.
        """
        with databricks_errors(f"Volume {name}"):
            try:
                return text_of(self._client.volumes.read(name).storage_location)
            except _not_found_errors():
                return None

    def secret_names(self, scope: str) -> set[str] | None:
        """Return the names of a scope's secrets, never their values; None if there is no such scope."""
        with databricks_errors(f"Secret scope {scope}"):
            try:
                return {str(secret.key) for secret in self._client.secrets.list_secrets(scope)}
            except _not_found_errors():
                return None


def _not_found_errors() -> tuple[type[Exception], ...]:
    """Return the errors for a missing object: Databricks answers some calls with 400 instead of 404."""
    from databricks.sdk.errors import InvalidParameterValue, NotFound

    return NotFound, InvalidParameterValue


@connected_once
def connect_workspace_reading(settings: Settings) -> WorkspaceReading:
    """Return the workspace in the settings, for reading."""
    from d2c.clients.databricks.sign_in import connect_workspace

    return WorkspaceReading(connect_workspace(settings))
