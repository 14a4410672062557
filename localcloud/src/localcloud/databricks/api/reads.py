"""The read-only calls about the workspace.

https://docs.databricks.com/api/azure/workspace/introduction
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from localcloud.common.names import EXISTING_CLUSTER_ID
from localcloud.databricks.errors import ApiError, invalid
from localcloud.databricks.files.volumes import volume_view
from localcloud.databricks.files.workspace import Workspace
from localcloud.databricks.runs.runner import Runner

FILES = "/api/2.0/fs/files"
NODE_TYPE = "Standard_D4ds_v5"
RUNTIME = "17.3.x-scala2.13"

Json = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[Json]]


class Reads:
    """Answers the calls.

    Args:
        workspace: has notebooks and libraries.
        runner: knows the state of the existing cluster.
        secrets: texts by scope and key; only their names are returned.
    """

    def __init__(
        self, workspace: Workspace, runner: Runner, secrets: Mapping[str, Mapping[str, str]]
    ) -> None:
        self._workspace = workspace
        self._runner = runner
        self._secrets = secrets

    def calls(self) -> list[tuple[str, str, Handler, str]]:
        """Return method, path, handler and operation of each."""
        return [
            ("GET", "/api/2.0/preview/scim/v2/Me", self.me, "me"),
            ("GET", "/api/2.0/workspace/get-status", self.object_status, "workspace"),
            ("HEAD", f"{FILES}/{{path:.*}}", self.file_metadata, "workspace"),
            ("GET", "/api/2.0/secrets/list", self.secret_names, "secrets"),
            ("GET", "/api/2.1/unity-catalog/volumes/{name}", self.volume, "volumes"),
            ("GET", "/api/2.1/clusters/get", self.cluster, "clusters"),
            ("GET", "/api/2.1/clusters/list-node-types", self.node_types, "clusters"),
        ]

    async def me(self, _: web.Request) -> Json:
        """Return who calls."""
        return {"id": "1", "userName": "local@localhost", "active": True, "displayName": "Local"}

    async def object_status(self, request: web.Request) -> Json:
        """Return what is at a path of the workspace: a notebook, a file or a folder."""
        path = request.query.get("path", "")
        place = self._workspace.file(path)
        if self._workspace.notebook(path).is_file():
            return {"object_type": "NOTEBOOK", "path": path, "language": "PYTHON", "object_id": 1}
        if not place.exists():
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"Path ({path}) doesn't exist.")
        return {"object_type": "DIRECTORY" if place.is_dir() else "FILE", "path": path, "object_id": 2}

    async def file_metadata(self, request: web.Request) -> Json:
        """Answer with nothing but success where there is a file of a volume."""
        path = f"/{unquote(request.match_info['path'])}"
        if not self._workspace.file(path).is_file():
            raise ApiError(404, "NOT_FOUND", f"The file {path} does not exist.")
        return {}

    async def secret_names(self, request: web.Request) -> Json:
        """Return the names of a scope's secrets."""
        scope = request.query.get("scope", "")
        if scope not in self._secrets:
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"Scope {scope} does not exist!")
        return {"secrets": [{"key": key, "last_updated_timestamp": 0} for key in self._secrets[scope]]}

    async def volume(self, request: web.Request) -> Json:
        """Return a volume: that of exports, or one with files."""
        return volume_view(request.match_info["name"], self._workspace)

    async def cluster(self, request: web.Request) -> Json:
        """Return the existing cluster."""
        cluster_id = request.query.get("cluster_id", "")
        if cluster_id != EXISTING_CLUSTER_ID:
            raise invalid(f"Cluster {cluster_id} does not exist")
        return {
            "cluster_id": cluster_id,
            "cluster_name": "local",
            "state": self._runner.existing_state(),
            "spark_version": RUNTIME,
            "node_type_id": NODE_TYPE,
            "num_workers": 0,
            "data_security_mode": "SINGLE_USER",
        }

    async def node_types(self, _: web.Request) -> Json:
        """Return the one node type that this machine represents."""
        return {
            "node_types": [
                {
                    "node_type_id": NODE_TYPE,
                    "memory_mb": 16384,
                    "num_cores": 4.0,
                    "description": NODE_TYPE,
                    "instance_type_id": NODE_TYPE,
                    "category": "General Purpose",
                }
            ]
        }
