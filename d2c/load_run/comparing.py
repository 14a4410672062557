"""The Spark workers of verify: rows of the export and of the container that can be compared."""

import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
import pyarrow as pa

from d2c.export_format import DataFile
from d2c.load_run.accounting import FileTally
from d2c.load_run.batches import (
    Batches,
    Row,
    Worker,
    checked_blocks,
    checked_lines,
    files_of,
    pack,
    texts_of,
)
from d2c.load_run.kernel import documents, items
from d2c.load_run.kernel.rules import DIGESTS
from d2c.load_run.mappers import AnyMapper, canonical_mapper, request_mapper
from d2c.load_run.request import LoadRequest, sample_fraction
from d2c.load_run.verification import CLOCK_ALLOWANCE_SECONDS
from d2c.mapping import Document, Rejected, digest, document_identity, fingerprint, identity_of
from d2c.mapping.rejected import DOCUMENT_TOO_LARGE, PARTITION_KEY_TOO_LONG

# `identity` is the canonical text of partition key and id; `digest` that of the document's value.
EXPECTED_SCHEMA = "identity string, digest binary, expires_at bigint"
_EXPECTED = pa.schema([("identity", pa.string()), ("digest", pa.binary()), ("expires_at", pa.int64())])
EXPECTED_ONCE = ("key", "digest", "other_digest", "expires_at", "lines")
EXPECTED_ONCE_SCHEMA = "key string, digest binary, other_digest binary, expires_at bigint, lines bigint"
"""Those of `EXPECTED_SCHEMA` with one row for each identity, however many lines of the export it has; its key, in hex,
is what stands for the identity."""
ACTUAL_SCHEMA = "identity string, digest binary, ttl bigint, written_at bigint"
_ACTUAL = pa.schema(
    [("identity", pa.string()), ("digest", pa.binary()), ("ttl", pa.int64()), ("written_at", pa.int64())]
)
BODY_SCHEMA = "identity string, body string"
_BODY = pa.schema([("identity", pa.string()), ("body", pa.string())])
# Reasons for which a canonical mapper may reject what is written.
OF_SIZE = (DOCUMENT_TOO_LARGE, PARTITION_KEY_TOO_LONG)
EXPECTED_COUNTS_SCHEMA = "surely bigint, possibly bigint"
_EXPECTED_COUNTS = pa.schema([("surely", pa.int64()), ("possibly", pa.int64())])


def expected_documents(request: LoadRequest, files: Sequence[DataFile], load_started_at: int) -> Worker:
    """Digest the documents that a container must hold.

    Args:
        request: the load request, with the rules and the sample to compare.
        files: the export's data files.
        load_started_at: epoch seconds. An item that had expired by then was not written. One that expired between
            then and its own write was not written either, see its ``expires_at``.
    """
    fraction, listed = sample_fraction(request.verify), {file.name: file for file in files}

    def rows(batches: Batches) -> Iterator[Row | pa.RecordBatch]:
        digester = _Digester(request, load_started_at, fraction)
        lines = items.lines_mapper(digester.rules, DIGESTS, lambda: load_started_at, fraction)
        for name, content in files_of(batches):
            for block in checked_blocks(listed, name, content):
                for line in lines.left_of(block, FileTally(name)):
                    row = digester.row_of(line)
                    if row is not None:
                        yield from lines.emit(row)
                yield from lines.batches()
        yield from lines.batches(to_the_end=True)

    return lambda batches: pack(rows(batches), _EXPECTED)


class _Digester:
    """Digests the documents of lines. Where all items have the same rules, it parses none of them again."""

    def __init__(self, request: LoadRequest, now: int, fraction: float) -> None:
        self._mapper, self._canonical = request_mapper(request), canonical_mapper(request)
        self._now, self._fraction = now, fraction
        self.rules = self._mapper.rules

    def row_of(self, line: bytes) -> Row | None:
        """Return a line's row in `EXPECTED_SCHEMA`; None if it became no document, or one outside of the sample."""
        mapped = self._canonical.map_line(line, self._now) if self._canonical else None
        is_canonical = isinstance(mapped, Document)
        if mapped is None or (isinstance(mapped, Rejected) and mapped.reason in OF_SIZE):
            mapped = self._mapper.map_line(line, self._now)
        if not isinstance(mapped, Document):
            return None
        identity = document_identity(mapped.partition_key, mapped.document_id)
        if not _in_sample(identity, self._fraction):
            return None
        return identity, digest(mapped.body) if is_canonical else self._fingerprint(mapped), mapped.expires_at

    def _fingerprint(self, document: Document) -> bytes:
        return fingerprint(orjson.loads(document.body), ignore_ttl=self.rules.container_has_ttl)


def actual_documents(request: LoadRequest) -> Worker:
    """Digest the documents that a container holds, from their ``_rawBody`` texts."""
    fraction = sample_fraction(request.verify)

    def rows(batches: Batches) -> Iterator[Row | pa.RecordBatch]:
        mapper = request_mapper(request)
        for batch in batches:
            texts = batch.column("_rawBody")
            reader = documents.documents_reader(mapper.rules, constants_of(mapper), fraction, texts.type)
            for text in reader.left_of(texts):
                row = _actual_row(mapper, orjson.loads(text), fraction)
                if row is not None:
                    yield from reader.emit(row)
            yield from reader.batches()

    return lambda batches: pack(rows(batches), _ACTUAL)


def _actual_row(mapper: AnyMapper, document: dict[str, Any], fraction: float) -> Row | None:
    identity = _identity_of(document, mapper)
    if identity is None or not _in_sample(identity, fraction):
        return None
    # Without time to live in the container, `ttl` is a property like any other.
    has_ttl = mapper.rules.container_has_ttl
    content = fingerprint(document, ignore_ttl=has_ttl)
    return identity, content, document.get("ttl") if has_ttl else None, document["_ts"]


def expected_bodies(
    request: LoadRequest, files: Sequence[DataFile], load_started_at: int, identities: frozenset[str]
) -> Worker:
    """Return the whole expected documents of a few identities, to find the properties that differ."""

    def rows(batches: Batches) -> Iterator[Row]:
        for document in _documents(request, files, batches, load_started_at):
            identity = document_identity(document.partition_key, document.document_id)
            if identity in identities:
                yield identity, document.body

    return lambda batches: pack(rows(batches), _BODY)


def id_of(identity: str) -> str:
    """Return the document id in an identity."""
    return str(orjson.loads(identity)[-1])


def actual_bodies(request: LoadRequest, identities: frozenset[str]) -> Worker:
    """Return the whole actual documents of a few identities, to find the properties that differ."""
    mapper = request_mapper(request)

    def rows(batches: Batches) -> Iterator[Row]:
        for text in texts_of(batches):
            identity = _identity_of(orjson.loads(text), mapper)
            if identity in identities:
                yield identity, text

    return lambda batches: pack(rows(batches), _BODY)


def count_expected(
    request: LoadRequest, files: Sequence[DataFile], load_started_at: int, began_at: int, ended_at: int
) -> Worker:
    """Count the documents that a container must hold and those that it may hold, as in `EXPECTED_COUNTS_SCHEMA`.

    Args:
        request: the load request, with the rules.
        files: the export's data files.
        load_started_at: as in `expected_documents`.
        began_at: epoch seconds at which counting the container's documents began.
        ended_at: epoch seconds at which counting ended; documents that expire in between may be counted or not.
    """

    def rows(batches: Batches) -> Iterator[Row]:
        surely = possibly = 0
        for document in _documents(request, files, batches, load_started_at):
            expires_at = document.expires_at
            surely += expires_at is None or expires_at > ended_at + CLOCK_ALLOWANCE_SECONDS
            possibly += expires_at is None or expires_at > began_at - CLOCK_ALLOWANCE_SECONDS
        yield surely, possibly

    return lambda batches: pack(rows(batches), _EXPECTED_COUNTS)


def _documents(
    request: LoadRequest, files: Sequence[DataFile], batches: Batches, now: int
) -> Iterator[Document]:
    """Map data files that an earlier stage has checked; a fault in one stops the job."""
    listed = {file.name: file for file in files}
    mapper = request_mapper(request)
    for name, content in files_of(batches):
        for line in checked_lines(listed, name, content):
            mapped = mapper.map_line(line, now)
            if isinstance(mapped, Document):
                yield mapped


def constants_of(mapper: AnyMapper) -> dict[str, Any]:
    """Return the constants in a table's partition key, which no document of another table in its container has."""
    constants = mapper.rules.constants
    return {name: constants[name] for name in mapper.partition_key_properties if name in constants}


def _identity_of(document: dict[str, Any], mapper: AnyMapper) -> str | None:
    """Return a stored document's identity, or None if it belongs to another table that shares the container.

    The constants in partition keys distinguish tables that share a container.
    """
    for name, value in constants_of(mapper).items():
        if document.get(name) != value:
            return None
    return identity_of(document, mapper.partition_key_properties)


def _in_sample(identity: str, fraction: float) -> bool:
    """Choose the same documents on both sides, by their identity."""
    return fraction >= 1 or zlib.crc32(identity.encode()) < fraction * 2**32
