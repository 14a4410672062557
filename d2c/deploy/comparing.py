"""Comparing what is deployed with what this version expects, and keeping what its owner has chosen."""

import json
import re
from collections.abc import Iterator
from typing import Any

# The separator of cells in a notebook's source. https://learn.microsoft.com/azure/databricks/notebooks/notebook-export-import
CELL = re.compile(rb"^# COMMAND -+[ \t]*$", re.MULTILINE)
HEADER = b"# Databricks notebook source"
SECURE_STRING = "SecureString"
# Where Data Factory keeps the values of a linked service that it has encrypted.
ENCRYPTED = "encryptedCredential"
# Fields of linked services and copy activities that an owner of the factory may add; a PUT replaces the whole.
# https://learn.microsoft.com/azure/data-factory/concepts-linked-services
# https://learn.microsoft.com/azure/data-factory/copy-activity-performance-features
OWNERS_CHOICES = ("connectVia", "dataIntegrationUnits", "parallelCopies")
EXPRESSION = "Expression"
LONGEST_SHOWN = 80


def unlike(expected: Any, found: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Return the differences of a JSON value from the expected one: path, found value, expected value.

    Additional fields are ignored: services add their own, such as a pipeline's ``lastPublishTime``. Lists must have the
    same length and order. Secure strings are not compared, since the service returns only stars, or else encrypts them
    into one field in their place. https://learn.microsoft.com/dotnet/api/azure.core.expressions.datafactory.datafactorysecretstring
    and https://github.com/Azure/azure-rest-api-specs/issues/22106
    """
    if _is_secure(expected) and _is_secure(found):
        return
    if isinstance(expected, dict) and isinstance(found, dict):
        for name, value in expected.items():
            if name not in found and ENCRYPTED in found:
                continue
            yield from unlike(value, found.get(name), f"{path}.{name}" if path else name)
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, value in enumerate(expected):
            yield from unlike(value, found[number], f"{path}[{number}]")
    elif expected != found:
        yield path, _shown(found), _shown(expected)


def with_owners_choices(expected: Any, found: Any) -> Any:
    """Return a definition with what its owner has added to the deployed one, such as an integration runtime.

    Args:
        expected: this version's definition, or a part of it; its own values come first, but for a parameter.
        found: the deployed one, or None.
    """
    if isinstance(expected, dict) and isinstance(found, dict):
        chosen = {name: found[name] for name in OWNERS_CHOICES if name in found}
        ours = {name: with_owners_choices(value, found.get(name)) for name, value in expected.items()}
        fixed = {name: value for name, value in chosen.items() if _is_in_place_of_ours(value, ours.get(name))}
        return {**chosen, **ours, **fixed}
    if isinstance(expected, list) and isinstance(found, list):
        by_name = {value["name"]: value for value in found if isinstance(value, dict) and "name" in value}
        return [with_owners_choices(value, by_name.get(_name(value))) for value in expected]
    return expected


def _is_in_place_of_ours(found: Any, ours: Any) -> bool:
    """Return whether the owner has put a number of their own where our definition takes that of a parameter."""
    return type(found) is int and isinstance(ours, dict) and ours.get("type") == EXPRESSION


def _name(value: Any) -> Any:
    return value.get("name") if isinstance(value, dict) else None


def _is_secure(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") == SECURE_STRING


def _shown(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def same_notebook(one: bytes, other: bytes) -> bool:
    """Return whether two sources have the same cells; the workspace does not keep blank lines around them."""
    return _cells(one) == _cells(other)


def _cells(source: bytes) -> list[bytes]:
    text = source.replace(b"\r\n", b"\n").strip().removeprefix(HEADER)
    return [cell.strip() for cell in CELL.split(text)]
