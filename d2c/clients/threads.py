"""Threads for calls that block, from code on an event loop.

The loop's own threads are five on an instance with one core (`asyncio` takes as many as it has cores, and four), and
one HTTP call of the app reads more files of the lake than that at once. A call that a service does not answer holds its
thread for half a minute (`d2c.clients.retries`), and the others must not wait for it, so there are many; an idle one
costs little, and one is made only when all others are busy.
"""

import asyncio
import contextvars
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

THREADS = 128

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
_threads = ThreadPoolExecutor(THREADS, "call")
_reader = ThreadPoolExecutor(1, "body")


async def in_thread(
    function: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
) -> Result:
    """Call a function in a thread, with the caller's context, and return its result."""
    return await _call_in(_threads, functools.partial(function, *arguments, **named))


async def in_turn(
    function: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
) -> Result:
    """Like `in_thread`, for work on what others sent, which takes the processor and not a service's time.

    Python runs one thread at a time: several such calls at once would end no sooner, and all others, which need a
    moment of the processor, would wait for each of them. So they are worked on one after the other.
    """
    return await _call_in(_reader, functools.partial(function, *arguments, **named))


async def _call_in(threads: ThreadPoolExecutor, function: Callable[[], Result]) -> Result:
    call = functools.partial(contextvars.copy_context().run, function)
    return await asyncio.get_running_loop().run_in_executor(threads, call)
