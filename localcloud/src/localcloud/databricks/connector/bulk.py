"""Bulk writes: batches of operations, each for itself, retried as the connector does.

The wire format is that of the Java SDK's bulk executor in gateway mode.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from threading import Event

import orjson

from localcloud.databricks.connector.container import Container, look_up_container
from localcloud.databricks.connector.documents import UNDEFINED_KEY, Document
from localcloud.databricks.connector.errors import BulkOperationFailedError, DocumentError
from localcloud.databricks.connector.gateway import (
    NO_ANSWER,
    RANGE_GONE,
    THROTTLED,
    Answer,
    Gateway,
    pause_seconds,
)
from localcloud.databricks.connector.options import Options
from localcloud.databricks.connector.strategies import Strategy


@dataclass
class Operation:
    """An operation of a batch: its document, its text on the wire, its key range, and how often it failed."""

    document: Document
    text: bytes
    range_id: str
    failures: int = 0


@dataclass(frozen=True)
class Outcome:
    """What became of an operation."""

    status: int
    sub_status: int
    retry_after_ms: int
    why: str


def batches_of(
    documents: Iterable[Document], container: Container, strategy: Strategy, options: Options
) -> Iterator[list[Operation]]:
    """Yield batches of operations of one key range each, bounded in number and size; the first may be of any size.

    Raises:
        DocumentError: for a document that cannot go into a batch.
    """
    batches: dict[str, list[Operation]] = {one.id: [] for one in container.ranges}
    sizes = dict.fromkeys(batches, 0)
    for document in documents:
        text = _operation_text(document, strategy)
        operation = Operation(document, text, container.range_of(document.partition_key).id)
        batch, size = batches[operation.range_id], sizes[operation.range_id]
        full = len(batch) >= options.bulk_operations or size + len(operation.text) > options.bulk_bytes
        if batch and full:
            yield batch
            batch, size = [], 0
        batch.append(operation)
        batches[operation.range_id], sizes[operation.range_id] = batch, size + len(operation.text)
    yield from filter(None, batches.values())


class BulkSender:
    """Sends batches until every operation of them is done.

    Args:
        gateway: calls the service.
        container: the container.
        strategy: which refusals are lived with.
        most_retries: how often an operation may fail and be tried again; throttling does not count.
        stopped: once set, waiting ends and nothing more is sent.
    """

    def __init__(
        self, gateway: Gateway, container: Container, strategy: Strategy, most_retries: int, stopped: Event
    ) -> None:
        self._gateway = gateway
        self._strategy = strategy
        self._most_retries = most_retries
        self._stopped = stopped
        self._headers = {
            "content-type": "application/json",
            "x-ms-cosmos-is-batch-request": "true",
            "x-ms-cosmos-batch-atomic": "false",
            "x-ms-cosmos-batch-continue-on-error": "true",
            "x-ms-cosmos-intended-collection-rid": container.rid,
        }

    def send(self, batch: list[Operation]) -> None:
        """Send a batch, and what is left of it again and again.

        Raises:
            BulkOperationFailedError: for an operation that is refused, or fails too often.
        """
        while batch and not self._stopped.is_set():
            body = b"[" + b",".join(operation.text for operation in batch) + b"]"
            headers = {**self._headers, "x-ms-documentdb-partitionkeyrangeid": batch[0].range_id}
            outcomes = _outcomes(self._gateway.call("POST", ("docs",), headers, body), len(batch))
            left = [
                (operation, outcome)
                for operation, outcome in zip(batch, outcomes, strict=True)
                if not self._is_done(operation, outcome)
            ]
            batch = [operation for operation, _ in left]
            if batch:
                waits = [outcome.retry_after_ms / 1000 for _, outcome in left]
                failures = max(operation.failures for operation in batch)
                self._stopped.wait(max([*waits, pause_seconds(failures) if failures else 0]))
            if any((outcome.status, outcome.sub_status) == RANGE_GONE for _, outcome in left):
                self._send_anew(batch)
                return

    def _send_anew(self, operations: list[Operation]) -> None:
        """Send operations to the physical partitions that there are after a split."""
        container = look_up_container(self._gateway)
        for operation in operations:
            operation.range_id = container.range_of(operation.document.partition_key).id
        for one in container.ranges:
            self.send([operation for operation in operations if operation.range_id == one.id])

    def _is_done(self, operation: Operation, outcome: Outcome) -> bool:
        status, sub_status = outcome.status, outcome.sub_status
        if (NO_ANSWER < status < 400) or self._strategy.ignores(status, sub_status):
            return True
        if status == THROTTLED:
            return False
        operation.failures += 1
        if self._strategy.retries(status, sub_status) and operation.failures <= self._most_retries:
            return False
        document = operation.document
        raise BulkOperationFailedError(status, sub_status, document.id, document.partition_key, outcome.why)


def _operation_text(document: Document, strategy: Strategy) -> bytes:
    if document.partition_key == UNDEFINED_KEY:
        raise DocumentError(
            f"The document with id {document.id!r} has no partition key, and the connector's bulk mode cannot "
            "write one without. Give it a key, or set spark.cosmos.write.bulk.enabled to false."
        )
    kind, etag = strategy.operation(document)
    head = {"operationType": kind, "partitionKey": document.partition_key}
    if kind != "Create" and kind != "Upsert":
        head["id"] = document.id
    if etag:
        head["ifMatch"] = etag
    text = orjson.dumps({**head, "minimalReturnPreference": True})
    return text if kind == "Delete" else text[:-1] + b',"resourceBody":' + document.body + b"}"


def _outcomes(answer: Answer, operations: int) -> list[Outcome]:
    """Return one outcome per operation; a call that failed as a whole failed for each."""
    if answer.status == NO_ANSWER or answer.status >= 400:
        whole = Outcome(answer.status, answer.sub_status, answer.retry_after_ms, answer.why())
        return [whole] * operations
    return [
        Outcome(
            result["statusCode"],
            result.get("subStatusCode", 0),
            result.get("retryAfterMilliseconds", 0),
            "the service refused the operation.",
        )
        for result in orjson.loads(answer.body)
    ]
