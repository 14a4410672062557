"""The clients and settings that every function of this room works with."""

from typing import NamedTuple

from d2c.app.settings import Settings
from d2c.clients.azure.async_lake import AsyncLake
from d2c.clients.durable import DurableClient


class App(NamedTuple):
    """The app as one call of a function sees it; `triggers` makes it and hands it in.

    Args:
        durable: Durable's client.
        lake: the lake, whose calls are awaited.
        settings: the app's.
    """

    durable: DurableClient
    lake: AsyncLake
    settings: Settings
