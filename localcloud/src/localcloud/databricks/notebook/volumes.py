"""Volumes of Unity Catalog in a cluster's Python processes; Databricks has a file system of the kernel for them (FUSE).

Mounting one takes rights that a user of this machine may not have. So Python's own ``open`` asks the service for paths
below ``/Volumes``, and only that one does: read-only, and no ``os.listdir``. Addresses such as ``abfss://`` are no
paths for it, as on Databricks.
"""

import builtins
import errno
import http.client
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlsplit

ROOT = "/Volumes/"
# In the folder of a cluster, where its Python processes run. Nobody else may read it.
PLACE_FILE = "volumes.json"
SIZE = "Localcloud-Size"
PIECE_BYTES = 2**20
ERRNO_OF_STATUS = {403: errno.EPERM, 404: errno.ENOENT}
Open = Callable[..., IO[Any]]


def keep_place(folder: Path, url: str) -> None:
    """Tell the Python processes of a cluster where its volumes are.

    Args:
        folder: the cluster's.
        url: stands for ``/Volumes``.
    """
    descriptor = os.open(folder / PLACE_FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(url, file)


def mount_volumes(folder: Path) -> None:
    """Let this process open files of volumes, if its cluster has any.

    Args:
        folder: the cluster's.
    """
    place = folder / PLACE_FILE
    if place.exists():
        builtins.open = io.open = _opening(json.loads(place.read_text()), io.open)  # type: ignore[assignment]


def _opening(url: str, plain: Open) -> Open:
    def opening(file: Any, mode: str = "r", *arguments: Any, **options: Any) -> IO[Any]:
        path = os.fspath(file) if isinstance(file, str | os.PathLike) else ""
        if not isinstance(path, str) or not path.startswith(ROOT):
            return plain(file, mode, *arguments, **options)
        if set(mode) & set("wax+"):
            raise _error(errno.EROFS, path)
        content = io.BufferedReader(_VolumeFile(url, path), PIECE_BYTES)
        return content if "b" in mode else io.TextIOWrapper(content, "utf-8")

    return opening


def _error(number: int, path: str) -> OSError:
    return OSError(number, os.strerror(number), path)


class _VolumeFile(io.RawIOBase):
    """A file of a volume, which is read in order; a seek begins a new request."""

    def __init__(self, url: str, path: str) -> None:
        super().__init__()
        self._url, self._path = urlsplit(f"{url}/{quote(path.removeprefix(ROOT))}"), path
        self._connection: http.client.HTTPConnection | None = None
        self._answer: http.client.HTTPResponse | None = None
        self._at = 0
        self._size = int(self._ask("HEAD").headers[SIZE])
        self._hang_up()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._hang_up()
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at >= self._size:
            return 0
        if self._answer is None:
            self._answer = self._ask("GET")
        try:
            read = self._answer.readinto(buffer)
        except (OSError, http.client.HTTPException) as error:
            raise _error(errno.EIO, self._path) from error
        if not read:
            raise _error(errno.EIO, self._path)
        self._at += read
        return read

    def close(self) -> None:
        self._hang_up()
        super().close()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._answer = None

    def _ask(self, method: str) -> http.client.HTTPResponse:
        self._connection = http.client.HTTPConnection(self._url.netloc)
        try:
            self._connection.request(method, f"{self._url.path}?offset={self._at}")
            answer = self._connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise _error(errno.EIO, self._path) from error
        if answer.status != http.HTTPStatus.OK:
            raise _error(ERRNO_OF_STATUS.get(answer.status, errno.EIO), self._path)
        return answer
