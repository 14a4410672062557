"""Microsoft's own Durable and blob extensions in place of the local host's engine and blob triggers."""

import os

PROGRAM_VARIABLE = "D2C_EXTENSION_HOST"
# Of the lake's connection string: the program reaches it with its key.
LAKE_CONNECTION = "LOCALCLOUD_LAKE"


def extension_program() -> str | None:
    """Return the path of the program that hosts the extensions; None for the local host's own engine."""
    return os.environ.get(PROGRAM_VARIABLE) or None
