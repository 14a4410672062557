"""The local host's engine and Durable API in this process, with orchestrators and activities of a test."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import httpx
from aiohttp import web

from localcloud.functions_host.durable.api import DurableApi
from localcloud.functions_host.durable.binding import client_payload
from localcloud.functions_host.durable.engine import Engine
from localcloud.functions_host.durable.store import Store
from tests.contract.polling import HANG_SECONDS


class AppOfATest:
    """What the engine needs of an app."""

    def __init__(self, orchestrators, activities):
        self._orchestrators = orchestrators
        self._activities = activities
        self._threads = ThreadPoolExecutor(16)

    def of_type(self, trigger_type):
        return self._orchestrators

    def orchestrator(self, name):
        return self._orchestrators.get(name)

    def run_activity(self, name, text):
        return json.dumps(self._activities[name](json.loads(text)))

    def submit(self, call, *arguments):
        self._threads.submit(call, *arguments)


class LocalDurable:
    """The local host's engine and API, on a loop of their own."""

    def __init__(self, folder, orchestrators, activities):
        self._app = AppOfATest(orchestrators, activities)
        self._engine = Engine(self._app, Store(folder / "functions.sqlite"))
        self._loop = asyncio.new_event_loop()
        self._ready = Event()
        Thread(target=self._serve, daemon=True).start()
        self._ready.wait()
        self._engine.start()

    def _serve(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        self._loop.run_forever()

    async def _listen(self):
        application = web.Application()
        self._app.client_payload = "{}"
        DurableApi(self._app, self._engine).add_routes(application.router)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        port = self._runner.addresses[0][1]
        self.binding = self._app.client_payload = client_payload(f"http://127.0.0.1:{port}", "D2C", "key")
        self._ready.set()

    def begin(self, orchestration, instance, value):
        """Start an orchestration, in place of whatever has its id."""
        self._engine.start_new(orchestration, instance, json.dumps(value))

    def status(self, instance):
        rpc = json.loads(self.binding)["rpcBaseUrl"]
        return httpx.get(f"{rpc}instances/{instance}", timeout=HANG_SECONDS).json()

    def stop(self):
        self._engine.stop()
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
