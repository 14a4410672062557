"""The app's HTTP functions on aiohttp, with the routes and keys of the real host."""

import logging
import os
import re
from typing import Any

import azure.functions as func
from aiohttp import web

from localcloud.functions_host.app import App

logger = logging.getLogger(__name__)
KEY_VARIABLE = "LOCALCLOUD_FUNCTION_KEY"
ALL_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
CONSTRAINTS = {"int": "-?[0-9]+", "long": "-?[0-9]+", "guid": "[0-9a-fA-F-]{36}", "alpha": "[A-Za-z]+"}


def add_http_functions(app: App, router: web.UrlDispatcher) -> None:
    """Add a route for every HTTP function of the app."""
    prefix = app.host_settings.get("extensions", {}).get("http", {}).get("routePrefix", "api")
    routes = [
        (path, function)
        for name, function in app.of_type("httpTrigger").items()
        for path in aiohttp_paths(prefix, function.get_trigger().route or name)
    ]
    taken = set()
    # A route that names a path comes before a catch-all that may be empty there.
    for path, function in sorted(
        routes, key=lambda route: (precedence(route[0]), "{*" in (route[1].get_trigger().route or ""))
    ):
        trigger = function.get_trigger()
        for method in trigger.methods or ALL_METHODS:
            verb = getattr(method, "value", method)
            if (verb, path) not in taken:
                taken.add((verb, path))
                router.add_route(verb, path, _handler(app, function))


def precedence(path: str) -> list[tuple[int, str]]:
    """Return what sorts paths as ASP.NET tries them: fixed parts before parameters, and a catch-all last."""
    return [(part.startswith("{") + part.endswith(":.*}"), part) for part in path.strip("/").split("/")]


def aiohttp_paths(prefix: str, route: str) -> list[str]:
    """Return aiohttp's paths for a Functions route: two where its last part may be left out.

    Args:
        prefix: the host's route prefix.
        route: such as ``orders/{id:int}/{part?}`` or ``files/{*path}``.
    """
    path = "/" + "/".join(part for part in (prefix.strip("/"), route.strip("/")) if part)
    path = re.sub(r"\{\*(\w+)\}", r"{\1:.*}", path)
    if ":.*" in path:
        return [path, path.rpartition("/")[0]]
    optional = path.endswith("?}")
    path = re.sub(r"\{(\w+):(\w+)\??\}", lambda match: f"{{{match[1]}:{CONSTRAINTS[match[2]]}}}", path)
    path = path.replace("?}", "}")
    return [path, path.rpartition("/")[0]] if optional else [path]


def _handler(app: App, function: Any) -> Any:
    needs_key = getattr(function.get_trigger().auth_level, "value", "FUNCTION").upper() != "ANONYMOUS"

    async def handle(request: web.Request) -> web.Response:
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
            route_params=dict(request.match_info),
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
