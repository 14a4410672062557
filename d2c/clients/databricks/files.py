"""Databricks: the notebook and the wheel in the workspace.

Paths below ``/Volumes`` belong to Unity Catalog's volumes, which have a separate API; all others are the
workspace's. https://docs.databricks.com/api/azure/workspace/workspace and
https://docs.databricks.com/api/azure/workspace/files
"""

from __future__ import annotations

import base64
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from d2c.app.settings import Settings
from d2c.clients.connections import connected_once
from d2c.clients.databricks.errors import databricks_errors

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

VOLUMES = "/Volumes/"
FILES, DIRECTORIES = "/api/2.0/fs/files", "/api/2.0/fs/directories"
# The mount of the workspace on clusters; paths of the API do not include it.
MOUNT = "/Workspace"


class DatabricksFiles:
    """Reads and writes notebooks and small files, of at most 10 MB.

    Args:
        client: databricks-sdk's client.
    """

    def __init__(self, client: WorkspaceClient) -> None:
        self._client = client

    def read_notebook(self, path: str) -> bytes | None:
        """Return a notebook's source, or None if there is no such notebook."""
        with databricks_errors(f"Notebook {path}"):
            return self._exported(path, "SOURCE")

    def write_notebook(self, path: str, source: bytes) -> None:
        """Create a Python notebook, or replace its source."""
        with databricks_errors(f"Notebook {path}"):
            self._import(path, source, "SOURCE", "PYTHON")

    def read_file(self, path: str) -> bytes | None:
        """Return a file's content, or None if there is no such file."""
        from databricks.sdk.errors import NotFound

        with databricks_errors(f"File {path}"):
            if not path.startswith(VOLUMES):
                return self._exported(path, "AUTO")
            try:
                # The SDK's own method first requests signed URLs of the storage, which small files do not need.
                answer: Any = self._client.api_client.do("GET", FILES + quote(path), raw=True)
            except NotFound:
                return None
            return bytes(answer["contents"].read())

    def write_file(self, path: str, content: bytes) -> None:
        """Create a file with the folders above it, or replace its content."""
        with databricks_errors(f"File {path}"):
            if not path.startswith(VOLUMES):
                self._import(path, content, "AUTO")
                return
            self._client.api_client.do("PUT", DIRECTORIES + quote(str(PurePosixPath(path).parent)))
            headers = {"Content-Type": "application/octet-stream"}
            self._client.api_client.do(
                "PUT", FILES + quote(path), query={"overwrite": "true"}, headers=headers, data=content
            )

    def _exported(self, path: str, kind: str) -> bytes | None:
        from databricks.sdk.errors import NotFound
        from databricks.sdk.service.workspace import ExportFormat

        try:
            exported = self._client.workspace.export(_path_of_api(path), format=ExportFormat(kind))
        except NotFound:
            return None
        return base64.b64decode(exported.content or "")

    def _import(self, path: str, content: bytes, kind: str, language: str | None = None) -> None:
        from databricks.sdk.service.workspace import ImportFormat, Language

        api_path = _path_of_api(path)
        self._client.workspace.mkdirs(str(PurePosixPath(api_path).parent))
        self._client.workspace.import_(
            api_path,
            content=base64.b64encode(content).decode(),
            format=ImportFormat(kind),
            language=Language(language) if language else None,
            overwrite=True,
        )


def _path_of_api(path: str) -> str:
    return path.removeprefix(MOUNT) if path.startswith(f"{MOUNT}/") else path


@connected_once
def connect_databricks_files(settings: Settings) -> DatabricksFiles:
    """Return the files of the workspace in the settings."""
    from d2c.clients.databricks.sign_in import connect_workspace

    return DatabricksFiles(connect_workspace(settings))
