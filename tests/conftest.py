"""What all tests share."""

import os
import sys

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")

# Where the environment forbids Python to keep compiled code, as in many containers, each process of the local cloud
# would compile all its libraries again, which takes longer than all else that most of them do.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_collection_modifyitems(items):
    """Have one process run the tests of a folder, which share services; of whole migrations those of a file."""
    for item in items:
        path = item.path if item.path.parent.name == "end_to_end" else item.path.parent
        item.add_marker(pytest.mark.xdist_group(path.name))
