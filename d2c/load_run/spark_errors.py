"""What of an error that Spark raises a user can read."""

import re

STACK_TRACE = re.compile(
    r"^\s*(?:at [\w.$/]+\(|Traceback \(|JVM stacktrace:|Driver stacktrace:)", re.MULTILINE
)
WORKER_ERROR = re.compile(r"Traceback \(most recent call last\):\n(?:[ \t].*\n)+(\S.*)")
LONGEST_CAUSE = 1000


def readable_cause(error: str) -> str:
    """Return what of an error's text a user can read: Spark puts a stack trace of pages behind it.

    What failed in a Python worker stands at the end of that worker's own trace.
    """
    head = STACK_TRACE.split(error, maxsplit=1)[0]
    in_worker = WORKER_ERROR.search(error)
    return " ".join(f"{head} {in_worker[1] if in_worker else ''}".split())[:LONGEST_CAUSE]
