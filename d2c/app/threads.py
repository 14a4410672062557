"""Doing the same with many things in threads, each with the log fields and the span of whoever asked for it."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

Thing = TypeVar("Thing")
Result = TypeVar("Result")


def side_by_side(act: Callable[[Thing], Result], things: Iterable[Thing], *, at_once: int) -> list[Result]:
    """Return what a function returns for each thing, in their order.

    Args:
        act: the function; what it raises first is raised here, once all have ended.
        things: what it is called with.
        at_once: how many threads there are at most.
    """
    with ThreadPoolExecutor(at_once) as threads:
        # One context lets in one thread at a time.
        running = [threads.submit(copy_context().run, act, thing) for thing in things]
    return [each.result() for each in running]
