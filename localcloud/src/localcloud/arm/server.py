"""What all calls to Azure Resource Manager share: who may call, the shape of paths and of errors."""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson
from aiohttp import web

from localcloud.arm.errors import ArmError
from localcloud.arm.faults import FAULTS_PATH, Faults, dropped
from localcloud.arm.rights import Rights
from localcloud.arm.tokens import Tokens
from localcloud.common.names import COSMOS_ACCOUNT, DATA_FACTORY, RESOURCE_GROUP, SUBSCRIPTION_ID

FACTORY_API_VERSION = "2018-06-01"
DATED_VERSION = re.compile(r"\d{4}-\d\d-\d\d(-preview)?")
LARGEST_BODY_BYTES = 4 * 2**20
# Tells which actions each identity has asked for.
ACTIONS_PATH = "/_localcloud/actions"

# What a path may name: its part, the name that is there, and the answer to another one.
SUBSCRIPTION = [
    ("subscription", SUBSCRIPTION_ID, "SubscriptionNotFound", "The subscription '{}' could not be found.")
]
NOT_FOUND = "The Resource '%s/{}' under resource group '{group}' was not found."
RESOURCES = [
    ("group", RESOURCE_GROUP, "ResourceGroupNotFound", "Resource group '{}' could not be found."),
    ("factory", DATA_FACTORY, "ResourceNotFound", NOT_FOUND % "Microsoft.DataFactory/factories"),
    ("account", COSMOS_ACCOUNT, "ResourceNotFound", NOT_FOUND % "Microsoft.DocumentDB/databaseAccounts"),
]

Json = dict[str, Any]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Call:
    """A request: the names in its path, its query, its body as JSON, the address it came to, and its If-Match."""

    names: Mapping[str, str]
    query: Mapping[str, str]
    body: Json
    base_url: str
    path: str
    if_match: str | None = None


@dataclass(frozen=True)
class Answer:
    """A response."""

    content: Any = None
    status: int = 200
    headers: Mapping[str, str] | None = None


Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True)
class Route:
    """An operation: its name, its method, its path with names in braces, and what carries it out."""

    operation: str
    method: str
    path: str
    handler: Handler

    def match(self, method: str, path: str) -> Mapping[str, str] | None:
        """Return the names in a path if it is one of this operation. ARM's paths know no upper case."""
        found = self._pattern.fullmatch(path) if method == self.method else None
        return found.groupdict() if found else None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path), re.IGNORECASE)


class Arm:
    """The API behind HTTP.

    Args:
        routes: its operations.
        tokens: tells who calls.
        rights: what each caller may do.
        faults: the faults that are to happen.
    """

    def __init__(self, routes: Sequence[Route], tokens: Tokens, rights: Rights, faults: Faults) -> None:
        self._routes = routes
        self._tokens = tokens
        self._rights = rights
        self._faults = faults

    def application(self) -> web.Application:
        """Return the aiohttp application."""
        app = web.Application(client_max_size=LARGEST_BODY_BYTES)
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            answer = await self._answer(request)
        except ArmError as error:
            answer = Answer({"error": error.to_dict()}, error.status, error.headers)
        except ConnectionResetError:
            return dropped(request)
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            text = "The local management API failed; its log says why."
            answer = Answer({"error": {"code": "InternalServerError", "message": text}}, 500)
        body = b"" if answer.content is None else orjson.dumps(answer.content)
        return web.Response(
            body=body, status=answer.status, headers=answer.headers, content_type="application/json"
        )

    async def _answer(self, request: web.Request) -> Answer:
        caller = self._tokens.caller(request.headers.get("Authorization", ""))
        body = await _json(request)
        if request.path == FAULTS_PATH:
            return Answer(self._faults.set(body if request.method == "POST" else []))
        if request.path == ACTIONS_PATH:
            return Answer({"actions": self._rights.asked})
        if not isinstance(body, dict):
            raise ArmError(400, "InvalidRequestContent", "The request content is not a JSON object.")
        _check_version(request)
        for route in self._routes:
            names = route.match(request.method, request.path)
            if names is not None:
                _check_names(names, SUBSCRIPTION)
                # What is not there is told to those only who may look for it.
                self._rights.check(caller, route.operation, request.path)
                _check_names(names, RESOURCES)
                self._faults.raise_for(route.operation)
                base_url = f"{request.scheme}://{request.host}"
                if_match = request.headers.get("If-Match")
                return await route.handler(Call(names, request.query, body, base_url, request.path, if_match))
        self._rights.check_other(caller, request.method, request.path)
        raise ArmError(
            400,
            "NotSupportedHere",
            f"The call {request.method} {request.path} is not supported by the local cloud.",
        )


async def _json(request: web.Request) -> Any:
    content = await request.read()
    try:
        return orjson.loads(content) if content else {}
    except orjson.JSONDecodeError as error:
        raise ArmError(
            400,
            "InvalidRequestContent",
            f"The request content was invalid and could not be deserialized: '{error}'.",
        ) from error


def _check_version(request: web.Request) -> None:
    version = request.query.get("api-version", "")
    if not version:
        raise ArmError(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    of_factory = "/providers/microsoft.datafactory/" in request.path.lower()
    if not DATED_VERSION.fullmatch(version) or (of_factory and version != FACTORY_API_VERSION):
        raise ArmError(
            400,
            "InvalidApiVersionParameter",
            f"The api-version '{version}' is invalid; the supported version is "
            f"'{FACTORY_API_VERSION if of_factory else 'a date as in 2026-03-15'}'.",
        )


def _check_names(names: Mapping[str, str], expected: Sequence[tuple[str, str, str, str]]) -> None:
    """Refuse what is not the subscription, resource group, factory or account of this machine."""
    for kind, name, code, text in expected:
        if kind in names and names[kind].lower() != name.lower():
            raise ArmError(404, code, text.format(names[kind], group=names.get("group")))
