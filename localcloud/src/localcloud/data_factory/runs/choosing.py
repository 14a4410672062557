"""Which files a copy's source selects: by a wildcard, or by a list of files."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.data_factory.runs.connections import SourceFolder
from localcloud.data_factory.runs.errors import ActivityError


@dataclass(frozen=True)
class SourceFile:
    """An object: its key, and its path within the folder that is copied."""

    key: str
    path: str


def choose_files(client: Any, source: SourceFolder, settings: Mapping[str, Any]) -> list[SourceFile]:
    """Return the files that a copy's source selects.

    Args:
        client: boto3's ``s3`` client.
        source: the folder.
        settings: the source's ``storeSettings``.

    Raises:
        ActivityError: if there are none.
    """
    if "fileListPath" in settings:
        return read_list(client, source, settings["fileListPath"])
    wildcard = settings.get("wildcardFileName")
    files = list(list_files(client, source, settings.get("recursive", True), wildcard))
    if not files:
        raise not_found(f"No file in s3://{source.bucket}/{source.folder} is named {wildcard or '*'}.")
    return files


def not_found(message: str) -> ActivityError:
    """Return the failure of a copy whose source has no such file."""
    return ActivityError(
        f"ErrorCode=UserErrorFileNotFound,Message={message},Source=Failure happened on 'Source' side."
    )


def read_list(client: Any, source: SourceFolder, path: str) -> list[SourceFile]:
    """Return the files that a list names: a file a line, by its path within the folder that is copied.

    https://learn.microsoft.com/azure/data-factory/connector-amazon-simple-storage-service#file-list-examples

    Args:
        client: boto3's ``s3`` client.
        source: the folder.
        path: of the list: the bucket, a slash, and the key.
    """
    bucket, _, key = path.partition("/")
    content = client.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    paths = [line.strip("\r") for line in content.split("\n") if line.strip()]
    if not paths:
        raise not_found(f"The list of files s3://{path} names none.")
    prefix = f"{source.folder}/" if source.folder else ""
    return [SourceFile(f"{prefix}{path}", path) for path in paths]


def list_files(
    client: Any, source: SourceFolder, recursive: bool, wildcard: str | None
) -> Iterator[SourceFile]:
    """Return the files of a folder, in the order of their keys.

    Args:
        client: boto3's ``s3`` client.
        source: the folder.
        recursive: whether the folders within are read too.
        wildcard: what a file's name must match, or None for all.
    """
    prefix = f"{source.folder}/" if source.folder else ""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=source.bucket, Prefix=prefix)
    matches = wildcard_pattern("*" if wildcard is None else wildcard)
    for page in pages:
        for entry in page.get("Contents", ()):
            path = entry["Key"].removeprefix(prefix)
            folder, _, name = path.rpartition("/")
            if name and (recursive or not folder) and matches.fullmatch(name):
                yield SourceFile(entry["Key"], path)


def wildcard_pattern(wildcard: str) -> re.Pattern[str]:
    """Return a pattern for Data Factory's wildcards: ``*``, ``?``, and ``^`` before one that is meant itself."""
    parts = re.findall(r"\^.|.", wildcard, re.DOTALL)
    special = {"*": ".*", "?": "."}
    return re.compile(
        "".join(special.get(part) or re.escape(part.removeprefix("^") or part) for part in parts), re.DOTALL
    )
