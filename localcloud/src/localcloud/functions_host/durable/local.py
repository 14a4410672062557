"""The local host's own Durable: its engine and its management API."""

import os
import secrets

from aiohttp import web

from localcloud.functions_host.app import App
from localcloud.functions_host.durable.api import DurableApi
from localcloud.functions_host.durable.binding import client_payload
from localcloud.functions_host.durable.crashes import Crashes
from localcloud.functions_host.durable.engine import Engine
from localcloud.functions_host.durable.store import Store

# Durable's system key, as the host's storage keeps it on Azure.
KEY_VARIABLE = "LOCALCLOUD_DURABLE_KEY"


class LocalDurable:
    """Runs the app's orchestrators and activities in this process.

    Args:
        app: its functions.
        store: where everything is kept.
        crashes: where the host dies.
    """

    def __init__(self, app: App, store: Store, crashes: Crashes) -> None:
        self._app, self._engine = app, Engine(app, store, crashes)

    def start(self, base: str) -> None:
        """Begin to run, and give the app's durable clients their addresses.

        Args:
            base: the host's address.
        """
        hub = self._app.durable_settings.get("hubName", "TestHubName")
        key = os.environ.get(KEY_VARIABLE) or secrets.token_urlsafe(32)
        self._app.client_payload = client_payload(base, hub, key)
        self._engine.start()

    def stop(self) -> None:
        """Start no more turns."""
        self._engine.stop()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add Durable's management API."""
        DurableApi(self._app, self._engine).add_routes(router)
