"""One SDK client for each thing that is connected to, shared by all that this process does."""

import functools
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Client = TypeVar("Client")


def connected_once(connect: Callable[Arguments, Client]) -> Callable[Arguments, Client]:
    """Make a function return the same client for the same arguments.

    Making one costs tens of milliseconds or a call of its own, and boto3 does not let several threads do it at once;
    all of them may share one that is made. A failure is not kept.
    """
    kept = functools.cache(connect)
    lock = threading.Lock()

    @functools.wraps(connect)
    def connect_or_reuse(*arguments: Arguments.args, **named: Arguments.kwargs) -> Client:
        with lock:
            return kept(*arguments, **named)  # type: ignore[arg-type]

    return connect_or_reuse
