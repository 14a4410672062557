"""Microsoft's own Durable and blob extensions in place of the local host's engine and blob triggers."""

import os

PROGRAM_VARIABLE = "D2C_EXTENSION_HOST"


def extension_program() -> str | None:
    """Return the path of the program that hosts the extensions; None for the local host's own engine."""
    return os.environ.get(PROGRAM_VARIABLE) or None
