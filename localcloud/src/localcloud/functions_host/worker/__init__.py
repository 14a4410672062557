"""Microsoft's own worker library (azure-functions-runtime), which Azure runs for Python 3.13 and later."""

from importlib.util import find_spec


def is_installed() -> bool:
    """Return whether the library is here; it is not to be had for older Pythons."""
    return find_spec("azure_functions_runtime") is not None
