"""Files that commands read and write; an unreadable or unwritable one is a usage error."""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from d2c.foreign_json import ForeignJsonError, json_value
from d2c.load_run.request import MOST_RULES_BYTES
from d2c.mapping import RulesError

STANDARD_INPUT = "-"


LINE = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)=(.*)")
ESCAPED = re.compile(r"\\(.)")


def read_file(name: str, content: str) -> bytes:
    """Return a file's bytes, or standard input's for ``-``.

    Args:
        name: the file as the user named it.
        content: the expected content, such as ``plan``.

    Raises:
        typer.BadParameter: if it cannot be read.
    """
    if name == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise typer.BadParameter(
            f"{name} cannot be read ({error.strerror}); name the file of the {content}"
        ) from None


def load_rules(text: bytes, name: str) -> dict[str, Any]:
    """Return the rules in a file, not yet checked against a table.

    Args:
        text: the file's bytes.
        name: the file as the user named it.

    Raises:
        RulesError: unless the file is one JSON object that a load run takes.
    """
    try:
        rules = json_value(text, name, MOST_RULES_BYTES)
    except ForeignJsonError as error:
        raise RulesError(error.faults) from None
    if not isinstance(rules, dict):
        raise RulesError([f"{name} is not a JSON object; write the rules as one"])
    return rules


def read_rules(name: str) -> dict[str, Any]:
    """Return the rules in the file given by an option; invalid rules are a usage error."""
    try:
        return load_rules(read_file(name, "rules"), name)
    except RulesError as error:
        raise typer.BadParameter("; ".join(error.faults)) from None


def only_table(tables: Sequence[str]) -> str:
    """Return the table that rules apply to if none is named: the migration's only table."""
    if len(tables) != 1:
        raise typer.BadParameter(
            f"rules are for one table, and the migration has {len(tables)}; name it with --table"
        )
    return tables[0]


def write_whole(path: Path, content: bytes) -> None:
    """Write a file atomically.

    Raises:
        typer.BadParameter: if it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise typer.BadParameter(f"{path} cannot be written ({error.strerror}); name another file") from None


def read_env_file(path: Path) -> dict[str, str]:
    """Return the settings in a file; empty lines and comments (``#``) are skipped.

    Raises:
        typer.BadParameter: if it cannot be read, or a line is no setting; the line is not shown, as it may be secret.
    """
    settings = {}
    for number, line in enumerate(read_file(str(path), "settings").decode(errors="replace").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parts = LINE.fullmatch(line.strip())
        if parts is None:
            raise typer.BadParameter(f"{path}: line {number} is not NAME=value; fix it")
        settings[parts[1]] = _unquoted(parts[2])
    return settings


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return ESCAPED.sub(r"\1", text[1:-1])
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1]
    return text
