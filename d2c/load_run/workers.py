"""What Spark's workers do with data files and documents: iterators of Arrow batches in, iterators of batches out.

Each function here returns one for ``DataFrame.mapInArrow``. A data file comes whole, as one row of a ``binaryFile``
DataFrame, because its MD5 must hold before its first line is used. It costs a worker about twice its compressed size
in Python and up to seven times in the JVM's heap (`benchmarks/large_data_file.py`); lines are decompressed in pieces
and batches are bounded in bytes.
"""

import base64
import hashlib
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson
import pyarrow as pa

from d2c.export_format import DataFile, ExportFormatError, read_lines
from d2c.load_run.accounting import FileTally
from d2c.load_run.batches import Batches, Row, Worker, files_of, pack, texts_of
from d2c.load_run.mappers import AnyMapper, request_mapper
from d2c.load_run.request import LoadRequest, sample_fraction
from d2c.mapping import (
    Document,
    Expired,
    Rejected,
    document_identity,
    fingerprint,
    identity_of,
)

# `kind` is "file" (a FileTally as JSON), "rejected" (a rejected item as JSON) or "document" (a document as JSON).
OUTCOME_SCHEMA = "kind string, body string"
_OUTCOME = pa.schema([("kind", pa.string()), ("body", pa.string())])
# `identity` is the canonical text of partition key and id; `digest` that of the document's value.
EXPECTED_SCHEMA = "identity string, digest binary, expires_at bigint"
_EXPECTED = pa.schema([("identity", pa.string()), ("digest", pa.binary()), ("expires_at", pa.int64())])
ACTUAL_SCHEMA = "identity string, digest binary, ttl bigint, written_at bigint"
_ACTUAL = pa.schema(
    [("identity", pa.string()), ("digest", pa.binary()), ("ttl", pa.int64()), ("written_at", pa.int64())]
)
BODY_SCHEMA = "identity string, body string"
_BODY = pa.schema([("identity", pa.string()), ("body", pa.string())])


def assess_files(request: LoadRequest, files: Sequence[DataFile]) -> Worker:
    """Map every item and keep what must be known before anything is written: tallies and rejected items."""

    def row_of(mapped: Document | Expired | Rejected, file: str, line: int) -> Row | None:
        if isinstance(mapped, Rejected):
            return "rejected", mapped.to_json_line(file, line)
        return None

    return _outcome_worker(request, files, row_of)


def load_files(request: LoadRequest, files: Sequence[DataFile]) -> Worker:
    """Map every item to the document to write, and tally."""

    def row_of(mapped: Document | Expired | Rejected, file: str, line: int) -> Row | None:
        return ("document", mapped.body) if isinstance(mapped, Document) else None

    return _outcome_worker(request, files, row_of)


def expected_documents(request: LoadRequest, files: Sequence[DataFile], load_started_at: int) -> Worker:
    """Digest the documents that a container must hold.

    Args:
        request: says how items become documents, and which part of them is compared.
        files: the export's data files.
        load_started_at: epoch seconds. An item that had expired by then was not written; one that expires later
            was, or was not if it expired before its turn, which its ``expires_at`` tells.
    """
    fraction = sample_fraction(request.verify)

    ignore_ttl = request_mapper(request).rules.container_has_ttl

    def rows(batches: Batches) -> Iterator[Row]:
        for document in _documents(request, files, batches, load_started_at):
            identity = document_identity(document.partition_key, document.document_id)
            if _in_sample(identity, fraction):
                digest = fingerprint(orjson.loads(document.body), ignore_ttl=ignore_ttl)
                yield identity, digest, document.expires_at

    return lambda batches: pack(rows(batches), _EXPECTED)


def actual_documents(request: LoadRequest) -> Worker:
    """Digest the documents that a container holds, from their ``_rawBody`` texts."""
    fraction = sample_fraction(request.verify)
    mapper = request_mapper(request)
    has_ttl = mapper.rules.container_has_ttl

    def rows(batches: Batches) -> Iterator[Row]:
        for text in texts_of(batches):
            document = orjson.loads(text)
            identity = _identity_of(document, mapper)
            if identity is not None and _in_sample(identity, fraction):
                digest = fingerprint(document, ignore_ttl=has_ttl)
                # Without time to live in the container, `ttl` is a property like any other.
                yield identity, digest, document.get("ttl") if has_ttl else None, document["_ts"]

    return lambda batches: pack(rows(batches), _ACTUAL)


def expected_bodies(
    request: LoadRequest, files: Sequence[DataFile], load_started_at: int, identities: frozenset[str]
) -> Worker:
    """Return the whole expected documents of a few identities, to tell what differs."""

    def rows(batches: Batches) -> Iterator[Row]:
        for document in _documents(request, files, batches, load_started_at):
            identity = document_identity(document.partition_key, document.document_id)
            if identity in identities:
                yield identity, document.body

    return lambda batches: pack(rows(batches), _BODY)


def actual_bodies(request: LoadRequest, identities: frozenset[str]) -> Worker:
    """Return the whole actual documents of a few identities, to tell what differs."""
    mapper = request_mapper(request)

    def rows(batches: Batches) -> Iterator[Row]:
        for text in texts_of(batches):
            identity = _identity_of(orjson.loads(text), mapper)
            if identity in identities:
                yield identity, text

    return lambda batches: pack(rows(batches), _BODY)


def _outcome_worker(
    request: LoadRequest,
    files: Sequence[DataFile],
    row_of: Callable[[Document | Expired | Rejected, str, int], Row | None],
) -> Worker:
    """Return a worker that emits what ``row_of`` makes of each item, and a tally after each file."""
    listed = {file.name: file for file in files}

    def rows(batches: Batches) -> Iterator[Row]:
        mapper = request_mapper(request)
        for name, content in files_of(batches):
            tally = FileTally(name)
            try:
                for line in _checked_lines(listed, name, content):
                    tally.lines += 1
                    mapped = mapper.map_line(line, int(time.time()))
                    _count(tally, mapped)
                    row = row_of(mapped, name, tally.lines)
                    if row is not None:
                        yield row
            except ExportFormatError as error:
                tally.fault = str(error)
            yield "file", tally.to_json()

    return lambda batches: pack(rows(batches), _OUTCOME)


def _count(tally: FileTally, mapped: Document | Expired | Rejected) -> None:
    if isinstance(mapped, Document):
        tally.documents += 1
        tally.document_bytes += len(mapped.body)
    elif isinstance(mapped, Expired):
        tally.expired += 1
    else:
        tally.rejected[mapped.reason] += 1


def _documents(
    request: LoadRequest, files: Sequence[DataFile], batches: Batches, now: int
) -> Iterator[Document]:
    """Map data files that an earlier stage has checked; a fault in one stops the job."""
    listed = {file.name: file for file in files}
    mapper = request_mapper(request)
    for name, content in files_of(batches):
        for line in _checked_lines(listed, name, content):
            mapped = mapper.map_line(line, now)
            if isinstance(mapped, Document):
                yield mapped


def _checked_lines(listed: dict[str, DataFile], name: str, content: memoryview) -> Iterator[bytes]:
    """Return the lines of a data file whose bytes have the manifest's MD5."""
    file = listed.get(name)
    if file is None:
        raise ExportFormatError(f"{name} is not in the manifest.", "Copy the export again.")
    digest = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
    if digest != file.md5:
        raise ExportFormatError(
            f"{name} has the MD5 {digest} and the manifest says {file.md5}.", "Copy the export again."
        )
    return read_lines(content, name)


def _identity_of(document: dict[str, Any], mapper: AnyMapper) -> str | None:
    """Return a stored document's identity, or None if it belongs to another table that shares the container.

    Tables that share a container are told apart by the constants in their partition keys.
    """
    constants = mapper.rules.constants
    for name in mapper.partition_key_properties:
        if name in constants and document.get(name) != constants[name]:
            return None
    return identity_of(document, mapper.partition_key_properties)


def _in_sample(identity: str, fraction: float) -> bool:
    """Choose the same documents on both sides, by their identity."""
    return fraction >= 1 or zlib.crc32(identity.encode()) < fraction * 2**32
