"""Whether what is deployed is what was published, although services complete and lay out anew what they are given."""

import json
import re
from collections.abc import Iterator
from typing import Any

# What separates the cells of a notebook's source. https://learn.microsoft.com/azure/databricks/notebooks/notebook-export-import
CELL = re.compile(rb"^# COMMAND -+[ \t]*$", re.MULTILINE)
HEADER = b"# Databricks notebook source"
SECURE_STRING = "SecureString"
LONGEST_SHOWN = 80


def unlike(expected: Any, found: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Return where a JSON value is not as expected: the place in it, what is there, what should be.

    Fields that are there beside the expected ones are left alone: services add their own, such as a pipeline's
    ``lastPublishTime``. Lists must be the same in length and order. Of secure strings the service tells nothing but
    stars. https://learn.microsoft.com/dotnet/api/azure.core.expressions.datafactory.datafactorysecretstring
    """
    if _is_secure(expected) and _is_secure(found):
        return
    if isinstance(expected, dict) and isinstance(found, dict):
        for name, value in expected.items():
            yield from unlike(value, found.get(name), f"{path}.{name}" if path else name)
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, value in enumerate(expected):
            yield from unlike(value, found[number], f"{path}[{number}]")
    elif expected != found:
        yield path, _shown(found), _shown(expected)


def _is_secure(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") == SECURE_STRING


def _shown(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def same_notebook(one: bytes, other: bytes) -> bool:
    """Tell whether two sources are the same cells; the workspace does not keep the blank lines around them."""
    return _cells(one) == _cells(other)


def _cells(source: bytes) -> list[bytes]:
    text = source.replace(b"\r\n", b"\n").strip().removeprefix(HEADER)
    return [cell.strip() for cell in CELL.split(text)]
