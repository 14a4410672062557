"""The volumes of Unity Catalog: that of the lake's folder ``exports``, whose files clusters open, and those of files.

A volume shows what the lake holds when a file is opened, to whoever may read it there. It is read-only here.
"""

import hmac
import logging
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from azure.core.exceptions import HttpResponseError

from localcloud.common.names import EXPORTS_VOLUME, LAKE_FILE_SYSTEM
from localcloud.databricks.errors import ApiError
from localcloud.databricks.faults import Faults
from localcloud.databricks.files.lake_files import LakeFiles
from localcloud.databricks.files.workspace import Workspace
from localcloud.lake import ACCOUNT

PREFIX = "/_localcloud/volumes"
EXPORTS = "exports"
SIZE = "Localcloud-Size"
OPEN = "volume-open"
log = logging.getLogger(__name__)
Json = dict[str, Any]


@dataclass(frozen=True)
class VolumeMount:
    """Where clusters get files of volumes: the service's host and port, and the secret in every path."""

    address: str
    secret: str = field(repr=False)

    def url(self) -> str:
        """Return the address of what is below ``/Volumes``."""
        return f"http://{self.address}{PREFIX}/{self.secret}"


class ExportsVolume:
    """Serves the files of the exports' volume to clusters.

    Args:
        lake: the account's files, as the clusters' identity may read them.
        secret: what the first part of every path must be.
        faults: what is to fail.
    """

    def __init__(self, lake: LakeFiles, secret: str, faults: Faults) -> None:
        self._lake = lake
        self._secret = secret
        self._faults = faults

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the route of all files."""
        router.add_get(PREFIX + "/{path:.*}", self._handle)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        secret, _, path = unquote(request.raw_path.partition("?")[0].removeprefix(f"{PREFIX}/")).partition(
            "/"
        )
        if not hmac.compare_digest(secret.encode(), self._secret.encode()):
            return web.Response(status=403)
        try:
            self._faults.raise_for(OPEN)
            return await self._send(request, f"/Volumes/{path}")
        except ApiError as error:
            return web.Response(status=error.status)
        except HttpResponseError as error:
            return web.Response(status=error.status_code or 500)

    async def _send(self, request: web.Request, path: str) -> web.StreamResponse:
        """Send a file from an offset on; of a look, only its size."""
        inner = path.removeprefix(f"{EXPORTS_VOLUME}/")
        entry = None if inner == path else await self._lake.find(LAKE_FILE_SYSTEM, f"{EXPORTS}/{inner}")
        if entry is None or entry.is_folder:
            return web.Response(status=404)
        headers = {SIZE: str(entry.size_bytes)}
        if request.method == "HEAD":
            return web.Response(headers=headers)
        offset = int(request.query.get("offset", 0))
        response = web.StreamResponse(headers=headers)
        response.content_length = max(entry.size_bytes - offset, 0)
        await response.prepare(request)
        try:
            if response.content_length:
                part = offset, response.content_length
                _, pieces = await self._lake.read(LAKE_FILE_SYSTEM, entry.path, part)
                async for piece in pieces:
                    await response.write(piece)
            await response.write_eof()
        except ConnectionResetError:
            log.info("The reader of %s has closed it before its end.", path)
        return response


def volume_view(full_name: str, workspace: Workspace) -> Json:
    """Return a volume as ``unity-catalog/volumes`` does: that of exports is external, others hold files of their own.

    Raises:
        ApiError: 404, if there is no such volume.
    """
    path = f"/Volumes/{full_name.replace('.', '/')}"
    if path == EXPORTS_VOLUME:
        kind, place = "EXTERNAL", f"abfss://{LAKE_FILE_SYSTEM}@{ACCOUNT}.dfs.core.windows.net/{EXPORTS}"
    elif full_name.count(".") == 2 and workspace.file(path).is_dir():
        kind, place = "MANAGED", f"abfss://unity-catalog@local.dfs.core.windows.net/{full_name}"
    else:
        raise ApiError(404, "VOLUME_DOES_NOT_EXIST", f"Volume '{full_name}' does not exist.")
    names = dict(zip(("catalog_name", "schema_name", "name"), full_name.split("."), strict=True))
    return {**names, "full_name": full_name, "volume_type": kind, "storage_location": place}
