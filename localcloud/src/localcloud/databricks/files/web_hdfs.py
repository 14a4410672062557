"""The lake behind WebHDFS, the protocol of a file system that the Hadoop within PySpark speaks over HTTP.

PySpark ships no driver for ``abfss://``. Its view file system can mount another one under that scheme, so a notebook's
paths stay as they are on Databricks. Every path begins with a secret that only this workspace's notebooks know.
Hadoop's client encodes the names of a path in one way for a look, and in another one for a read or a write, where a
space is a plus sign too and a percent sign may be encoded twice. So a path that is not there as it came is taken for
the one whose names are the same once decoded.

https://hadoop.apache.org/docs/r3.4.1/hadoop-project-dist/hadoop-hdfs/WebHDFS.html
"""

import hmac
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote

from aiohttp import web
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError

from localcloud.databricks.files.lake_files import PIECE_BYTES, Entry, LakeFiles

PREFIX = "/webhdfs/v1"
SECOND_STEP = "second-step"
# What a client encodes in one way or another; a path without any is there as it came, or not at all.
ENCODED = frozenset("%+")
PART = frozenset({"offset", "length"})
AS_IT_CAME = "/%?&=+:;,@~!$'()*[]"
log = logging.getLogger(__name__)
Handler = Callable[["_Call"], Awaitable[web.StreamResponse]]


class HdfsError(Exception):
    """An error as WebHDFS returns it: the Java exception that the client raises, and its text."""

    def __init__(self, status: int, exception: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.exception = exception


class _Call:
    """One request: its query, and the file system and path that it is about."""

    def __init__(self, request: web.Request, lake: LakeFiles, secret: str) -> None:
        path = unquote(request.raw_path.partition("?")[0].removeprefix(f"{PREFIX}/"))
        given, _, rest = path.partition("/")
        if not hmac.compare_digest(given.encode(), secret.encode()):
            raise HdfsError(403, "SecurityException", "The path does not begin with this workspace's secret.")
        self.request = request
        self.query = request.query
        self.lake = lake
        self._secret = secret
        self.file_system, self.path = self._split(rest)
        self.is_plain = not ENCODED & set(request.raw_path.partition("?")[0])

    def destination(self) -> str:
        """Return the path that a rename goes to."""
        _, _, rest = self.query["destination"].strip("/").partition("/")
        file_system, path = self._split(rest)
        if file_system != self.file_system:
            raise HdfsError(403, "IOException", "A file cannot be moved to another file system.")
        return path

    async def look(self) -> Entry | None:
        """Return what is at the path, or None; the call is then about the path in the form that it has there."""
        entry = await self._first_of(self.path)
        if not self.is_plain:
            self.path = entry.path if entry else await self._new(self.path)
        return entry

    async def _first_of(self, path: str) -> Entry | None:
        """Return what is at a path, or at one that is the same once decoded."""
        found = await self.lake.find(self.file_system, path)
        return found if found or self.is_plain else await self._alike(path)

    async def _alike(self, path: str) -> Entry | None:
        folder, _, name = path.rpartition("/")
        there = await self._first_of(folder)
        if there is None or not there.is_folder:
            return None
        children = await self.lake.children(self.file_system, there.path)
        return next((child for child in children if _decoded(_name(child.path)) == _decoded(name)), None)

    async def _new(self, path: str) -> str:
        """Return the path of something new: in the form that its folder has, and with its own name decoded."""
        folder, slash, name = path.rpartition("/")
        if not slash:
            return _decoded(path)
        there = await self._first_of(folder)
        return f"{there.path if there else await self._new(folder)}/{_decoded(name)}"

    def _split(self, rest: str) -> tuple[str, str]:
        file_system, _, path = rest.strip("/").partition("/")
        return file_system, path

    async def find(self) -> Entry:
        """Return what is at the path."""
        entry = await self.look()
        if entry is None:
            raise HdfsError(404, "FileNotFoundException", f"File does not exist: /{self.path}")
        return entry


class WebHdfs:
    """Serves the lake's files.

    Args:
        lake: the account's files.
        secret: what the first part of every path must be.
    """

    def __init__(self, lake: LakeFiles, secret: str) -> None:
        self._lake = lake
        self._secret = secret

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the protocol's routes."""
        router.add_get(PREFIX + "/", _home)
        router.add_route("*", PREFIX + "/{path:.*}", self._handle)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        operation = request.query.get("op", "").upper()
        handler = _OPERATIONS.get((request.method, operation))
        try:
            if handler is None:
                raise HdfsError(
                    400,
                    "UnsupportedOperationException",
                    f"{request.method} {operation} is not supported here.",
                )
            return await handler(_Call(request, self._lake, self._secret))
        except HdfsError as error:
            return _failure(error)
        except ResourceNotFoundError as error:
            return _failure(HdfsError(404, "FileNotFoundException", str(error.message)))
        except HttpResponseError as error:
            return _failure(_of_the_lake(error))
        except AzureError as error:
            log.warning("The lake failed %s %s: %s", request.method, operation, error)
            return _failure(HdfsError(500, "IOException", f"The lake failed: {error.message}"))


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _decoded(name: str) -> str:
    """Return a name as it is after any number of decodings."""
    while (once := unquote(name)) != name:
        name = once
    return name.replace("+", " ")


def _of_the_lake(error: HttpResponseError) -> HdfsError:
    """Return what a cluster is told of an answer of the lake: what it may not do by an exception of its own."""
    text = f"{str(error.message).splitlines()[0]}, {error.status_code}, {getattr(error, 'error_code', '')}"
    if error.status_code == HTTPStatus.FORBIDDEN:
        return HdfsError(403, "AccessControlException", f"Operation failed: {text}")
    log.warning("The lake failed: %s", text)
    return HdfsError(500, "IOException", f"Operation failed: {text}")


async def _file_status(call: _Call) -> web.Response:
    return web.json_response({"FileStatus": _status(await call.find(), "")})


async def _home(_: web.Request) -> web.Response:
    """Say where a user's home is, which clients ask for before they know of any path, and then do not use."""
    return web.json_response({"Path": "/"})


async def _list_status(call: _Call) -> web.Response:
    if not call.is_plain:
        await call.look()
    children = await call.lake.children(call.file_system, call.path)
    # What has something in it is a folder.
    if not children and not (entry := await call.find()).is_folder:
        return _statuses([_status(entry, "")])
    return _statuses([_status(child, _name(child.path)) for child in children])


async def _open(call: _Call) -> web.StreamResponse:
    """Send a file from an offset on. In two steps too: of an answer to the first, the client would read nothing."""
    if SECOND_STEP not in call.query:
        return _second_step(call)
    part = await _part(call)
    entry, pieces = await call.lake.read(call.file_system, call.path, part)
    if entry.is_folder:
        raise HdfsError(403, "FileNotFoundException", f"/{call.path} is a folder.")
    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    response.content_length = entry.size_bytes
    await response.prepare(call.request)
    try:
        async for piece in pieces:
            await response.write(piece)
        await response.write_eof()
    except ConnectionResetError:
        log.info("The reader of /%s has closed it before its end.", call.path)
    return response


async def _part(call: _Call) -> tuple[int, int] | None:
    """Return the part of a file that is asked for; None for all of it."""
    if call.is_plain and not PART & call.query.keys():
        return None
    size, offset = (await call.find()).size_bytes, int(call.query.get("offset", 0))
    if offset >= size > 0:
        raise HdfsError(403, "IOException", f"Offset={offset} out of the range [0, {size}); /{call.path}.")
    length = min(int(call.query.get("length", size)), size - offset)
    return None if length == size else (offset, length)


async def _create(call: _Call) -> web.Response:
    """Write a file. The protocol is in two steps, so that clients send no data before they know where to."""
    if SECOND_STEP not in call.query:
        return _second_step(call)
    entry = await call.look()
    if entry and (entry.is_folder or call.query.get("overwrite", "false") != "true"):
        raise HdfsError(403, "FileAlreadyExistsException", f"/{call.path} is there already.")
    pieces = call.request.content.iter_chunked(PIECE_BYTES)
    await call.lake.write(call.file_system, call.path, pieces)
    return web.Response(status=201, headers={"Location": quote(f"/{call.path}")})


async def _make_folders(call: _Call) -> web.Response:
    entry = await call.look()
    if entry and not entry.is_folder:
        raise HdfsError(403, "FileAlreadyExistsException", f"/{call.path} is a file.")
    if entry is None:
        await call.lake.make_folder(call.file_system, call.path)
    return web.json_response({"boolean": True})


async def _rename(call: _Call) -> web.Response:
    """Move a file or folder; as everywhere in Hadoop, onto a folder means into it."""
    source, target = await call.look(), call.destination()
    there = await call.lake.find(call.file_system, target)
    if there and there.is_folder:
        target = f"{target}/{call.path.rpartition('/')[2]}".lstrip("/")
        there = await call.lake.find(call.file_system, target)
    possible = source is not None and there is None and not f"{target}/".startswith(f"{call.path}/")
    if possible:
        await call.lake.move(call.file_system, call.path, target)
    return web.json_response({"boolean": possible})


async def _delete(call: _Call) -> web.Response:
    entry = await call.look()
    if entry is None:
        return web.json_response({"boolean": False})
    if entry.is_folder and call.query.get("recursive", "false") != "true":
        children = await call.lake.children(call.file_system, call.path)
        if children:
            raise HdfsError(403, "PathIsNotEmptyDirectoryException", f"/{call.path} is not empty.")
    await call.lake.delete(call.file_system, call.path)
    return web.json_response({"boolean": True})


_OPERATIONS: dict[tuple[str, str], Handler] = {
    ("GET", "GETFILESTATUS"): _file_status,
    ("GET", "LISTSTATUS"): _list_status,
    ("GET", "OPEN"): _open,
    ("PUT", "CREATE"): _create,
    ("PUT", "MKDIRS"): _make_folders,
    ("PUT", "RENAME"): _rename,
    ("DELETE", "DELETE"): _delete,
}


def _second_step(call: _Call) -> web.Response:
    # The path as it came: a URL object would write it another way.
    place = f"http://{call.request.host}{quote(call.request.raw_path, safe=AS_IT_CAME)}&{SECOND_STEP}=true"
    return web.Response(status=307, headers={"Location": place})


def _status(entry: Entry, suffix: str) -> dict[str, Any]:
    return {
        "pathSuffix": suffix,
        "type": "DIRECTORY" if entry.is_folder else "FILE",
        "length": entry.size_bytes,
        "modificationTime": entry.changed_at_ms,
        "accessTime": entry.changed_at_ms,
        "blockSize": 0 if entry.is_folder else 128 * 2**20,
        "replication": 0 if entry.is_folder else 1,
        "permission": "770",
        "owner": "local",
        "group": "local",
    }


def _statuses(statuses: list[dict[str, Any]]) -> web.Response:
    return web.json_response({"FileStatuses": {"FileStatus": statuses}})


def _failure(error: HdfsError) -> web.Response:
    remote = {
        "exception": error.exception,
        "javaClassName": _JAVA.get(error.exception, f"java.io.{error.exception}"),
        "message": str(error),
    }
    return web.json_response({"RemoteException": remote}, status=error.status)


_JAVA = {
    "SecurityException": "java.lang.SecurityException",
    "AccessControlException": "org.apache.hadoop.security.AccessControlException",
    "UnsupportedOperationException": "java.lang.UnsupportedOperationException",
    "FileAlreadyExistsException": "org.apache.hadoop.fs.FileAlreadyExistsException",
    "PathIsNotEmptyDirectoryException": "org.apache.hadoop.fs.PathIsNotEmptyDirectoryException",
}
