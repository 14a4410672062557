"""Files that commands read and write; one that cannot be is wrong use of the command."""

import os
import sys
from pathlib import Path

import typer

STANDARD_INPUT = "-"


def read_plan(plan: str) -> bytes:
    """Return a plan file's bytes, or standard input's for ``-``.

    Raises:
        typer.BadParameter: if it cannot be read.
    """
    if plan == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    try:
        return Path(plan).read_bytes()
    except OSError as error:
        raise typer.BadParameter(
            f"{plan} cannot be read ({error.strerror}); name the file of the plan"
        ) from None


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all.

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
