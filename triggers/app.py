"""What functions get and leave: the app by the process's settings, in place of Durable's client, and telemetry."""

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from d2c.clients.azure.async_lake import AsyncLake
from d2c.clients.clients import app_clients
from d2c.clients.durable_client import CompleteClient
from d2c.clients.telemetry import send_pending
from d2c.control.app import App

Result = TypeVar("Result")
Function = Callable[..., Awaitable[Result]]


def app_of(client: Any) -> App:
    """Return the app by the process's settings.

    Args:
        client: Durable's, as the SDK makes it.

    Raises:
        SettingsError: with every fault of the settings.
    """
    clients = app_clients()
    return App(CompleteClient(client), AsyncLake(clients.lake), clients.settings)


def sends_telemetry(
    function: Function[Result], send: Callable[[], Awaitable[None]] = send_pending
) -> Function[Result]:
    """Make a function send its telemetry when it has run, also if it failed: its instance may end soon after."""

    @functools.wraps(function)
    async def then_sends(*arguments: Any, **named: Any) -> Result:
        try:
            return await function(*arguments, **named)
        finally:
            await send()

    return then_sends


def with_app(function: Function[Result]) -> Function[Result]:
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
