"""The lake's files and folders as a file system, over its blob endpoint, and where a notebook finds them.

Azurite has no endpoint for a hierarchical namespace. As an account with one lists them, a folder is an empty blob
that says so in its metadata; a folder that appears only in other files' names is one as well.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import ContainerClient

from localcloud.common.names import LAKE_FILE_SYSTEM
from localcloud.lake import ACCOUNT
from localcloud.lake.reach import Reach

FOLDER_MARK = {"hdi_isfolder": "true"}
PIECE_BYTES = 8 * 2**20


@dataclass(frozen=True)
class Entry:
    """A file or folder: its path in the file system, size in bytes, and last change in epoch milliseconds."""

    path: str
    is_folder: bool
    size_bytes: int = 0
    changed_at_ms: int = 0


class LakeFiles:
    """The file systems of the lake's account.

    Args:
        reach: how the account is reached.
    """

    def __init__(self, reach: Reach) -> None:
        self._service = reach.async_blobs(max_block_size=PIECE_BYTES, max_single_put_size=PIECE_BYTES)

    async def close(self) -> None:
        """Give back the connections."""
        await self._service.close()

    async def find(self, file_system: str, path: str) -> Entry | None:
        """Return what is at a path, or None."""
        if not path:
            return Entry("", is_folder=True)
        client = self._container(file_system)
        try:
            return _entry(await client.get_blob_client(path).get_blob_properties())
        except ResourceNotFoundError:
            async for _ in client.list_blob_names(name_starts_with=f"{path}/", results_per_page=1):
                return Entry(path, is_folder=True)
        return None

    async def children(self, file_system: str, folder: str) -> list[Entry]:
        """Return what is directly in a folder, by name."""
        prefix = f"{folder}/" if folder else ""
        found: dict[str, Entry] = {}
        async for blob in self._container(file_system).walk_blobs(prefix, include=["metadata"]):
            path = blob.name.rstrip("/")
            folder_only = not hasattr(blob, "size")
            found.setdefault(path, Entry(path, is_folder=True) if folder_only else _entry(blob))
        return [found[path] for path in sorted(found)]

    async def read(
        self, file_system: str, path: str, part: tuple[int, int] | None = None
    ) -> tuple[Entry, AsyncIterator[bytes]]:
        """Return what is at a path, and the bytes of a file in pieces.

        Args:
            file_system: its name.
            path: in the file system.
            part: an offset in the file, and a length; all of it if None.

        Raises:
            ResourceNotFoundError: if there is nothing.
        """
        blob = self._container(file_system).get_blob_client(path)
        offset, length = part or (None, None)
        download = await blob.download_blob(offset=offset, length=length)
        return _entry(download.properties), download.chunks()

    async def write(self, file_system: str, path: str, pieces: AsyncIterator[bytes]) -> None:
        """Write a file, over one that may be there; it appears once it is whole."""
        blob = self._container(file_system).get_blob_client(path)
        start = b""
        while len(start) < PIECE_BYTES and (piece := await anext(pieces, b"")):
            start += piece
        # A small one by one call: what is read from an iterator takes a call for its blocks, and one for their list.
        whole = len(start) < PIECE_BYTES
        await blob.upload_blob(start if whole else _joined(start, pieces), overwrite=True)

    async def make_folder(self, file_system: str, path: str) -> None:
        """Make a folder."""
        blob = self._container(file_system).get_blob_client(path)
        await blob.upload_blob(b"", overwrite=True, metadata=FOLDER_MARK)

    async def move(self, file_system: str, source: str, target: str) -> None:
        """Give a file, or a folder with all that is in it, another path."""
        client = self._container(file_system)
        for name in await self._tree(file_system, source):
            old = client.get_blob_client(name)
            new = client.get_blob_client(target + name.removeprefix(source))
            await new.start_copy_from_url(old.url)
            await old.delete_blob()

    async def delete(self, file_system: str, path: str) -> None:
        """Delete a file, or a folder with all that is in it."""
        client = self._container(file_system)
        for name in reversed(await self._tree(file_system, path)):
            await client.delete_blob(name)

    async def _tree(self, file_system: str, path: str) -> list[str]:
        """Return the names of the blobs at and below a path, a folder before what is in it."""
        client = self._container(file_system)
        names = [name async for name in client.list_blob_names(name_starts_with=path)]
        return [name for name in names if name == path or name.startswith(f"{path}/")]

    def _container(self, file_system: str) -> ContainerClient:
        return self._service.get_container_client(file_system)


async def _joined(start: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield start
    async for piece in rest:
        yield piece


def _entry(blob: Any) -> Entry:
    is_folder = (blob.metadata or {}).get("hdi_isfolder") == "true"
    changed_at_ms = int(blob.last_modified.timestamp() * 1000)
    return Entry(blob.name, is_folder, 0 if is_folder else blob.size, changed_at_ms)


@dataclass(frozen=True)
class LakeMounts:
    """The lake's file system behind the service's WebHDFS, mounted under the authority of its ``abfss://`` paths.

    ``address`` is the service's host and port; ``secret`` the first part of every path.
    """

    address: str
    secret: str = field(repr=False)

    def mounts(self) -> dict[str, str]:
        """Return the file system's address by its authority."""
        authority = f"{LAKE_FILE_SYSTEM}@{ACCOUNT}.dfs.core.windows.net"
        return {authority: f"webhdfs://{self.address}/{self.secret}/{LAKE_FILE_SYSTEM}"}
