"""Waiting in tests: until something has happened, however long a busy machine takes for it."""

import threading
import time

# Nothing that works takes this long on any machine: what does hangs. No test passes or fails by its own limit.
HANG_SECONDS = 600.0


def wait_until(condition, interval_seconds=0.05):
    """Return the first true answer of a condition.

    Raises:
        AssertionError: if it hangs.
    """
    deadline = time.monotonic() + HANG_SECONDS
    pause = threading.Event()
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"no true answer within {HANG_SECONDS} seconds; the last was {answer!r}")
        pause.wait(interval_seconds)
