"""Point writes: one call per document, retried as the connector does."""

from threading import Event

from localcloud.databricks.connector.documents import Document
from localcloud.databricks.connector.errors import BulkOperationFailedError
from localcloud.databricks.connector.gateway import NO_ANSWER, THROTTLED, Answer, Gateway, pause_seconds
from localcloud.databricks.connector.strategies import Strategy

# HTTP method, whether the document's id is in the path, and the headers of its kind of call.
_CALLS: dict[str, tuple[str, bool, dict[str, str]]] = {
    "Upsert": ("POST", False, {"x-ms-documentdb-is-upsert": "true"}),
    "Create": ("POST", False, {}),
    "Replace": ("PUT", True, {}),
    "Delete": ("DELETE", True, {}),
}


class PointSender:
    """Writes documents one by one.

    Args:
        gateway: calls the service.
        strategy: what is done to a document, and which refusals are lived with.
        most_retries: how often a write may fail and be tried again; throttling does not count.
        stopped: once set, waiting ends and nothing more is sent.
    """

    def __init__(self, gateway: Gateway, strategy: Strategy, most_retries: int, stopped: Event) -> None:
        self._gateway = gateway
        self._strategy = strategy
        self._most_retries = most_retries
        self._stopped = stopped

    def send(self, document: Document) -> None:
        """Write a document.

        Raises:
            BulkOperationFailedError: if it is refused, or fails too often.
            DocumentError: if the strategy cannot be followed for it.
        """
        kind, etag = self._strategy.operation(document)
        method, by_id, headers = _CALLS[kind]
        headers = {
            **headers,
            "content-type": "application/json",
            "prefer": "return=minimal",
            "x-ms-documentdb-partitionkey": document.partition_key,
        }
        if etag:
            headers["if-match"] = etag
        parts = ("docs", document.id) if by_id else ("docs",)
        body = None if kind == "Delete" else document.body
        failures = 0
        while not self._stopped.is_set():
            answer = self._gateway.call(method, parts, headers, body)
            if self._is_done(answer):
                return
            if answer.status == THROTTLED:
                self._stopped.wait(answer.retry_after_ms / 1000)
                continue
            failures += 1
            if failures > self._most_retries or not self._strategy.retries(answer.status, answer.sub_status):
                raise BulkOperationFailedError(
                    answer.status, answer.sub_status, document.id, document.partition_key, answer.why()
                )
            self._stopped.wait(pause_seconds(failures))

    def _is_done(self, answer: Answer) -> bool:
        return NO_ANSWER < answer.status < 400 or self._strategy.ignores(answer.status, answer.sub_status)
