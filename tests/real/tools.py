"""Programs of others that tests run for real, where they are."""

import os
import shutil

import pytest

REQUIRED = "D2C_REAL_TOOLS"


def find(name: str, variable: str | None = None) -> str | None:
    """Return a program's path, by an environment variable or from the PATH; None if it is not there."""
    return (os.environ.get(variable) if variable else None) or shutil.which(name)


def needs(name: str, variable: str | None = None) -> pytest.MarkDecorator:
    """Return the mark of tests that run a program: they are skipped without it.

    With ``D2C_REAL_TOOLS=required``, as in continuous integration, they fail instead.

    Raises:
        RuntimeError: if the program is not there, and must be.
    """
    places = f"put its folder on the PATH{f', or set {variable} to it' if variable else ''}"
    missing = find(name, variable) is None
    if missing and os.environ.get(REQUIRED) == "required":
        raise RuntimeError(f"{name} is not here, and {REQUIRED} is required: {places}")
    return pytest.mark.skipif(missing, reason=f"{name} is not here: {places}")
