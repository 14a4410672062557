"""What stands before Azurite: it takes tokens of Entra ID, as the lake on Azure does, and holds them to the roles.

Azurite checks no more of a token than its claims, and knows no roles. A call that is allowed goes on to it with the
account's key; bodies are passed on piece by piece.
"""

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from localcloud.common.names import LOOPBACK
from localcloud.lake.access.calls import Call, call_of
from localcloud.lake.access.operations import FILE_SYSTEM, Need, blob_need, queue_need
from localcloud.lake.access.refusals import StorageError, no_keys, no_token
from localcloud.lake.access.rights import Rights
from localcloud.lake.access.tokens import Tokens
from localcloud.lake.signing import signature

# Tells which calls each identity has asked for.
ACTIONS_PATH = "/_localcloud/actions"
NEEDS: Mapping[str, Callable[[Call], Need]] = {"blob": blob_need, "queue": queue_need}
PIECE_BYTES = 256 * 2**10
# Azurite closes connections that were idle for five seconds.
IDLE_SECONDS = 3
# Of one connection, or said anew by whoever sends on.
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "upgrade", "expect", "te", "trailer"}
)


@dataclass(frozen=True)
class Listener:
    """One kind of storage: ``blob`` or ``queue``, the port that takes tokens, and Azurite's."""

    kind: str
    port: int
    behind: int


class Gateway:
    """Serves one kind of storage.

    Args:
        tokens: tells who calls.
        rights: tells what they may do.
        key: the account's, base64.
        listener: what it serves.
    """

    def __init__(self, tokens: Tokens, rights: Rights, key: str, listener: Listener) -> None:
        self._tokens, self._rights, self._key = tokens, rights, key
        self._need = NEEDS[listener.kind]
        self._base = f"http://{LOOPBACK}:{listener.behind}"
        self._session: aiohttp.ClientSession | None = None

    def application(self) -> web.Application:
        """Return what serves the calls."""
        app = web.Application()
        app.router.add_get(ACTIONS_PATH, self._actions)
        app.router.add_route("*", "/{path:.*}", self._handle)
        app.cleanup_ctx.append(self._connections)
        return app

    async def _connections(self, _: web.Application) -> AsyncIterator[None]:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS)
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(
            connector=connector, auto_decompress=False, timeout=timeout
        ) as session:
            self._session = session
            yield

    async def _actions(self, _: web.Request) -> web.Response:
        return web.json_response({"actions": self._rights.asked})

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            need = self._authorised(request)
        except StorageError as refusal:
            body = None if request.method == "HEAD" else refusal.body()
            return web.Response(status=refusal.status, headers=refusal.headers, body=body)
        if need is FILE_SYSTEM:
            # Azurite has no such endpoint, and an account need not say whether it has a hierarchical namespace.
            return web.Response()
        return await self._forward(request)

    def _authorised(self, request: web.Request) -> Need:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            raise no_keys() if kind or "sig" in request.query else no_token()
        caller = self._tokens.caller(token)
        call = call_of(request.method, request.raw_path, request.headers)
        need = self._need(call)
        self._rights.check(caller, call, need)
        return need

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        assert self._session is not None  # noqa: S101 - the application has started
        url = URL(self._base + request.raw_path, encoded=True)
        async with self._session.request(
            request.method,
            url,
            headers=self._headers(request),
            data=await _body(request),
            allow_redirects=False,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        ) as answer:
            return await _passed_on(request, answer)

    def _headers(self, request: web.Request) -> CIMultiDict[str]:
        headers = _without_hops(request.headers)
        headers.popall("Authorization", None)
        headers["Authorization"] = signature(self._key, request.method, request.raw_path, headers)
        return headers


async def _body(request: web.Request) -> bytes | aiohttp.StreamReader | None:
    """Return what a request brings; a small one whole, so that it goes on in one piece with its head."""
    if not request.body_exists:
        return None
    is_small = request.content_length is not None and request.content_length <= PIECE_BYTES
    return await request.read() if is_small else request.content


async def _passed_on(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    headers = _without_hops(answer.headers)
    start = b"" if request.method == "HEAD" else await _start(answer.content)
    if request.method != "HEAD" and answer.content.at_eof():
        return web.Response(status=answer.status, headers=headers, body=start)
    response = web.StreamResponse(status=answer.status, headers=headers)
    await response.prepare(request)
    if start:
        await response.write(start)
        async for piece in answer.content.iter_chunked(PIECE_BYTES):
            await response.write(piece)
    await response.write_eof()
    return response


async def _start(content: aiohttp.StreamReader) -> bytes:
    """Return the first bytes of an answer: all of a small one."""
    start = b""
    while len(start) < PIECE_BYTES and (piece := await content.read(PIECE_BYTES)):
        start += piece
    return start


def _without_hops(headers: CIMultiDictProxy[str] | CIMultiDict[str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP)


def serve_beside(gateways: Sequence[tuple[Gateway, Listener]], tls: ssl.SSLContext | None) -> None:
    """Serve from a thread of its own for as long as the process lives; return once all listen.

    Raises:
        SystemExit: if a port is taken.
    """
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True, name="gateway").start()
    for gateway, listener in gateways:
        try:
            asyncio.run_coroutine_threadsafe(_listen(gateway, listener, tls), loop).result()
        except OSError as error:
            raise SystemExit(f"Cannot listen on {LOOPBACK}:{listener.port}: {error.strerror}.") from error


async def _listen(gateway: Gateway, listener: Listener, tls: ssl.SSLContext | None) -> None:
    runner = web.AppRunner(gateway.application(), access_log=None, handler_cancellation=False)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, listener.port, backlog=1024, ssl_context=tls).start()
