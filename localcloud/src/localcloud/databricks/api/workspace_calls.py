"""The calls about notebooks and files of the workspace, and about files in volumes.

https://docs.databricks.com/api/azure/workspace/workspace and https://docs.databricks.com/api/azure/workspace/files
"""

import base64
import binascii
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import orjson
from aiohttp import web

from localcloud.databricks.errors import ApiError, invalid
from localcloud.databricks.files.workspace import Workspace

WORKSPACE, FILES, DIRECTORIES = "/api/2.0/workspace", "/api/2.0/fs/files", "/api/2.0/fs/directories"
IMPORT_FIELDS = frozenset({"path", "content", "format", "language", "overwrite"})
NOTEBOOK_HEADER = b"# Databricks notebook source"
LARGEST_IMPORT_BYTES = 10 * 2**20
VOLUMES = "/Volumes/"

Json = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[Json | web.Response]]


class WorkspaceCalls:
    """Answers the calls.

    Args:
        workspace: has the files.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def calls(self) -> list[tuple[str, str, Handler, str]]:
        """Return the calls: method, path, what answers it, and its name among the faults."""
        path = "/{path:.+}"
        return [
            ("POST", f"{WORKSPACE}/import", self._import, "import"),
            ("GET", f"{WORKSPACE}/export", self._export, "export"),
            ("POST", f"{WORKSPACE}/mkdirs", self._mkdirs, "mkdirs"),
            ("PUT", f"{DIRECTORIES}{path}", self._put_directory, "files"),
            ("PUT", f"{FILES}{path}", self._put_file, "files"),
            ("GET", f"{FILES}{path}", self._get_file, "files"),
        ]

    async def _import(self, request: web.Request) -> Json:
        body = await _fields(request, IMPORT_FIELDS)
        content = _decoded(body.get("content"))
        place = self._place_of_import(body, content)
        if not place.parent.is_dir():
            raise ApiError(
                404, "RESOURCE_DOES_NOT_EXIST", f"The parent folder of {body['path']} does not exist."
            )
        if place.exists() and not body.get("overwrite"):
            raise ApiError(400, "RESOURCE_ALREADY_EXISTS", f"Path ({body['path']}) already exists.")
        _write(place, content)
        return {}

    def _place_of_import(self, body: Json, content: bytes) -> Path:
        """Return where an import goes: what is no notebook in Python's source, or a file, is refused."""
        path, kind = _absolute(body.get("path")), body.get("format", "SOURCE")
        if kind == "SOURCE":
            if body.get("language") != "PYTHON":
                raise invalid("A notebook's language must be PYTHON here.")
            return self._workspace.notebook(path)
        if kind == "AUTO" and not content.startswith(NOTEBOOK_HEADER):
            return self._workspace.file(path)
        raise invalid(f"The format {kind} is not supported here, only SOURCE of notebooks and AUTO of files.")

    async def _export(self, request: web.Request) -> Json:
        path, kind = _absolute(request.query.get("path")), request.query.get("format", "SOURCE")
        if request.query.keys() - {"path", "format"} or kind not in ("SOURCE", "AUTO"):
            raise invalid("An export has a path and the format SOURCE or AUTO here.")
        notebook, file = self._workspace.notebook(path), self._workspace.file(path)
        found = notebook if notebook.is_file() else file
        if not found.is_file():
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"Path ({path}) doesn't exist.")
        if found == file and kind == "SOURCE":
            raise invalid(f"Path ({path}) is a file, which the format SOURCE does not export.")
        return {"content": base64.b64encode(found.read_bytes()).decode(), "file_type": found.suffix[1:]}

    async def _mkdirs(self, request: web.Request) -> Json:
        body = await _fields(request, frozenset({"path"}))
        self._make_folder(_absolute(body.get("path")))
        return {}

    async def _put_directory(self, request: web.Request) -> web.Response:
        self._make_folder(_volume_path(request))
        return web.Response(status=204)

    def _make_folder(self, path: str) -> None:
        try:
            self._workspace.file(path).mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise ApiError(
                400, "RESOURCE_ALREADY_EXISTS", f"Path ({path}) or one above it is a file."
            ) from error

    async def _put_file(self, request: web.Request) -> web.Response:
        path = _volume_path(request)
        place = self._workspace.file(path)
        if place.exists() and request.query.get("overwrite", "true") != "true":
            raise ApiError(409, "ALREADY_EXISTS", f"The file {path} exists already.")
        if not place.parent.is_dir():
            raise ApiError(404, "NOT_FOUND", f"The folder of {path} does not exist.")
        _write(place, await request.read())
        return web.Response(status=204)

    async def _get_file(self, request: web.Request) -> web.Response:
        path = _volume_path(request)
        place = self._workspace.file(path)
        if not place.is_file():
            raise ApiError(404, "NOT_FOUND", f"The file {path} does not exist.")
        return web.Response(body=place.read_bytes(), content_type="application/octet-stream")


def _write(place: Path, content: bytes) -> None:
    """Replace a file as a whole: a run that starts now reads the one before or this one."""
    unfinished = place.with_name(f".{place.name}.unfinished")
    unfinished.write_bytes(content)
    unfinished.replace(place)


def _volume_path(request: web.Request) -> str:
    path = f"/{unquote(request.match_info['path'])}"
    if not path.startswith(VOLUMES):
        raise invalid(f"{path} is not a path in a volume.")
    return path


def _absolute(path: Any) -> str:
    if not isinstance(path, str) or not path.startswith("/"):
        raise invalid(f"Path ({path}) must be absolute.")
    return path


def _decoded(content: Any) -> bytes:
    try:
        decoded = base64.b64decode(content, validate=True)
    except (TypeError, binascii.Error) as error:
        raise invalid("content is missing or no base64.") from error
    if len(decoded) > LARGEST_IMPORT_BYTES:
        raise ApiError(400, "MAX_NOTEBOOK_SIZE_EXCEEDED", "The content exceeds 10 MB.")
    return decoded


async def _fields(request: web.Request, known: frozenset[str]) -> Json:
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError as error:
        raise ApiError(400, "MALFORMED_REQUEST", f"Could not parse the request: {error}") from error
    if not isinstance(body, dict) or body.keys() - known:
        raise invalid(f"The request must be an object with {', '.join(sorted(known))}.")
    return body
