"""The dashboard's files as the app serves them, beside an HTTP API whose answers a test sets."""

import asyncio
import threading
from urllib.parse import unquote

import azure.functions as func
from aiohttp import web

from d2c.api.models import MigrationStatus
from tests.contract.polling import HANG_SECONDS
from triggers import dashboard

from .answers import REJECTED

KEY_HEADER = "x-functions-key"


class SubstituteApp:
    """A Function app on loopback, in a thread of its own.

    Its ``migrations`` (newest first) and ``reports`` are what the API tells of; ``calls`` are those that asked for
    something to be done, with their bodies; ``refusals`` hold the status and problem to answer, by method and path.
    """

    def __init__(self):
        self.begin()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.url = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(HANG_SECONDS)

    def begin(self):
        """Forget all that a test has set."""
        self.migrations, self.reports, self.rejected = [], {}, list(REJECTED)
        self.calls, self.refusals, self.key = [], {}, None
        self.requests = []

    def close(self):
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(HANG_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(HANG_SECONDS)
        self._loop.close()

    def add(self, migration, report=None):
        MigrationStatus.model_validate({**migration, "next": None})
        self.migrations.append(migration)
        if report:
            self.reports[migration["id"]] = report

    async def _listen(self):
        application = web.Application()
        add = application.router.add_route
        add("GET", "/api/dashboard", _served(dashboard.show_dashboard))
        add("GET", "/api/dashboard/{path:.*}", _served(dashboard.show_dashboard_file))
        for method, path, handler in (
            ("GET", "", self._list),
            ("GET", "/{id}", self._status),
            ("GET", "/{id}/report", self._report),
            ("GET", "/{id}/rejected", self._rejected),
            ("POST", "/{id}/{deed:retry|cancel|suspend|resume}", self._do),
        ):
            add(method, f"/api/migrations{path}", self._checked(handler))
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        return f"http://127.0.0.1:{port}/api/dashboard"

    def _checked(self, handler):
        async def handle(request):
            self.requests.append(request)
            if self.key and request.headers.get(KEY_HEADER) != self.key:
                return web.Response(status=401)
            refusal = self.refusals.get((request.method, unquote(request.path).removeprefix("/api/")))
            if refusal:
                return web.json_response(
                    refusal, status=refusal["status"], content_type="application/problem+json"
                )
            return await handler(request)

        return handle

    async def _list(self, request):
        fields = ("id", "state", "started_at", "finished_at")
        page, following = _page(request, self.migrations, 20)
        entries = [{name: one[name] for name in fields} for one in page]
        return web.json_response({"migrations": entries, "next": following})

    async def _status(self, request):
        found = self._found(request)
        if not found:
            return _not_found(f"There is no migration {request.match_info['id']}.")
        state = request.query.get("state")
        tables = [one for one in found["tables"] if state in (None, one["state"])]
        page, following = _page(request, tables, 100)
        return web.json_response({**found, "tables": page, "next": following})

    async def _report(self, request):
        found = self.reports.get(request.match_info["id"])
        if not found:
            return _not_found("It has no report yet.")
        if "text/html" in request.headers["accept"]:
            return web.Response(text="<!doctype html><title>Report</title>", content_type="text/html")
        return web.json_response(found)

    async def _rejected(self, request):
        reason = request.query.get("reason")
        page, following = _page(
            request, [one for one in self.rejected if reason in (None, one["reason"])], 20
        )
        return web.json_response({"rejected": page, "next": following})

    async def _do(self, request):
        body = await request.json() if await request.read() else None
        self.calls.append((request.match_info["id"], request.match_info["deed"], body))
        return web.json_response(
            {"id": request.match_info["id"], "state": "running", "links": {}}, status=202
        )

    def _found(self, request):
        return next((one for one in self.migrations if one["id"] == request.match_info["id"]), None)


def _served(built):
    handler = built._function.get_user_function()

    async def handle(request):
        answer = await handler(
            func.HttpRequest(
                method=request.method,
                url=str(request.url),
                headers=dict(request.headers),
                params=dict(request.query),
                route_params=dict(request.match_info),
                body=b"",
            )
        )
        return web.Response(
            status=answer.status_code, body=answer.get_body(), headers=dict(answer.headers.items())
        )

    return handle


def _page(request, entries, usual):
    top, begin = int(request.query.get("top", usual)), int(request.query.get("token", 0))
    end = begin + top
    return entries[begin:end], str(end) if end < len(entries) else None


def _not_found(detail):
    body = {"status": 404, "title": "Not found", "detail": detail, "next_step": "Look at the list."}
    return web.json_response(body, status=404, content_type="application/problem+json")
