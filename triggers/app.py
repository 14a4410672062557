"""The app as functions get it: made by the process's settings, in place of Durable's client."""

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from d2c.clients.azure.async_lake import AsyncLake
from d2c.clients.clients import app_clients
from d2c.clients.durable_client import CompleteClient
from d2c.control.app import App

Result = TypeVar("Result")


def app_of(client: Any) -> App:
    """Return the app by the process's settings.

    Args:
        client: Durable's, as the SDK makes it.

    Raises:
        SettingsError: with every fault of the settings.
    """
    clients = app_clients()
    return App(CompleteClient(client), AsyncLake(clients.lake), clients.settings)


def with_app(function: Callable[..., Awaitable[Result]]) -> Callable[..., Awaitable[Result]]:
    """Hand a function the ``app``, where the host hands it Durable's ``client``."""

    @functools.wraps(function)
    async def with_client(*arguments: Any, client: Any, **named: Any) -> Result:
        return await function(*arguments, app=app_of(client), **named)

    signature = inspect.signature(function)
    parameters = [
        parameter.replace(name="client", annotation=Any) if name == "app" else parameter
        for name, parameter in signature.parameters.items()
    ]
    # The host hands a function the bindings that its signature names.
    with_client.__dict__["__signature__"] = signature.replace(parameters=parameters)
    return with_client
