"""Calls the app's functions through Microsoft's worker library, with the messages that the host would send."""

import asyncio
import importlib
import logging
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from localcloud.functions_host.worker.messages import PROTOS, Message, OneOf, ParameterBinding

logger = logging.getLogger(__name__)
NO_TRACE = Message(trace_parent="", trace_state="", attributes={})
NO_RETRY = Message(retry_count=0, max_retry_count=0, exception=None)


class WorkerError(Exception):
    """A function failed, or the app could not be indexed; the text is the library's."""


class WorkerLibrary:
    """The library with an app's functions.

    Args:
        folder: holds ``function_app.py``.

    Raises:
        WorkerError: if the functions cannot be indexed.
    """

    def __init__(self, folder: Path) -> None:
        self._handlers: Any = importlib.import_module("azure_functions_runtime.handle_event")
        importlib.import_module("azure_functions_runtime.utils.threadpool").start_threadpool_executor()
        self.functions = self._indexed(folder)
        self._ids = {function.name: function.function_id for function in self.functions}

    def _indexed(self, folder: Path) -> list[Any]:
        init = Message(capabilities={}, function_app_directory=str(folder))
        answer = _run(self._handlers.worker_init_request(_request(worker_init_request=init)))
        if answer.result.status != PROTOS.StatusResult.Success:
            raise WorkerError(answer.result.exception.message)
        metadata = _run(self._handlers.functions_metadata_request(_request()))
        return list(metadata.function_metadata_results)

    async def call(
        self, name: str, inputs: Mapping[str, OneOf], metadata: Mapping[str, OneOf] | None = None
    ) -> OneOf | None:
        """Call a function.

        Args:
            name: its name.
            inputs: the values of its bindings.
            metadata: of its trigger.

        Raises:
            WorkerError: with the exception's type and text, if it raises.
        """
        invocation = Message(
            invocation_id=str(uuid.uuid4()),
            function_id=self._ids[name],
            input_data=[ParameterBinding(name=key, data=value) for key, value in inputs.items()],
            trigger_metadata=metadata or {},
            trace_context=NO_TRACE,
            retry_context=NO_RETRY,
        )
        answer = await self._handlers.invocation_request(_request(invocation_request=invocation))
        if answer.result.status != PROTOS.StatusResult.Success:
            error = answer.result.exception
            logger.error("Function %s failed: %s", name, error.stack_trace)
            raise WorkerError(error.message)
        returned: OneOf | None = answer.return_value
        return returned


def _request(**parts: Any) -> Any:
    return SimpleNamespace(request=Message(**parts), properties={"host": "127.0.0.1", "protos": PROTOS})


def _run(answer: Any) -> Any:
    return asyncio.run(answer)
