"""Durable's management API, and the calls of the SDK's client, which are the same routes.

https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-http-api
"""

import asyncio
import base64
import json
import re
from collections.abc import Callable
from typing import Any

from aiohttp import web

from localcloud.functions_host.app import App
from localcloud.functions_host.durable.binding import HOOK
from localcloud.functions_host.durable.engine import EXECUTION_TERMINATED, RESUMED, SUSPENDED, Engine
from localcloud.functions_host.durable.store import ENDED, InstanceRunsError, Json

FORBIDDEN_IN_ID = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f]")
LONGEST_ID = 100
OPERATIONS = {"terminate": EXECUTION_TERMINATED, "suspend": SUSPENDED, "resume": RESUMED}
PAGE_SIZE = 100
CONTINUATION = "x-ms-continuation-token"
# Between the look at an id and the start under it the extension asks its storage: starts within are all accepted.
START_SECONDS = 0.02


class DurableApi:
    """The management routes of a host.

    Args:
        app: the app that it runs.
        engine: the engine that runs the app's orchestrations.
    """

    def __init__(self, app: App, engine: Engine) -> None:
        self._app = app
        self._engine = engine

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the routes to an aiohttp application's router."""
        for path in ("/orchestrators/{name}", "/orchestrators/{name}/{instance}"):
            router.add_post(HOOK + path, self._start)
        for path in ("/instances/", "/instances"):
            router.add_get(HOOK + path, self._list)
            router.add_delete(HOOK + path, self._purge_many)
        router.add_get(HOOK + "/instances/{instance}", self._get)
        router.add_delete(HOOK + "/instances/{instance}", self._purge)
        router.add_post(HOOK + "/instances/{instance}/raiseEvent/{event}", self._raise_event)
        router.add_post(HOOK + "/instances/{instance}/{operation}", self._operate)

    async def _start(self, request: web.Request) -> web.Response:
        name, instance = request.match_info["name"], request.match_info.get("instance")
        if instance and (len(instance) > LONGEST_ID or FORBIDDEN_IN_ID.search(instance)):
            return _refused(
                f"The instance id {instance!r} is longer than {LONGEST_ID} or holds a forbidden character."
            )
        try:
            value = json.loads(await request.text() or "null")
        except ValueError as error:
            return _refused(f"Invalid JSON content: {error}")
        # The SDK posts a JSON string that holds JSON, other callers JSON itself: both become JSON text once.
        text = None if value is None else value if _holds_json(value) else json.dumps(value)
        try:
            self._engine.store.refuse_if_runs(instance or "")
        except InstanceRunsError as error:
            return web.json_response({"Message": str(error)}, status=409)
        await asyncio.sleep(START_SECONDS)
        instance = await _in_thread(self._engine.start_new, name, instance, text)
        urls = {
            key: url.replace("INSTANCEID", instance)
            for key, url in json.loads(self._app.client_payload)["managementUrls"].items()
        }
        headers = {"Location": urls["statusQueryGetUri"], "Retry-After": "10"}
        return web.json_response(urls, status=202, headers=headers)

    async def _get(self, request: web.Request) -> web.Response:
        status = self._status(request)
        if status is None:
            return web.Response(status=404)
        if not _flag(request, "showInput", default=True):
            status["input"] = None
        if _flag(request, "showHistory"):
            status["historyEvents"] = await _in_thread(self._engine.store.history, status["instanceId"])
        if status["runtimeStatus"] in ENDED:
            failed = status["runtimeStatus"] == "Failed" and _flag(
                request, "returnInternalServerErrorOnFailure"
            )
            return web.json_response(status, status=500 if failed else 200)
        return web.json_response(
            status, status=202, headers={"Location": str(request.url), "Retry-After": "5"}
        )

    async def _list(self, request: web.Request) -> web.Response:
        found = await self._find(request)
        top = int(request.query.get("top", PAGE_SIZE))
        page, following = _page(found, top, request.headers.get(CONTINUATION) or "")
        if not _flag(request, "showInput", default=True):
            page = [{**status, "input": None} for status in page]
        return web.json_response(page, headers={CONTINUATION: following})

    async def _purge_many(self, request: web.Request) -> web.Response:
        if not request.query.get("createdTimeFrom"):
            return web.json_response("Please provide value for 'createdTimeFrom' parameter.", status=400)
        # Those that run are purged too, and no child with its parent.
        return await self._purge_all([status["instanceId"] for status in await self._find(request)])

    async def _purge(self, request: web.Request) -> web.Response:
        status = self._status(request)
        if status and status["runtimeStatus"] not in ENDED:
            return web.Response(status=412)
        return await self._purge_all([request.match_info["instance"]] if status else [])

    async def _purge_all(self, instances: list[str]) -> web.Response:
        count = await _in_thread(self._engine.store.purge, instances)
        return web.json_response({"instancesDeleted": count}, status=200 if count else 404)

    async def _raise_event(self, request: web.Request) -> web.Response:
        status = self._status(request)
        if status is None or status["runtimeStatus"] in ENDED:
            return web.Response(status=410 if status else 404)
        try:
            value = json.loads(await request.text() or "null")
        except ValueError as error:
            return _refused(f"Invalid JSON content: {error}")
        name = request.match_info["event"]
        deliver = self._engine.deliver
        await _in_thread(lambda: deliver(status["instanceId"], 15, Name=name, Input=json.dumps(value)))
        return web.Response(status=202)

    async def _operate(self, request: web.Request) -> web.Response:
        status = self._status(request)
        operation = request.match_info["operation"].lower()
        if status is None:
            return web.Response(status=404)
        if operation == "restart":
            same = request.query.get("restartWithNewInstanceId", "true").lower() == "false"
            if same and status["runtimeStatus"] not in ENDED:
                return _refused("An instance that has not ended is not restarted under its id.")
            instance = status["instanceId"] if same else None
            started = await _in_thread(self._engine.start_new, status["name"], instance, status["input"])
            return web.json_response(started, status=202)
        if operation not in OPERATIONS:
            return web.json_response(f"The operation {operation} is not supported by this host.", status=501)
        if status["runtimeStatus"] in ENDED:
            return web.Response(status=410)
        reason = request.query.get("reason", "")
        deliver, kind = self._engine.deliver, OPERATIONS[operation]
        await _in_thread(lambda: deliver(status["instanceId"], kind, Input=reason, Reason=reason))
        return web.Response(status=202)

    def _status(self, request: web.Request) -> Json | None:
        """Look an instance up at once: reading one row waits for nobody."""
        return self._engine.store.status(request.match_info["instance"])

    async def _find(self, request: web.Request) -> list[Json]:
        query = request.query
        states = [state for state in query.get("runtimeStatus", "").split(",") if state]
        found: list[Json] = await _in_thread(
            lambda: self._engine.store.statuses(
                states=states,
                prefix=query.get("instanceIdPrefix", ""),
                since=query.get("createdTimeFrom", ""),
                until=query.get("createdTimeTo", ""),
            )
        )
        return found


async def _in_thread(call: Callable[..., Any], *arguments: Any) -> Any:
    """Keep a call that waits for the store off the event loop."""
    return await asyncio.to_thread(call, *arguments)


def _page(found: list[Json], size: int, token: str) -> tuple[list[Json], str]:
    """Return a page of instances and the token of the next one, which is empty if there is none."""
    first = base64.b64decode(token).decode()
    rest = [status for status in found if status["instanceId"] >= first]
    following = rest[size]["instanceId"] if len(rest) > size else ""
    return rest[:size], base64.b64encode(following.encode()).decode()


def _flag(request: web.Request, name: str, *, default: bool = False) -> bool:
    return request.query.get(name, str(default)).lower() == "true"


def _refused(text: str) -> web.Response:
    body = {"Message": "One or more of the arguments submitted is incorrect", "ExceptionMessage": text}
    return web.json_response(body, status=400)


def _holds_json(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        json.loads(value)
    except ValueError:
        return False
    return True
