"""Documents: writing, reading and deleting them, with the service's checks.

https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-item-limits
"""

import re
import time
from typing import Any

import orjson

from localcloud.cosmos.errors import PARTITION_KEY_MISMATCH, CosmosError
from localcloud.cosmos.storage import keys
from localcloud.cosmos.storage.charges import read_charge, write_charge
from localcloud.cosmos.storage.container import Container, document_rid, new_etag
from localcloud.cosmos.storage.store import Store
from localcloud.cosmos.storage.unique_keys import UniqueKeys

LARGEST_DOCUMENT_BYTES = 2 * 2**20
LONGEST_ID_BYTES = 1023
LARGEST_TTL = 2_147_483_647
# Shorter numbers are binary64 as they stand.
_MANY_DIGITS = re.compile(rb"\d{16}")
SYSTEM_PROPERTIES = ("_rid", "_self", "_etag", "_ts", "_attachments")

Json = dict[str, Any]


class Documents:
    """The documents of one container.

    Args:
        store: the account's state.
        container: the container.
    """

    def __init__(self, store: Store, container: Container) -> None:
        self._store = store
        self._container = container

    def write(
        self,
        document: Any,
        mode: str,
        key: list[Any] | None = None,
        *,
        if_match: str | None = None,
        replaced_id: str | None = None,
    ) -> tuple[int, bytes, str, float]:
        """Create, upsert or replace a document.

        Args:
            document: parsed JSON.
            mode: ``create``, ``upsert`` or ``replace``.
            key: the partition key that the caller gave beside it, if any.
            if_match: an etag that the stored document must have.
            replaced_id: the id in the address of a replace.

        Returns:
            status, the stored body, its etag, and the charge in RU.

        Raises:
            CosmosError: as the service refuses it.
        """
        container = self._container
        own_key = self._check(document, key)
        if replaced_id is not None and document["id"] != replaced_id:
            raise CosmosError(400, "The id in the body is not that of the document to replace.")
        text = keys.canonical(own_key)
        old = self._row(text, document["id"])
        _check_precondition(mode, old and old[0], if_match)
        sequence = self._store.next_number
        number = old[1] if old else sequence
        body, etag = self._stored(document, number)
        if container.unique_paths:
            unique = UniqueKeys(self._store.connection, container.number, container.unique_paths)
            unique.hold(document, text, lambda key, name: self._row(key, name) is not None)
        charge = write_charge(len(body), container.index_factor)
        connection = self._store.connection
        if old:
            connection.execute(
                "update documents set body=?, written_at=?, sequence=? where container=? and key=? and id=?",
                (body, int(time.time()), sequence, container.number, text, document["id"]),
            )
        else:
            ring = keys.effective_key(container.properties["partitionKey"], own_key)
            connection.execute(
                "insert into documents values(?,?,?,?,?,?,?,?)",
                (container.number, text, document["id"], ring, number, int(time.time()), sequence, body),
            )
        self._store.next_number += 1
        return 200 if old else 201, body, etag, charge

    def read(self, key: list[Any], name: str) -> tuple[bytes, float]:
        """Return a document's body and the charge.

        Raises:
            CosmosError: 404.
        """
        row = self._row(keys.canonical(key), name)
        if row is None:
            raise CosmosError(404, "Entity with the specified id does not exist in the system.")
        return row[0], read_charge(len(row[0]))

    def delete(self, key: list[Any], name: str, if_match: str | None = None) -> float:
        """Delete a document and return the charge.

        Raises:
            CosmosError: 404; 412 if its etag is another.
        """
        body, _ = self.read(key, name)
        _check_precondition("delete", body, if_match)
        self._store.connection.execute(
            "delete from documents where container=? and key=? and id=?",
            (self._container.number, keys.canonical(key), name),
        )
        return write_charge(len(body), self._container.index_factor)

    def is_expired(self, body: bytes, written_at: int) -> bool:
        """Return whether a document's time to live is over."""
        default = self._container.properties.get("defaultTtl")
        if default is None:
            return False
        own: Any = orjson.loads(body).get("ttl") if b'"ttl"' in body else None
        # A property `ttl` from before the container had a time to live may be anything, and then has no effect.
        seconds = own if _is_ttl(own) else default
        return bool(seconds != -1 and time.time() >= written_at + seconds)

    def _row(self, key: str, name: str) -> tuple[bytes, int] | None:
        row = self._store.connection.execute(
            "select body, number, written_at from documents where container=? and key=? and id=?",
            (self._container.number, key, name),
        ).fetchone()
        if row is None:
            return None
        if self.is_expired(row[0], row[2]):
            self._store.connection.execute(
                "delete from documents where container=? and key=? and id=?",
                (self._container.number, key, name),
            )
            return None
        return row[0], row[1]

    def _check(self, document: Any, key: list[Any] | None) -> list[Any]:
        """Return a document's own partition key once the document is one that may be stored."""
        if not isinstance(document, dict):
            raise CosmosError(400, "The document is not a JSON object.")
        _check_id(document.get("id"))
        own_key = keys.key_of(document, self._container.paths)
        keys.check_length(own_key)
        if key is not None and keys.canonical(key) != keys.canonical(own_key):
            raise CosmosError(
                400,
                "PartitionKey extracted from document doesn't match the one specified in the header.",
                PARTITION_KEY_MISMATCH,
            )
        if self._container.properties.get("defaultTtl") is not None and "ttl" in document:
            ttl = document["ttl"]
            if not _is_ttl(ttl):
                raise CosmosError(400, f"The input ttl '{ttl}' is invalid.")
        return own_key

    def _stored(self, document: Json, number: int) -> tuple[bytes, str]:
        """Return a document as it is stored: with the service's own properties, and numbers as binary64."""
        rid, etag = document_rid(self._container, number), new_etag()
        content = {name: value for name, value in document.items() if name not in SYSTEM_PROPERTIES}
        system = {
            "_rid": rid,
            "_self": f"{self._container.properties['_self']}docs/{rid}/",
            "_etag": etag,
            "_attachments": "attachments/",
            "_ts": int(time.time()),
        }
        body = orjson.dumps(content | system)
        if _MANY_DIGITS.search(body):
            body = orjson.dumps(_binary64(content) | system)
        if len(body) > LARGEST_DOCUMENT_BYTES:
            raise CosmosError(413, "Request size is too large.")
        return body, etag


def _is_ttl(value: Any) -> bool:
    return type(value) is int and (value == -1 or 0 < value <= LARGEST_TTL)


def _check_id(name: Any) -> None:
    """Refuse an id that cannot be one; # and ? are refused by SDKs, not by the service."""
    if not isinstance(name, str) or not name:
        raise CosmosError(
            400, "The input content is invalid because the required properties - 'id; ' - are missing"
        )
    if len(name.encode()) > LONGEST_ID_BYTES or "/" in name or "\\" in name:
        raise CosmosError(400, "The id is longer than 1023 bytes or holds / or \\.")


def _check_precondition(mode: str, stored: bytes | None, if_match: str | None) -> None:
    if mode == "create" and stored is not None:
        raise CosmosError(409, "Entity with the specified id already exists in the system.")
    if mode == "replace" and stored is None:
        raise CosmosError(404, "Entity with the specified id does not exist in the system.")
    if if_match and if_match != "*" and stored is not None and orjson.loads(stored)["_etag"] != if_match:
        raise CosmosError(412, "One of the specified pre-condition is not met.")


def _binary64(value: Any) -> Any:
    """Return a value with integers beyond 2^53 as the service keeps them."""
    if type(value) is int and abs(value) > 2**53:
        return float(value)
    if isinstance(value, dict):
        return {name: _binary64(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_binary64(member) for member in value]
    return value
