"""The readable part of Spark's errors."""

import re

STACK_TRACE = re.compile(
    r"^\s*(?:at [\w.$/]+\(|Traceback \(|JVM stacktrace:|Driver stacktrace:)", re.MULTILINE
)
WORKER_ERROR = re.compile(r"Traceback \(most recent call last\):\n(?:[ \t].*\n)+(\S.*)")
LONGEST_CAUSE = 1000


def readable_cause(error: str) -> str:
    """Return the readable part of an error's text, without Spark's long stack trace.

    The error of a Python worker is at the end of that worker's own trace.
    """
    head = STACK_TRACE.split(error, maxsplit=1)[0]
    in_worker = WORKER_ERROR.search(error)
    return " ".join(f"{head} {in_worker[1] if in_worker else ''}".split())[:LONGEST_CAUSE]
