"""The WSGI application in front of moto: what moto does not do as the service does is answered here.

Faults on demand: ``POST /_localcloud/faults`` takes a list of ``{"operation", "status", "code", "message", "reset",
"count"}``; the next ``count`` calls of that operation fail so. ``DELETE`` clears them.
``GET /_localcloud/actions`` lists the IAM actions that sessions of roles have asked for.
``POST /_localcloud/clock`` takes ``{"seconds"}``, moves DynamoDB's clock forward by them, and returns its time.
"""

import io
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any
from urllib.parse import parse_qsl

import orjson
from moto.server import DomainDispatcherApplication, create_backend_app

from localcloud.aws.api import backends
from localcloud.aws.api.exports import Exports
from localcloud.aws.api.recording import one_commit
from localcloud.aws.clock import Clock
from localcloud.aws.errors import DynamoDBError, RefusedError, error_body, service_of
from localcloud.aws.iam.access import Access, Caller
from localcloud.aws.iam.requests import Asked
from localcloud.aws.iam.signatures import read_authorization
from localcloud.aws.iam.sts import Sts, caller_identity
from localcloud.common.callers import fault_of_caller
from localcloud.common.names import AWS_ACCOUNT

Environment = dict[str, Any]
StartResponse = Callable[..., Any]
FAULTS_PATH = "/_localcloud/faults"
ACTIONS_PATH = "/_localcloud/actions"
CLOCK_PATH = "/_localcloud/clock"
READING = ("Describe", "List", "Get", "Head", "Query", "Scan")
BATCHES = ("BatchWriteItem",)
ASSUME_ROLE, CALLER_IDENTITY = "AssumeRoleWithWebIdentity", "GetCallerIdentity"


class Gateway:
    """Checks who calls, answers exports and sign-ins itself, mends a few of moto's answers, leaves the rest to moto.

    Args:
        exports: all accounts' exports.
        access: says who may do what.
        sts: gives roles out.
        clock: DynamoDB's.

    ``changed_at`` is the monotonic time of the last call that may have changed something.
    """

    def __init__(self, exports: Exports, access: Access, sts: Sts, clock: Clock) -> None:
        self._clock = clock
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._exports = exports
        self._access = access
        self._sts = sts
        self._faults: list[dict[str, Any]] = []
        self.changed_at = 0.0
        self._own = {
            "ExportTableToPointInTime": self._start_export,
            "DescribeExport": exports.describe,
            "ListExports": exports.list,
        }
        # By table id: how many items were counted, and their bytes.
        self._counts: dict[str, tuple[int, int]] = {}
        self._mended = {"DescribeContinuousBackups": self._mend_backups, "DescribeTable": self._mend_table}

    def __call__(self, environment: Environment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        foreign = fault_of_caller(environment.get("HTTP_HOST"), environment.get("HTTP_ORIGIN"))
        if foreign:
            start("403 Forbidden", [("Content-Type", "text/plain")])
            return [foreign.encode()]
        if environment["PATH_INFO"] == FAULTS_PATH:
            return self._set_faults(environment, start)
        if environment["PATH_INFO"] == CLOCK_PATH:
            return self._move_clock(environment, start)
        if environment["PATH_INFO"] == ACTIONS_PATH:
            return _answer(start, lambda: {"actions": self._access.log.entries})
        operation = _operation(environment)
        fault = self._take_fault(operation)
        if fault:
            return _fail(environment, start, fault)
        try:
            if operation == ASSUME_ROLE:
                return self._assume_role(environment, start)
            caller = self._access.admit(environment, _body(environment))
            if operation == CALLER_IDENTITY and caller.session:
                return _answer_xml(start, caller_identity(caller.session))
        except RefusedError as error:
            return _refuse(environment, start, error)
        return self._serve(operation, caller, environment, start)

    def _serve(
        self, operation: str, caller: Caller, environment: Environment, start: StartResponse
    ) -> Iterable[bytes]:
        """Answer a request whose caller may make it."""
        if not operation.startswith(READING):
            self.changed_at = time.monotonic()
        # Buckets are of one account here; tables are of the caller's.
        account = caller.account if service_of(environment) == "dynamodb" else AWS_ACCOUNT
        environment["HTTP_X_MOTO_ACCOUNT_ID"] = account
        region = _region(environment)
        if operation in self._own:
            request = orjson.loads(_body(environment))
            return _answer(start, lambda: self._own[operation](caller, region, request))
        if operation in self._mended:
            return self._mended[operation](caller, region, environment, start)
        with one_commit() if operation in BATCHES else nullcontext():
            return self._moto(environment, start)  # type: ignore[no-any-return]

    def _assume_role(self, environment: Environment, start: StartResponse) -> Iterable[bytes]:
        request = dict(parse_qsl(_body(environment).decode()))
        return _answer_xml(start, self._sts.assume_role_with_web_identity(request))

    def _start_export(self, caller: Caller, region: str, request: Any) -> Any:
        """Start an export: DynamoDB writes it in the name of whoever asks for it, as far as they may write."""
        prefix = f"{request['S3Prefix']}/" if request.get("S3Prefix") else ""
        target = f"arn:aws:s3:::{request.get('S3Bucket')}/{prefix}AWSDynamoDB/"
        asked = Asked("s3:PutObject", target)
        return self._exports.start(caller, region, request, lambda: self._access.may(caller, asked))

    def _mend_backups(
        self, caller: Caller, region: str, environment: Environment, start: StartResponse
    ) -> Iterable[bytes]:
        """Correct an answer: moto fixes the restorable times once; the service's latest one moves with the clock."""
        body = _body(environment)
        answer, send = self._from_moto(environment, start)
        table = backends.find_table(caller.account, region, orjson.loads(body).get("TableName", ""))
        window = table and self._exports.recovery_window(table)
        if window:
            recovery = answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
            recovery |= {"EarliestRestorableDateTime": window[0], "LatestRestorableDateTime": window[1]}
        return send(answer)

    def _mend_table(
        self, caller: Caller, region: str, environment: Environment, start: StartResponse
    ) -> Iterable[bytes]:
        """Correct an answer: moto returns no table id, and no size."""
        body = _body(environment)
        answer, send = self._from_moto(environment, start)
        table = backends.find_table(caller.account, region, orjson.loads(body).get("TableName", ""))
        if table and "Table" in answer:
            items, size = self._counted(table)
            answer["Table"] |= {
                "TableId": backends.table_id(table),
                "ItemCount": items,
                "TableSizeBytes": size,
            }
        return send(answer)

    def _counted(self, table: Any) -> tuple[int, int]:
        """Return a table's items and bytes, which are added up again once the number of items is another."""
        key, items = backends.table_id(table), len(table)
        if self._counts.get(key, (None,))[0] != items:
            self._counts[key] = (items, backends.size_of(backends.table_items(table)))
        return self._counts[key]

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

    def _move_clock(self, environment: Environment, start: StartResponse) -> Iterable[bytes]:
        seconds = float(orjson.loads(_body(environment))["seconds"])
        return _answer(start, lambda: {"now": self._clock.move(seconds)})

    def _take_fault(self, operation: str) -> dict[str, Any] | None:
        for fault in self._faults:
            if fault["operation"] == operation and fault.get("count", 1) > 0:
                fault["count"] = fault.get("count", 1) - 1
                return fault
        return None


def _operation(environment: Environment) -> str:
    """Return a request's operation; of S3's, which has no name in it, method and kind."""
    service = service_of(environment)
    if service == "dynamodb":
        return str(environment["HTTP_X_AMZ_TARGET"].rpartition(".")[2])
    if service == "sts":
        return dict(parse_qsl(_body(environment).decode())).get("Action", "")
    return _s3_operation(environment)


def _s3_operation(environment: Environment) -> str:
    kind = "Object" if environment["PATH_INFO"].strip("/").count("/") else "Bucket"
    return f"{environment['REQUEST_METHOD'].title()}{kind}"


def _region(environment: Environment) -> str:
    found = read_authorization(environment)
    return found["region"] if found else "us-east-1"


def _body(environment: Environment) -> bytes:
    """Return a request's body, and leave it readable for moto."""
    length = environment.get("CONTENT_LENGTH")
    if length or not environment.get("wsgi.input_terminated"):
        body: bytes = environment["wsgi.input"].read(int(length or 0))
    else:
        body = environment["wsgi.input"].read()
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


def _answer_xml(start: StartResponse, text: str) -> Iterable[bytes]:
    content = text.encode()
    start("200 OK", [("Content-Type", "text/xml"), ("Content-Length", str(len(content)))])
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
    kind, content = error_body(service_of(environment), code, message)
    start(
        f"{fault.get('status', 500)} Fault", [("Content-Type", kind), ("Content-Length", str(len(content)))]
    )
    return [content]


def _refuse(environment: Environment, start: StartResponse, error: RefusedError) -> Iterable[bytes]:
    kind, content = error_body(service_of(environment), error.code, error.message)
    start(f"{error.status} Refused", [("Content-Type", kind), ("Content-Length", str(len(content)))])
    # An answer to HEAD has no body.
    return [] if environment["REQUEST_METHOD"] == "HEAD" else [content]
