"""What each write strategy does to a document, which refusals it lives with, and which failures it tries again.

BulkWriter.scala and PointWriter.scala of azure-cosmos-spark.
"""

from collections.abc import Callable
from dataclasses import dataclass

from localcloud.databricks.connector.documents import Document
from localcloud.databricks.connector.errors import DocumentError
from localcloud.databricks.connector.gateway import NO_ANSWER

NOT_FOUND, CONFLICT, CHANGED = (404, 0), (409, 0), (412, 0)
SESSION_NOT_READY = (404, 1002)
_TRANSIENT = (NO_ANSWER, 408, 410, 500, 503)

# The operation's type and the etag that the stored document must have.
Operation = tuple[str, str | None]


@dataclass(frozen=True)
class Strategy:
    """A write strategy; statuses are pairs of status and sub-status."""

    operation: Callable[[Document], Operation]
    ignored: frozenset[tuple[int, int]] = frozenset()
    retried: frozenset[tuple[int, int]] = frozenset({SESSION_NOT_READY})

    def ignores(self, status: int, sub_status: int) -> bool:
        """Return whether a refusal means that nothing is to be done."""
        return (status, sub_status) in self.ignored

    def retries(self, status: int, sub_status: int) -> bool:
        """Return whether a failure may heal."""
        return status in _TRANSIENT or (status, sub_status) in self.retried


def _upsert(document: Document) -> Operation:
    return "Upsert", None


def _create(document: Document) -> Operation:
    return "Create", None


def _delete(document: Document) -> Operation:
    return "Delete", None


def _replace_or_create(document: Document) -> Operation:
    return ("Replace", document.etag) if document.etag else ("Create", None)


def _delete_unchanged(document: Document) -> Operation:
    if document.etag is None:
        raise DocumentError(
            f"ItemDeleteIfNotModified needs the _etag of the document with id {document.id!r}."
        )
    return "Delete", document.etag


STRATEGIES = {
    "ItemOverwrite": Strategy(_upsert, retried=frozenset({SESSION_NOT_READY, NOT_FOUND})),
    "ItemAppend": Strategy(_create, frozenset({CONFLICT})),
    "ItemDelete": Strategy(_delete, frozenset({NOT_FOUND})),
    "ItemOverwriteIfNotModified": Strategy(_replace_or_create, frozenset({CONFLICT, NOT_FOUND, CHANGED})),
    "ItemDeleteIfNotModified": Strategy(_delete_unchanged, frozenset({NOT_FOUND, CHANGED})),
}
