"""The HTTP server: each call is carried out as one transaction, committed before the answer."""

import hmac
import logging
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from localcloud.cosmos.data_plane import items, offers, resources
from localcloud.cosmos.data_plane.authorization import check_signature
from localcloud.cosmos.data_plane.calls import Answer, Call, json_answer
from localcloud.cosmos.data_plane.faults import Faults
from localcloud.cosmos.data_plane.rights import Rights
from localcloud.cosmos.data_plane.tokens import Tokens
from localcloud.cosmos.errors import NAMES, CosmosError
from localcloud.cosmos.storage.store import Store

LARGEST_BODY_BYTES = 8 * 2**20
DOCUMENTS = "dbs/*/colls/*/docs"
# The names of operations in Azure Monitor, beside those of what is posted.
OPERATIONS = {"GET": "Read", "PUT": "Replace", "PATCH": "Patch", "DELETE": "Delete"}
ADMIN = "_localcloud"
ADMIN_KEY_HEADER = "x-localcloud-key"

log = logging.getLogger(__name__)
Handler = Callable[[Call], Answer]

# Method and path; a star matches any name.
ROUTES: dict[tuple[str, str], Handler] = {
    ("POST", "dbs"): resources.post_databases,
    ("GET", "dbs"): resources.list_databases,
    ("GET", "dbs/*"): resources.get_database,
    ("DELETE", "dbs/*"): resources.delete_database,
    ("POST", "dbs/*/colls"): resources.post_containers,
    ("GET", "dbs/*/colls"): resources.list_containers,
    ("GET", "dbs/*/colls/*"): resources.get_container,
    ("PUT", "dbs/*/colls/*"): resources.put_container,
    ("DELETE", "dbs/*/colls/*"): resources.delete_container,
    ("GET", "dbs/*/colls/*/pkranges"): resources.partition_key_ranges,
    ("POST", "dbs/*/colls/*/operations/*"): items.delete_partition,
    ("GET", "dbs/*/colls/*/docs"): items.list_documents,
    ("GET", "dbs/*/colls/*/docs/*"): items.get_document,
    ("PUT", "dbs/*/colls/*/docs/*"): items.put_document,
    ("PATCH", "dbs/*/colls/*/docs/*"): items.patch_document,
    ("DELETE", "dbs/*/colls/*/docs/*"): items.delete_document,
    ("GET", "offers"): offers.list_offers,
    ("POST", "offers"): offers.list_offers,
    ("GET", "offers/*"): offers.get_offer,
    ("PUT", "offers/*"): offers.put_offer,
}


class Server:
    """The account behind HTTP.

    Args:
        state_file: the SQLite file.
        key: the account's key, base64.
        tokens: tells who calls with a token.
        rights: what each of those may do; the key's owner may do everything.
    """

    def __init__(self, state_file: Path, key: str, tokens: Tokens, rights: Rights) -> None:
        self._store = Store(state_file)
        self._key = key
        self._tokens = tokens
        self._rights = rights
        self._faults = Faults()
        self._requests: Counter[str] = Counter()
        self._routes = ROUTES | {
            ("POST", "dbs/*/colls/*/docs"): lambda call: items.post_documents(call, self._faults)
        }

    def application(self) -> web.Application:
        """Return the aiohttp application."""
        app = web.Application(client_max_size=LARGEST_BODY_BYTES)
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        method = request.method
        # Who sets faults must not meet them.
        is_admin = request.path.startswith(f"/{ADMIN}/")
        if not is_admin and self._faults.take("drop_before", method):
            return _dropped(request)
        try:
            answer = self._answer(request, await _body(request))
        except CosmosError as error:
            code = NAMES.get(error.status, str(error.status))
            answer = json_answer(
                {"code": code, "message": error.message}, error.status, headers=error.headers
            )
        except Exception:
            log.exception("%s %s failed", method, request.path)
            answer = json_answer(
                {"code": "InternalServerError", "message": "The local Cosmos DB failed; its log says why."},
                500,
            )
        if not is_admin and self._faults.take("drop_after", method):
            return _dropped(request)
        return web.Response(body=answer.body, status=answer.status, headers=_headers(answer))

    def _answer(self, request: web.Request, body: bytes) -> Answer:
        # The decoded path cannot tell a slash within a name from one between names.
        parts = [unquote(part) for part in request.raw_path.split("?")[0].split("/") if part]
        if parts[:1] == [ADMIN]:
            return self._administer(request, parts[1:], body)
        caller = self._tokens.caller(request.headers.get("authorization", ""))
        if caller is None:
            check_signature(self._key, request.method, parts, request.headers)
        shape = "/".join("*" if place % 2 else part for place, part in enumerate(parts))
        call = Call(self._store, tuple(parts[1::2]), request.headers, body)
        if caller is not None:
            self._rights.check(caller, request.method, shape, call)
        self._requests[request.method] += 1
        self._faults.raise_for("request", request.method)
        if not parts:
            return json_answer(resources.account_properties(f"{request.scheme}://{request.host}/"))
        handler = self._routes.get((request.method, shape))
        if handler is None:
            raise CosmosError(400, f"The call {request.method} /{shape} is not supported here.")
        answer = _in_transaction(self._store, handler, call)
        if shape.startswith(DOCUMENTS):
            operation = operation_of(request.method, shape, call)
            self._store.find_container(*call.names[:2]).meter.count(operation, answer.charge)
        return answer

    def _administer(self, request: web.Request, parts: list[str], body: bytes) -> Answer:
        """Set faults, or return what was asked for so far, to whoever knows the account's key."""
        if not hmac.compare_digest(request.headers.get(ADMIN_KEY_HEADER, ""), self._key):
            raise CosmosError(401, f"The header {ADMIN_KEY_HEADER} is not the account's key.")
        match request.method, parts:
            case "POST", ["faults"]:
                self._faults.set(body)
            case "DELETE", ["faults"]:
                self._faults.clear()
            case "GET", ["actions"]:
                return json_answer({"actions": self._rights.asked})
            case "GET", ["statistics"]:
                return json_answer(self._statistics())
            case "GET", ["metrics"]:
                return json_answer(self._metrics())
            case _:
                raise CosmosError(400, f"There is no {request.method} /{ADMIN}/{'/'.join(parts)}.")
        return Answer(status=204)

    def _metrics(self) -> dict[str, Any]:
        """Return what Azure Monitor counts of each container."""
        containers = {
            f"{container.database}/{container.name}": {
                "request_units": container.meter.points(),
                "utilization": [
                    {"minute": minute, "maximum": percent}
                    for minute, percent in sorted(container.partitions.utilization.items())
                ],
            }
            for container in self._store.containers()
        }
        return {"containers": containers}

    def _statistics(self) -> dict[str, Any]:
        containers = {
            f"{container.database}/{container.name}": {
                "request_units": round(container.request_units, 2),
                "throttled": container.partitions.throttled,
            }
            for container in self._store.containers()
        }
        return {"requests": self._requests, "containers": containers}


async def _body(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise CosmosError(413, "Request size is too large.") from error


def operation_of(method: str, shape: str, call: Call) -> str:
    """Return the name by which Azure Monitor counts a call about documents."""
    if method != "POST":
        return "ReadFeed" if method == "GET" and shape == DOCUMENTS else OPERATIONS[method]
    if call.is_query or call.is_set("x-ms-cosmos-is-query-plan-request"):
        return "Query"
    if call.is_set("x-ms-cosmos-is-batch-request"):
        return "Batch"
    return "Upsert" if call.is_set("x-ms-documentdb-is-upsert") else "Create"


def _in_transaction(store: Store, handler: Handler, call: Call) -> Answer:
    """Carry out a call whole or not at all, in the file and in memory."""
    connection, number_before = store.connection, store.next_number
    connection.execute("begin")
    try:
        answer = handler(call)
        if store.next_number != number_before:
            store.save_next_number()
        connection.execute("commit")
    except CosmosError:
        # Refusals come before anything in memory is changed.
        connection.execute("rollback")
        raise
    except BaseException:
        connection.execute("rollback")
        store.load()
        raise
    return answer


def _headers(answer: Answer) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "x-ms-request-charge": f"{answer.charge:.2f}",
        "x-ms-activity-id": str(uuid.uuid4()),
        "x-ms-version": "2020-07-15",
        **answer.headers,
    }


def _dropped(request: web.Request) -> web.Response:
    if request.transport:
        request.transport.abort()
    return web.Response(status=503)
