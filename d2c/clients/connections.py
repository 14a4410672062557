"""One SDK client per connection, and the trusted authorities, shared by the whole process."""

import functools
import ssl
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


@functools.cache
def trusted_authorities() -> ssl.SSLContext:
    """Return the trusted certificate authorities, once: reading them is slow enough to block the event loop.

    They are those of the environment, also where a client is to ignore its proxies.
    """
    # Importing it delays the start of a worker.
    from httpx import create_ssl_context

    return create_ssl_context()
