"""Keeping secrets out of what notebooks leave behind, as Databricks does."""

from collections.abc import Sequence

REPLACEMENT = "[REDACTED]"


def redacted(text: str, secrets: Sequence[str]) -> str:
    """Return a text with every secret in it replaced.

    Args:
        text: a notebook's output.
        secrets: what must not appear in it. One of several lines is replaced line by line.
    """
    for secret in secrets:
        for line in filter(None, secret.splitlines()):
            text = text.replace(line, REPLACEMENT)
    return text
