"""How a child process talks with the service that started it.

It is told what to do by lines of JSON on standard input, since an environment and a command line could be read by
others, and it announces what the service must know on standard output, which nobody else reads. Once standard input
closes, it ends with all the processes that it started.
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
    """Tell the service something that no log is to hold."""
    print(f"{ANNOUNCEMENT}{json.dumps(value)}", flush=True)
