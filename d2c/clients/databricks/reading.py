"""Databricks: what a workspace has, as a check before a migration looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from d2c.app.settings import Settings
from d2c.clients.connections import connected_once
from d2c.clients.databricks.jobs import databricks_errors

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


@dataclass(frozen=True)
class ExistingCluster:
    """A cluster that is there: its state, and what of its specification decides whether a load can run on it."""

    state: str
    spec: Mapping[str, Any]
    workers: int


class WorkspaceReading:
    """The calls that look and change nothing.

    Args:
        client: databricks-sdk's client.
    """

    def __init__(self, client: WorkspaceClient) -> None:
        self._client = client

    def user_name(self) -> str:
        """Return who the workspace takes the app for."""
        with databricks_errors("Databricks workspace"):
            return str(self._client.current_user.me().user_name)

    def kind_of_object(self, path: str) -> str | None:
        """Return what is at a path of the workspace, such as ``NOTEBOOK``, or None if nothing is."""
        with databricks_errors(f"Workspace object {path}"):
            try:
                found = self._client.workspace.get_status(path)
            except _not_there():
                return None
        return str(found.object_type.value) if found.object_type else ""

    def has_file(self, path: str) -> bool:
        """Tell whether there is a file in a volume, or in the workspace."""
        if not path.startswith("/Volumes/"):
            return self.kind_of_object(path.removeprefix("/Workspace")) is not None
        with databricks_errors(f"File {path}"):
            try:
                self._client.files.get_metadata(path)
            except _not_there():
                return False
        return True

    def find_cluster(self, cluster_id: str) -> ExistingCluster | None:
        """Return a cluster, or None if there is no such one."""
        with databricks_errors(f"Cluster {cluster_id}"):
            try:
                found = self._client.clusters.get(cluster_id)
            except _not_there():
                return None
        spec = found.as_dict()
        workers = (found.autoscale and found.autoscale.max_workers) or found.num_workers or 0
        return ExistingCluster(spec.get("state", ""), spec, workers)

    def node_types(self) -> set[str]:
        """Return the ids of the node types that a cluster may have."""
        with databricks_errors("Databricks node types"):
            return {node.node_type_id for node in self._client.clusters.list_node_types().node_types or ()}

    def has_policy(self, policy_id: str) -> bool:
        """Tell whether there is a cluster policy that the app may see."""
        with databricks_errors(f"Cluster policy {policy_id}"):
            try:
                self._client.cluster_policies.get(policy_id)
            except _not_there():
                return False
        return True

    def has_pool(self, pool_id: str) -> bool:
        """Tell whether there is an instance pool that the app may see."""
        with databricks_errors(f"Instance pool {pool_id}"):
            try:
                self._client.instance_pools.get(pool_id)
            except _not_there():
                return False
        return True

    def secret_names(self, scope: str) -> set[str] | None:
        """Return the names of a scope's secrets, never their values; None if there is no such scope."""
        with databricks_errors(f"Secret scope {scope}"):
            try:
                return {str(secret.key) for secret in self._client.secrets.list_secrets(scope)}
            except _not_there():
                return None


def _not_there() -> tuple[type[Exception], ...]:
    """Return what says that something is not there: Databricks answers some calls with 400 in the place of 404."""
    from databricks.sdk.errors import InvalidParameterValue, NotFound

    return NotFound, InvalidParameterValue


@connected_once
def connect_workspace_reading(settings: Settings) -> WorkspaceReading:
    """Return the workspace in the settings, to look at."""
    from d2c.clients.databricks.sign_in import connect_workspace

    return WorkspaceReading(connect_workspace(settings))
