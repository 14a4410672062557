"""The app's HTTP functions on aiohttp, with the routes and keys of the real host."""

import logging
import os
import re
from collections.abc import Awaitable, Callable, Collection
from typing import Any, NamedTuple
from urllib.parse import unquote

import azure.functions as func
from aiohttp import web

from localcloud.functions_host.app import App

logger = logging.getLogger(__name__)
KEY_VARIABLE = "LOCALCLOUD_FUNCTION_KEY"
ALL_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
CONSTRAINTS = {"int": "-?[0-9]+", "long": "-?[0-9]+", "guid": "[0-9a-fA-F-]{36}", "alpha": "[A-Za-z]+"}
PARAMETER = re.compile(r"\{(?P<all>\*?)(?P<name>\w+)(:(?P<constraint>\w+))?(?P<optional>\??)\}")
Handler = Callable[[web.Request, dict[str, str]], Awaitable[web.Response]]


def add_http_functions(app: App, router: web.UrlDispatcher) -> None:
    """Add the HTTP functions of the app: in the order of their names the first one that fits is called.

    So does the Functions host, which knows no precedence of fixed parts over parameters
    (`FunctionMetadataManager` sorts, `WebScriptHostHttpRoutesManager` adds to one collection of routes).
    """
    prefix = app.host_settings.get("extensions", {}).get("http", {}).get("routePrefix", "api")
    routes = [
        _Route(
            path_pattern(prefix, function.get_trigger().route or name),
            _methods(function.get_trigger()),
            _handler(app, function),
        )
        for name, function in sorted(app.of_type("httpTrigger").items())
    ]

    async def dispatch(request: web.Request) -> web.Response:
        for route in routes:
            match = route.pattern.fullmatch(request.rel_url.raw_path)
            if match and request.method in route.methods:
                parts = {
                    name: unquote(value) for name, value in match.groupdict().items() if value is not None
                }
                return await route.handle(request, parts)
        return web.Response(status=404)

    router.add_route("*", r"/{path:[\s\S]*}", dispatch)


class _Route(NamedTuple):
    pattern: re.Pattern[str]
    methods: Collection[str]
    handle: Handler


def _methods(trigger: Any) -> list[str]:
    return [getattr(method, "value", method) for method in trigger.methods or ALL_METHODS]


def path_pattern(prefix: str, route: str) -> re.Pattern[str]:
    """Return what the paths of a Functions route look like; a slash at the end of one is ignored.

    Args:
        prefix: the host's route prefix.
        route: such as ``orders/{id:int}/{part?}`` or ``files/{*path}``.
    """
    parts = [part for part in f"{prefix}/{route}".split("/") if part]
    return re.compile("".join(map(_part_pattern, parts)) + "/?")


def _part_pattern(part: str) -> str:
    match = PARAMETER.fullmatch(part)
    if match is None:
        return "/" + re.escape(part)
    if match["all"]:
        return f"(/(?P<{match['name']}>.*))?"
    value = f"/(?P<{match['name']}>{CONSTRAINTS.get(match['constraint'], '[^/]+')})"
    return f"({value})?" if match["optional"] else value


def _handler(app: App, function: Any) -> Handler:
    needs_key = getattr(function.get_trigger().auth_level, "value", "FUNCTION").upper() != "ANONYMOUS"

    async def handle(request: web.Request, parts: dict[str, str]) -> web.Response:
        key = os.environ.get(KEY_VARIABLE)
        if (
            key
            and needs_key
            and key not in (request.headers.get("x-functions-key"), request.query.get("code"))
        ):
            return web.Response(status=401)
        value = func.HttpRequest(
            method=request.method,
            url=str(request.url),
            headers=dict(request.headers),
            params=dict(request.query),
            route_params=parts,
            body=await request.read(),
        )
        try:
            return _response(await app.invoke(function, value))
        except Exception:
            logger.exception("Function %s failed", function.get_function_name())
            return web.Response(status=500)

    return handle


def _response(answer: Any) -> web.Response:
    if answer is None:
        return web.Response(status=204)
    if isinstance(answer, str):
        return web.Response(text=answer)
    response = web.Response(status=answer.status_code, body=answer.get_body() or b"")
    for name, value in answer.headers.items():
        response.headers.add(name, value)
    if "content-type" not in {name.lower() for name, _ in answer.headers.items()} and answer.mimetype:
        response.headers["Content-Type"] = f"{answer.mimetype}; charset={answer.charset}"
    return response
