"""The readable part of Spark's errors."""

import re

from d2c.errors import PermanentError

STACK_TRACE = re.compile(
    r"^[ \t]*(?:at [\w.$/]+\(|Traceback \(|JVM stacktrace:|Driver stacktrace:)", re.MULTILINE
)
WORKER_ERROR = re.compile(r"Traceback \(most recent call last\):\n(?:[ \t].*\n)+(\S.*)")
# The connector's error for one document (BulkWriter.scala), which has its id; Spark shows it only as a later cause.
REFUSED_DOCUMENT = re.compile(r"BulkOperationFailedException: (\S.*)")
LONGEST_CAUSE = 1000


def readable_cause(error: str) -> str:
    """Return the readable part of an error's text, without Spark's long stack trace.

    The error of a Python worker is at the end of that worker's own trace, that of a document among the later causes.
    """
    head = STACK_TRACE.split(error, maxsplit=1)[0]
    later = [found[1] for pattern in (WORKER_ERROR, REFUSED_DOCUMENT) if (found := pattern.search(error))]
    causes = [head[: LONGEST_CAUSE // 2] if later else head, *(cause for cause in later if cause not in head)]
    return " ".join(" ".join(causes).split())[:LONGEST_CAUSE]


def unexpected(table: str, error: Exception) -> PermanentError:
    """Return an unexpected error as a failure of its table."""
    refused = REFUSED_DOCUMENT.search(str(error))
    return PermanentError(
        f"{table}: {type(error).__name__}: {readable_cause(str(error))}",
        "Cosmos DB refused a document. Change the item with this id in DynamoDB, or drop the attribute at fault by "
        "rules.drop; then retry."
        if refused
        else "See the run's output in Databricks; a retry overwrites the documents written so far.",
        title="Cosmos DB refused a document" if refused else "Unexpected error",
    )
