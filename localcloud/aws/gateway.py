"""The WSGI application in front of moto: what moto does not do as the service does is answered here.

Faults on demand: ``POST /_localcloud/faults`` takes a list of ``{"operation", "status", "code", "message", "reset",
"count"}``; the next ``count`` calls of that operation fail so. ``DELETE`` clears them. Credentials are not checked.
"""

import io
import re
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

import orjson
from moto.server import DomainDispatcherApplication, create_backend_app

from localcloud.aws import backends
from localcloud.aws.errors import DynamoDBError
from localcloud.aws.exports import Exports, table_id

Environment = dict[str, Any]
StartResponse = Callable[..., Any]
FAULTS_PATH = "/_localcloud/faults"
READING = ("Describe", "List", "Get", "Head", "Query", "Scan")
REGION = re.compile(r"Credential=[^/]+/\d+/([a-z0-9-]+)/")


class Gateway:
    """Answers export calls itself, mends a few of moto's answers, and hands everything else to moto.

    Args:
        exports: the account's exports.

    ``changed_at`` is the monotonic time of the last call that may have changed something.
    """

    def __init__(self, exports: Exports) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._exports = exports
        self._faults: list[dict[str, Any]] = []
        self.changed_at = 0.0
        self._own = {
            "ExportTableToPointInTime": exports.start,
            "DescribeExport": exports.describe,
            "ListExports": exports.list,
        }
        self._mended = {"DescribeContinuousBackups": self._mend_backups, "DescribeTable": self._mend_table}

    def __call__(self, environment: Environment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if environment["PATH_INFO"] == FAULTS_PATH:
            return self._set_faults(environment, start)
        operation = environment.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2] or _s3_operation(environment)
        fault = self._take_fault(operation)
        if fault:
            return _fail(environment, start, fault)
        if not operation.startswith(READING):
            self.changed_at = time.monotonic()
        region = _region(environment)
        if operation in self._own:
            body = _body(environment)
            return _answer(start, lambda: self._own[operation](region, orjson.loads(body)))
        if operation in self._mended:
            return self._mended[operation](region, environment, start)
        return self._moto(environment, start)  # type: ignore[no-any-return]

    def _mend_backups(self, region: str, environment: Environment, start: StartResponse) -> Iterable[bytes]:
        """Mend an answer: moto fixes the restorable times once; the service's latest one moves with the clock."""
        body = _body(environment)
        answer, send = self._from_moto(environment, start)
        table = backends.find_table(region, orjson.loads(body).get("TableName", ""))
        window = table and self._exports.recovery_window(table)
        if window:
            recovery = answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
            recovery |= {"EarliestRestorableDateTime": window[0], "LatestRestorableDateTime": window[1]}
        return send(answer)

    def _mend_table(self, region: str, environment: Environment, start: StartResponse) -> Iterable[bytes]:
        """Mend an answer: moto tells no table id."""
        body = _body(environment)
        answer, send = self._from_moto(environment, start)
        table = backends.find_table(region, orjson.loads(body).get("TableName", ""))
        if table and "Table" in answer:
            answer["Table"] |= {"TableId": table_id(table), "ItemCount": len(table)}
        return send(answer)

    def _from_moto(
        self, environment: Environment, start: StartResponse
    ) -> tuple[dict[str, Any], Callable[[Any], Iterable[bytes]]]:
        """Return moto's answer as JSON, and what sends it on once it is changed."""
        head: list[Any] = []
        content = b"".join(self._moto(environment, lambda *arguments: head.extend(arguments)))

        def send(answer: Any) -> Iterable[bytes]:
            changed = orjson.dumps(answer)
            kept = [pair for pair in head[1] if pair[0].lower() not in ("content-length", "x-amz-crc32")]
            start(head[0], [*kept, ("Content-Length", str(len(changed)))])
            return [changed]

        return orjson.loads(content), send

    def _set_faults(self, environment: Environment, start: StartResponse) -> Iterable[bytes]:
        self._faults = orjson.loads(_body(environment)) if environment["REQUEST_METHOD"] == "POST" else []
        return _answer(start, lambda: {"faults": self._faults})

    def _take_fault(self, operation: str) -> dict[str, Any] | None:
        for fault in self._faults:
            if fault["operation"] == operation and fault.get("count", 1) > 0:
                fault["count"] = fault.get("count", 1) - 1
                return fault
        return None


def _s3_operation(environment: Environment) -> str:
    kind = "Object" if environment["PATH_INFO"].strip("/").count("/") else "Bucket"
    return f"{environment['REQUEST_METHOD'].title()}{kind}"


def _region(environment: Environment) -> str:
    found = REGION.search(environment.get("HTTP_AUTHORIZATION", ""))
    return found[1] if found else "us-east-1"


def _body(environment: Environment) -> bytes:
    """Return a request's body, and leave it readable for moto."""
    body: bytes = environment["wsgi.input"].read(int(environment.get("CONTENT_LENGTH") or 0))
    environment["wsgi.input"] = io.BytesIO(body)
    return body


def _answer(start: StartResponse, call: Callable[[], Any]) -> Iterable[bytes]:
    try:
        status, content = "200 OK", orjson.dumps(call())
    except DynamoDBError as error:
        status = f"{error.status} Error"
        kind = f"com.amazonaws.dynamodb.v20120810#{error.code}"
        content = orjson.dumps({"__type": kind, "message": error.message})
    start(status, [("Content-Type", "application/x-amz-json-1.0"), ("Content-Length", str(len(content)))])
    return [content]


def _fail(environment: Environment, start: StartResponse, fault: dict[str, Any]) -> Iterable[bytes]:
    """Answer with an error that was asked for, or cut the connection."""
    if fault.get("reset"):
        connection: socket.socket = environment["werkzeug.socket"]
        connection.shutdown(socket.SHUT_RDWR)
        start("500 Reset", [])
        return []
    code, message = (
        fault.get("code", "InternalServerError"),
        fault.get("message", "a fault that was asked for"),
    )
    if "HTTP_X_AMZ_TARGET" in environment:
        content, kind = orjson.dumps({"__type": code, "message": message}), "application/x-amz-json-1.0"
    else:
        content = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
        kind = "application/xml"
    start(
        f"{fault.get('status', 500)} Fault", [("Content-Type", kind), ("Content-Length", str(len(content)))]
    )
    return [content]
