"""How a child process talks with the service that started it.

It reads its orders as lines of JSON on standard input, since other users could read an environment or a command line,
and announces what the service must know on standard output, which nobody else reads. Once standard input closes, it
ends with all the processes that it started.
"""

import json
import os
import queue
import signal
import sys
import threading
from typing import Any

# Marks an announcement among the lines of the log.
ANNOUNCEMENT = "\x1elocalcloud "
# Where a notebook's process leaves how the notebook ended.
OUTCOME_FILE = "outcome.json"
# The folder within a cluster's that has what its wheels bring.
LIBRARIES = "libraries"
Json = dict[str, Any]


def read_messages() -> "queue.Queue[Json]":
    """Return the messages from the service as they come; when they end, so does this process group."""
    messages: queue.Queue[Json] = queue.Queue()

    def read() -> None:
        for line in sys.stdin:
            messages.put(json.loads(line))
        os.killpg(os.getpgid(0), signal.SIGKILL)

    threading.Thread(target=read, daemon=True, name="messages").start()
    return messages


def announce(value: Json) -> None:
    """Send the service something that must not be logged."""
    print(f"{ANNOUNCEMENT}{json.dumps(value)}", flush=True)
