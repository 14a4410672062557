"""Finding the functions of a v2 app, and calling them as the Python worker does."""

import asyncio
import importlib
import inspect
import json
import os
import re
import sys
import threading
import uuid
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from azure.functions import FunctionRegister
from azure.functions.durable_functions import ActivityTriggerConverter
from azure.functions.meta import Datum
from azure.functions.timer import TimerRequestConverter

from localcloud.functions_host import worker
from localcloud.functions_host.worker.library import WorkerLibrary
from localcloud.functions_host.worker.messages import OneOf
from localcloud.functions_host.worker.values import data_of, value_of

SUPPORTED_BINDINGS = {
    "httpTrigger",
    "http",
    "orchestrationTrigger",
    "activityTrigger",
    "blobTrigger",
    "timerTrigger",
    "durableClient",
}
# All threads of the process share one interpreter: with more of them a request only waits longer for its turn.
ACTIVITIES_PER_CORE = 2
SETTING = re.compile(r"%(\w+)%")
OUTPUT = 1


class AppError(Exception):
    """The app cannot run on this host; the text says why."""


class InvocationContext:
    """What a function may ask for as its ``context``."""

    def __init__(self, name: str, folder: str) -> None:
        self.function_name = name
        self.function_directory = folder
        self.invocation_id = str(uuid.uuid4())
        self.thread_local_storage = threading.local()
        self.trace_context = None
        self.retry_context = None


class App:
    """The functions of an app folder.

    Args:
        folder: holds ``function_app.py`` and ``host.json``.

    Raises:
        AppError: if there is not exactly one app object, or a binding is not supported here.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder.resolve())
        self.host_settings: dict[str, Any] = json.loads((folder / "host.json").read_text())
        self.by_trigger: dict[str, dict[str, Any]] = {}
        self.client_payload = "{}"
        self.loop: asyncio.AbstractEventLoop | None = None
        self._threads = ThreadPoolExecutor(self.activity_limit, "function")
        for function in _load_functions(self.folder):
            trigger = function.get_trigger()
            name = getattr(trigger, "orchestration", None) or getattr(trigger, "activity", None)
            self.by_trigger.setdefault(trigger.type, {})[name or function.get_function_name()] = function
        self._worker = WorkerLibrary(folder.resolve()) if worker.is_installed() else None

    @property
    def durable_settings(self) -> dict[str, Any]:
        """The part ``extensions.durableTask`` of host.json."""
        settings: dict[str, Any] = self.host_settings.get("extensions", {}).get("durableTask", {})
        return settings

    @property
    def activity_limit(self) -> int:
        """How many activities run at once: as many as the app allows, and as this machine's cores can serve."""
        cores = os.cpu_count() or 1
        allowed = self.durable_settings.get("maxConcurrentActivityFunctions", 10 * cores)
        return min(int(allowed), ACTIVITIES_PER_CORE * cores)

    def of_type(self, trigger_type: str) -> Mapping[str, Any]:
        """Return the functions with a trigger of this type, by name."""
        return self.by_trigger.get(trigger_type, {})

    def orchestrator(self, name: str) -> Any | None:
        """Return the SDK's handle of an orchestrator, or None."""
        function = self.of_type("orchestrationTrigger").get(name)
        return function.get_user_function() if function else None

    async def invoke(self, function: Any, value: Any) -> Any:
        """Call a function from the event loop: asynchronous ones on it, others in a thread.

        Args:
            function: of this app.
            value: an `HttpRequest`, an `InputStream`, or what the host sends of a timer, as JSON text.
        """
        if self._worker:
            data, metadata = data_of(value)
            answer = await self._worker.call(
                function.get_function_name(), self._inputs(function, data), metadata
            )
            return value_of(answer)
        if function.get_trigger().type == "timerTrigger":
            value = TimerRequestConverter.decode(Datum(type="json", value=value), trigger_metadata=None)
        call, arguments = function.get_user_function(), self._arguments(function, value)
        if inspect.iscoroutinefunction(call):
            return await call(**arguments)
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: call(**arguments))

    def run_activity(self, name: str, text: str | None) -> str:
        """Call an activity from a thread, with JSON in and JSON out as the SDK converts them.

        Raises:
            LookupError: if there is no such activity.
        """
        function = self.of_type("activityTrigger").get(name)
        if function is None:
            raise LookupError(f"The activity function '{name}' does not exist")
        if self._worker:
            return self._answer_of(self._worker, function, text or "null")
        value = ActivityTriggerConverter.decode(
            Datum(type="json", value=text or "null"), trigger_metadata=None
        )
        call, arguments = function.get_user_function(), self._arguments(function, value)
        result = self._wait(call(**arguments)) if inspect.iscoroutinefunction(call) else call(**arguments)
        return str(ActivityTriggerConverter.encode(result, expected_type=None).value)

    def run_orchestrator(self, name: str, body: str) -> str:
        """Take a turn of an orchestrator from a thread; body and answer are those of the SDK's entry point."""
        function = self.of_type("orchestrationTrigger")[name]
        if self._worker:
            return self._answer_of(self._worker, function, body)
        return str(function.get_user_function()(body))

    def _answer_of(self, library: WorkerLibrary, function: Any, text: str) -> str:
        """Call a function from a thread through the worker library, with JSON in and JSON out."""
        inputs = self._inputs(function, OneOf(json=text))
        return str(value_of(self._wait(library.call(function.get_function_name(), inputs))))

    def _wait(self, answer: Coroutine[Any, Any, Any]) -> Any:
        """Wait on a thread for what runs on the event loop."""
        assert self.loop is not None  # noqa: S101 - functions are called after the loop has started
        return asyncio.run_coroutine_threadsafe(answer, self.loop).result()

    def _inputs(self, function: Any, data: OneOf) -> dict[str, OneOf]:
        """Return the values of a function's bindings as the host sends them."""
        values = {"durableClient": OneOf(string=self.client_payload), function.get_trigger().type: data}
        return {
            binding.name: values[binding.type]
            for binding in function.get_bindings()
            if binding.direction != OUTPUT
        }

    def submit(self, call: Callable[..., None], *arguments: Any) -> None:
        """Run something in a function's thread, such as an activity of the engine."""
        self._threads.submit(call, *arguments)

    def _arguments(self, function: Any, trigger_value: Any) -> dict[str, Any]:
        trigger, arguments = function.get_trigger(), {}
        for binding in function.get_bindings():
            if binding is trigger:
                arguments[binding.name] = trigger_value
            elif binding.type == "durableClient":
                arguments[binding.name] = self.client_payload
        call = function.get_user_function()
        if "context" in inspect.signature(call).parameters and "context" not in arguments:
            arguments["context"] = InvocationContext(function.get_function_name(), self.folder)
        return arguments


def resolve_settings(text: str) -> str:
    """Replace ``%NAME%`` in a binding's value by the app setting of that name.

    Raises:
        AppError: if there is no such setting.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise AppError(f"The binding value {text!r} names the app setting {match[1]}, which is not set.")
        return os.environ[match[1]]

    return SETTING.sub(value, text)


def _load_functions(folder: str) -> list[Any]:
    sys.path.insert(0, folder)
    module = importlib.import_module("function_app")
    apps = {id(value): value for value in vars(module).values() if isinstance(value, FunctionRegister)}
    if len(apps) != 1:
        raise AppError(f"{folder}/function_app.py holds {len(apps)} function apps; it must hold one.")
    app = next(iter(apps.values()))
    functions: list[Any] = app.get_functions()
    # The SDK tells them once, by this; the worker library asks for them too.
    app.functions_bindings = {}
    for function in functions:
        for binding in function.get_bindings():
            if binding.type not in SUPPORTED_BINDINGS or (
                binding.direction == OUTPUT and binding.type != "http"
            ):
                raise AppError(
                    f"Function {function.get_function_name()} has a binding of type {binding.type}, "
                    "which this host does not have."
                )
    return functions
