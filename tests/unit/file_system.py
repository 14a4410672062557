"""A substitute for the lake's file system."""

from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobProperties, StorageErrorCode


class SubstituteFileSystem:
    """The part of azure-storage-blob's ContainerClient that `Lake` uses, in memory."""

    container_name = "lake"

    def __init__(self):
        self.files = {}
        self.now = datetime(2026, 6, 1, tzinfo=UTC)
        self.written = {}

    def upload_blob(self, path, content, overwrite):
        if path in self.files and not overwrite:
            exists = ResourceExistsError()
            exists.error_code = StorageErrorCode.BLOB_ALREADY_EXISTS
            raise exists
        self.files[path] = content
        self.written[path] = self.now

    def download_blob(self, path, offset=0, length=None):
        if path not in self.files:
            raise ResourceNotFoundError
        content = self.files[path][offset:]
        if length is not None and not content:
            # As the service answers for a range of an empty blob.
            raise HttpResponseError(response=SimpleNamespace(status_code=416, reason="InvalidRange"))
        return _File(content if length is None else content[:length])

    def get_blob_client(self, path):
        return _Blob(self, path)

    def delete_blob(self, path):
        if self.files.pop(path, None) is None:
            raise ResourceNotFoundError

    def list_blobs(self, name_starts_with, include=None, results_per_page=None):
        found = [
            _Listed(name, len(self.files[name]), self.written.get(name, self.now))
            for name in sorted(self.files)
            if name.startswith(name_starts_with)
        ]
        return _Pages(found, results_per_page)

    def list_blob_names(self, name_starts_with, results_per_page=None):
        return _Pages(
            [name for name in sorted(self.files) if name.startswith(name_starts_with)], results_per_page
        )


class _Blob:
    def __init__(self, file_system, path):
        self._file_system, self._path, self._files = file_system, path, file_system.files

    def upload_blob(self, content, overwrite):
        self._file_system.upload_blob(self._path, content, overwrite)
        return {"etag": _File.properties.etag}

    def exists(self):
        return self._path in self._files

    def append_block(self, content):
        if not self.exists():
            raise ResourceNotFoundError
        self._files[self._path] += content

    def create_append_blob(self, match_condition):
        self._files.setdefault(self._path, b"")


@dataclass
class _Listed:
    name: str
    size: int
    last_modified: datetime
    metadata: None = None


class _File:
    properties = BlobProperties(ETag='"1"')

    def __init__(self, content):
        self._content = content

    def readall(self):
        return self._content


class _Pages:
    """Pages of what is listed; a token is the number of entries before its page."""

    def __init__(self, names, size):
        self._names, self._size = names, size
        self.continuation_token = None

    def __iter__(self):
        return iter(self._names)

    def by_page(self, token):
        self._begin = int(token or 0)
        return self

    def __next__(self):
        end = self._begin + self._size
        if end < len(self._names):
            self.continuation_token = str(end)
        return iter(self._names[self._begin : end])
