"""The lake: one file system of an ADLS Gen2 account, through its blob endpoint."""

import json
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from http import HTTPStatus
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobServiceClient, ContainerClient, StorageErrorCode

from d2c.app.settings import Settings
from d2c.clients import retries
from d2c.clients.azure.data_lake import DataLake, connect_data_lake
from d2c.clients.azure.lake_text import entries_of, parsed, too_large
from d2c.clients.azure.sign_in import azure_credential, azure_errors
from d2c.clients.azure.transport import pooled_transport
from d2c.clients.connections import connected_once
from d2c.errors import PermanentError

# Of a file of the app's own, such as the log of a queue of 20,000 tables; kinds that others write have smaller bounds.
MOST_BYTES = 128 * 2**20
# The SDK makes a client for each call of a file, and with it 200 models.
FILES_KNOWN = 512


class Listed(NamedTuple):
    """A file in a listing: its path, and when it was last written."""

    path: str
    modified: datetime


class Lake:
    """Reads and writes small files, and lists folders.

    Args:
        client: azure-storage-blob's client of the file system.
        data_lake: the account by its endpoint for Data Lake Storage; None if unknown.
    """

    def __init__(self, client: ContainerClient, data_lake: DataLake | None = None) -> None:
        self._client = client
        self._data_lake = data_lake

    @property
    def endpoint(self) -> str:
        """The address of the account, without credentials."""
        parts = urlsplit(self._client.url)
        return f"{parts.scheme}://{parts.netloc}"

    def read(self, path: str, most_bytes: int = MOST_BYTES) -> bytes | None:
        """Return a file's bytes, or None if there is no such file.

        Args:
            path: the file's.
            most_bytes: the largest size; nothing beyond it is read.

        Raises:
            PermanentError: if it is larger.
        """
        found = self._download(path, most_bytes)
        return None if found is None else found[0]

    def _download(self, path: str, most_bytes: int = MOST_BYTES) -> tuple[bytes, str] | None:
        """Return a file's bytes and its version, or None if there is no such file."""
        with azure_errors(self._thing(path)):
            try:
                download = self._begin(path, most_bytes + 1)
                content: bytes = download.readall()
            except ResourceNotFoundError as error:
                if getattr(error, "error_code", None) == StorageErrorCode.CONTAINER_NOT_FOUND:
                    raise
                return None
        if len(content) > most_bytes:
            raise too_large(self._thing(path), most_bytes)
        return content, str(download.properties.etag)

    def _begin(self, path: str, most_bytes: int) -> Any:
        """Begin to read a file's first bytes; of an empty one, as a log is at first, the service has no range.

        https://learn.microsoft.com/rest/api/storageservices/get-blob#remarks
        """
        try:
            return self._client.download_blob(path, offset=0, length=most_bytes)
        except HttpResponseError as error:
            if error.status_code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise
            return self._client.download_blob(path)

    def read_range(self, path: str, offset: int, length: int) -> bytes:
        """Return a part of an existing file.

        Args:
            path: the file's.
            offset: the first byte, counted from 0.
            length: the number of bytes, at least one; the file must have all of them.
        """
        with azure_errors(self._thing(path)):
            content: bytes = self._client.download_blob(path, offset=offset, length=length).readall()
            return content

    def read_json(self, path: str, most_bytes: int = MOST_BYTES) -> Any:
        """Return a JSON file's value, or None if there is no such file.

        Args:
            path: the file's.
            most_bytes: the largest size.

        Raises:
            TransientError: if it is not JSON: Spark writes a file in pieces, so it may still be incomplete.
            PermanentError: if it is larger.
        """
        text = self.read(path, most_bytes)
        return None if text is None else parsed(text, self._thing(path))

    def write(self, path: str, content: bytes) -> None:
        """Write a file, replacing an existing one."""
        with azure_errors(self._thing(path)):
            self._client.upload_blob(path, content, overwrite=True)

    def write_json(self, path: str, value: Any) -> None:
        """Write a value as a JSON file, replacing an existing one."""
        self.write(path, json.dumps(value, indent=1).encode())

    def create(self, path: str, content: bytes) -> bool:
        """Write a file unless it exists; return whether this call wrote it."""
        with azure_errors(self._thing(path)):
            try:
                self._client.upload_blob(path, content, overwrite=False)
            except ResourceExistsError as error:
                _raise_unless_file_exists(error)
                return False
            return True

    def create_version(self, path: str, content: bytes) -> str | None:
        """Write a file unless it exists; return its version as `read_version` does, or None if there is one."""
        with azure_errors(self._thing(path)):
            try:
                written = self._client.get_blob_client(path).upload_blob(content, overwrite=False)
            except ResourceExistsError as error:
                _raise_unless_file_exists(error)
                return None
            return str(written["etag"])

    def read_version(self, path: str) -> tuple[Any, str] | None:
        """Return a JSON file's value and its version for `replace` and `delete`; None if there is no file.

        Raises:
            TransientError: if it is not JSON.
        """
        found = self._download(path)
        return None if found is None else (parsed(found[0], self._thing(path)), found[1])

    def replace(self, path: str, content: bytes, version: str) -> str | None:
        """Replace a version of a file; return its new version, or None if the file has changed since.

        If the response is lost, the file may be written, and the SDK's retry then finds another version.
        """
        with azure_errors(self._thing(path)):
            try:
                written = self._client.get_blob_client(path).upload_blob(
                    content, overwrite=True, etag=version, match_condition=MatchConditions.IfNotModified
                )
            except (ResourceModifiedError, ResourceNotFoundError) as error:
                if getattr(error, "error_code", None) == StorageErrorCode.CONTAINER_NOT_FOUND:
                    raise
                return None
            return str(written["etag"])

    def append(self, path: str, entry: Any) -> None:
        """Append an entry to a log of JSON lines, atomically; create the log if there is none.

        If the response is lost, the entry may be written, so a retry may duplicate it.
        """
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        blob = self._client.get_blob_client(path)
        with azure_errors(self._thing(path)):
            try:
                blob.append_block(line)
            except ResourceNotFoundError as error:
                if getattr(error, "error_code", None) == StorageErrorCode.CONTAINER_NOT_FOUND:
                    raise
                with suppress(ResourceExistsError):
                    blob.create_append_blob(match_condition=MatchConditions.IfMissing)
                blob.append_block(line)

    def create_log(self, path: str) -> None:
        """Create an empty log, unless there is one; `create` would make a file that nothing can be appended to."""
        with azure_errors(self._thing(path)), suppress(ResourceExistsError):
            self._client.get_blob_client(path).create_append_blob(match_condition=MatchConditions.IfMissing)

    def read_log(self, path: str) -> list[Any]:
        """Return the entries of a log in their order; none if there is no such log.

        Raises:
            TransientError: if a line is not a JSON object; only other writers can have written it.
        """
        return entries_of(self.read(path) or b"", self._thing(path))

    def delete(self, path: str, version: str | None = None) -> None:
        """Delete a file, if there is one; with a version, only if it is still that one."""
        condition: dict[str, Any] = {}
        if version:
            condition = {"etag": version, "match_condition": MatchConditions.IfNotModified}
        with azure_errors(self._thing(path)), suppress(ResourceNotFoundError, ResourceModifiedError):
            self._client.delete_blob(path, **condition)

    def has_hierarchical_namespace(self) -> bool | None:
        """Return whether the account has a hierarchical namespace, as a lake must; None if unknown."""
        if self._data_lake is None:
            return None
        with azure_errors(self._thing("")):
            return self._data_lake.has_hierarchical_namespace(self._client.container_name)

    def exists(self, path: str) -> bool:
        """Return whether a file exists."""
        with azure_errors(self._thing(path)):
            return self._client.get_blob_client(path).exists()

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the sizes in bytes of the files below a folder, by their relative paths."""
        prefix = folder.rstrip("/") + "/"
        with azure_errors(self._thing(prefix)):
            blobs = self._client.list_blobs(name_starts_with=prefix, include=["metadata"])
            return {blob.name.removeprefix(prefix): blob.size for blob in blobs if not _is_folder(blob)}

    def page(self, prefix: str, size: int, token: str | None) -> tuple[list[str], str | None]:
        """Return one page of the paths below a prefix, in the order of their names.

        Args:
            prefix: the beginning of the paths.
            size: the maximum number of paths.
            token: the second value of the previous page, or None for the first page.
        """
        with azure_errors(self._thing(prefix)):
            names = self._client.list_blob_names(name_starts_with=prefix, results_per_page=size)
            return _page_of(names, token)

    def paths_after(self, prefix: str, after: str | None, most: int) -> list[str]:
        """Return some paths below a prefix that come after a path, in the order of their names.

        A listing can begin only where an earlier one ended, so that the names before are read too, 5,000 with a call.

        Args:
            prefix: the beginning of the paths.
            after: the path; None to begin with the first.
            most: the maximum number of paths.
        """
        with azure_errors(self._thing(prefix)):
            names = self._client.list_blob_names(
                name_starts_with=prefix, results_per_page=None if after else most
            )
            return list(islice((name for name in names if after is None or name > after), most))

    def listed(self, prefix: str, size: int, token: str | None) -> tuple[list[Listed], str | None]:
        """Return one page of the files below a prefix with their times, in the order of their names.

        Args:
            prefix: the beginning of the paths.
            size: the maximum number of files.
            token: the second value of the previous page, or None for the first page.
        """
        with azure_errors(self._thing(prefix)):
            blobs = self._client.list_blobs(name_starts_with=prefix, results_per_page=size)
            page, following = _page_of(blobs, token)
            return [Listed(blob.name, blob.last_modified) for blob in page], following

    def _thing(self, path: str) -> str:
        return f"Lake file {self._client.container_name}/{path}"


def needed_json(lake: Lake, path: str, lack: str, next_step: str) -> Any:
    """Return the value of a JSON file.

    Args:
        lake: where it is.
        path: the file's.
        lack: says that it is gone, and whose it is.
        next_step: what to do then.

    Raises:
        PermanentError: if there is no such file.
    """
    value = lake.read_json(path)
    if value is None:
        raise PermanentError(f"{lack}: {path}.", next_step)
    return value


def _raise_unless_file_exists(error: ResourceExistsError) -> None:
    if getattr(error, "error_code", None) != StorageErrorCode.BLOB_ALREADY_EXISTS:
        raise error


def _page_of(listing: Any, token: str | None) -> tuple[list[Any], str | None]:
    """Return a page of a listing, and the token of the next one."""
    pages = listing.by_page(token)
    page = list(next(pages, ()))
    return page, pages.continuation_token or None


def _is_folder(blob: Any) -> bool:
    """Return whether an entry is a folder, which accounts with a hierarchical namespace list too."""
    return (blob.metadata or {}).get("hdi_isfolder") == "true"


@connected_once
def connect_lake(settings: Settings) -> Lake:
    """Return the lake in the settings.

    Raises:
        PermanentError: if its connection string is not one.
    """
    if settings.lake_connection_string:
        try:
            service = BlobServiceClient.from_connection_string(
                settings.lake_connection_string, **_arguments()
            )
        except ValueError as error:
            raise PermanentError(
                f"D2C_LAKE is not a storage account's connection string: {error}",
                "Copy the connection string again, or set D2C_LAKE__blobServiceUri instead.",
            ) from None
        return Lake(_with_known_files(service.get_container_client(settings.lake_file_system)))
    service = BlobServiceClient(settings.lake_url, credential=azure_credential(), **_arguments())
    container = service.get_container_client(settings.lake_file_system)
    return Lake(_with_known_files(container), connect_data_lake(settings.lake_url, azure_credential()))


def _with_known_files(container: ContainerClient) -> ContainerClient:
    """Let a client keep its clients of files; they hold nothing but an address, and threads may share them."""
    container.get_blob_client = lru_cache(FILES_KNOWN)(container.get_blob_client)  # type: ignore[method-assign]
    return container


def _arguments() -> dict[str, Any]:
    return {**retries.STORAGE, "transport": pooled_transport(**retries.STORAGE)}
