"""Waiting in tests: for a condition, with a deadline."""

import threading
import time


def wait_until(condition, timeout_seconds=90.0, interval_seconds=0.05):
    """Return the first true answer of a condition.

    Raises:
        AssertionError: if there is none in time.
    """
    deadline = time.monotonic() + timeout_seconds
    pause = threading.Event()
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"no true answer within {timeout_seconds} seconds; the last was {answer!r}")
        pause.wait(interval_seconds)
