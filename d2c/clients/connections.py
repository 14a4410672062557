"""One SDK client per connection, shared by the whole process."""

import functools
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Client = TypeVar("Client")


def connected_once(connect: Callable[Arguments, Client]) -> Callable[Arguments, Client]:
    """Make a function return the same client for the same arguments.

    Creating one takes tens of milliseconds or a call, and boto3 does not support creating them in several threads
    at once; all threads may share the result. A failure is not cached.
    """
    cached = functools.cache(connect)
    lock = threading.Lock()

    @functools.wraps(connect)
    def connect_or_reuse(*arguments: Arguments.args, **named: Arguments.kwargs) -> Client:
        with lock:
            return cached(*arguments, **named)  # type: ignore[arg-type]

    return connect_or_reuse
