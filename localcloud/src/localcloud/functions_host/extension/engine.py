"""Runs the app's orchestrators and activities on Microsoft's own extension."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from localcloud.common.names import LOOPBACK
from localcloud.common.ports import free_port
from localcloud.common.service import required_variable
from localcloud.functions_host.app import App
from localcloud.functions_host.durable.binding import HOOK
from localcloud.functions_host.durable.crashes import Crashes
from localcloud.functions_host.extension import LAKE_CONNECTION
from localcloud.functions_host.extension.events import DeliveredTrigger
from localcloud.functions_host.extension.program import ExtensionProgram

STORAGE, LAKE = "AzureWebJobsStorage", "D2C_LAKE"
# The host's address in what the program tells.
HOST = "http://127.0.0.1:7071"
# Azure's queues are looked at less often; here each look costs nothing.
QUICK = {"maxQueuePollingInterval": "00:00:00.200"}
KINDS = {"orchestrationTrigger": "orchestrator", "activityTrigger": "activity"}
SENT = ("content-type", "accept", "x-ms-continuation-token")
RETURNED = ("content-type", "location", "retry-after", "x-ms-continuation-token")


class ExtensionEngine:
    """The extension with the app behind it.

    Args:
        app: its functions.
        program: the path of the program.
        folder: takes its settings and its log.
        triggers: the app's functions for blobs.
        crashes: where the host dies.
    """

    def __init__(
        self,
        app: App,
        program: str,
        folder: Path,
        triggers: Sequence[DeliveredTrigger],
        crashes: Crashes,
    ) -> None:
        self._app, self._crashes = app, crashes
        self._triggers = {trigger.name: trigger for trigger in triggers}
        functions = [
            {"name": name, "kind": kind} for trigger, kind in KINDS.items() for name in app.of_type(trigger)
        ]
        functions += [
            {"name": trigger.name, "kind": "blob", "path": trigger.path, "connection": LAKE}
            for trigger in triggers
        ]
        connections = {STORAGE: required_variable(STORAGE), LAKE: required_variable(LAKE_CONNECTION)}
        self._program = ExtensionProgram(
            program, folder, with_quick_queues(app.host_settings), functions, connections, self._answer
        )
        self._rpc = self._base = ""

    def start(self, base: str) -> None:
        """Start the extension, and give the app's durable clients what it prints for them.

        Args:
            base: the host's address.

        Raises:
            ExtensionError: if it does not start.
        """
        events_port = free_port()
        binding = self._program.start(events_port)
        for trigger in self._triggers.values():
            trigger.deliver_to(f"http://{LOOPBACK}:{events_port}")
        self._rpc, self._base = binding["rpcBaseUrl"].rstrip("/"), base
        self._app.client_payload = json.dumps(binding).replace(HOST, base)

    def stop(self) -> None:
        """Ask the extension to end, as a deployment does."""
        self._program.stop()

    def _answer(self, kind: str, name: str, body: str) -> str:
        if kind == "orchestrator":
            return self._app.run_orchestrator(name, body)
        if kind == "blob":
            self._triggers[name].called(body)
            return "null"
        result = self._app.run_activity(name, body)
        self._crashes.crash_if_due(name, before=self._program.kill)
        return result

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add Durable's management API, which the extension answers."""
        router.add_route("*", HOOK + "/{tail:.*}", self._forward)

    async def _forward(self, request: web.Request) -> web.Response:
        url = self._rpc + request.raw_path.split(HOOK, 1)[1]
        headers = {name: value for name, value in request.headers.items() if name.lower() in SENT}
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                request.method, url, data=await request.read(), headers=headers, allow_redirects=False
            ) as answer,
        ):
            body = (await answer.text()).replace(HOST, self._base)
            returned = {name: value for name, value in answer.headers.items() if name.lower() in RETURNED}
            return web.Response(status=answer.status, body=body.encode(), headers=returned)


def with_quick_queues(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings of host.json with which queues are looked at as often as tests need."""
    host: dict[str, Any] = json.loads(json.dumps(settings))
    durable = host.setdefault("extensions", {}).setdefault("durableTask", {})
    durable["storageProvider"] = {**durable.get("storageProvider", {}), **QUICK}
    return host
