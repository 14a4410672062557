"""What all tests share."""

import os
import sys

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("any-machine", deadline=None)
# For `make test-fast`, in which made-up examples would take half of the time.
settings.register_profile("few-examples", deadline=None, max_examples=20)
settings.load_profile("any-machine")

# Where the environment forbids Python to keep compiled code, as in many containers, each process of the local cloud
# would compile all its libraries again, which takes longer than all else that most of them do.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_make_parametrize_id(val, argname):
    """Name a long text by its argument: what one process signs differs from another's, and both collect the same."""
    return argname if isinstance(val, str | bytes) and len(val) > LONGEST_ID else None


# Longer names say nothing in a list of tests, in characters.
LONGEST_ID = 150

# The longest of the groups that are not whole migrations.
LONGEST = "databricks"


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items):
    """Have one process run the tests of a folder, which share services; of whole migrations those of a file.

    Processes take groups in this order, so the long ones come first: one that began last would leave the others idle.
    """

    def group(item):
        path = item.path if whole_migration(item) else item.path.parent
        return path.name

    def whole_migration(item):
        return item.path.parent.name == "end_to_end"

    for item in items:
        item.add_marker(pytest.mark.xdist_group(group(item)))
    items.sort(key=lambda item: (not whole_migration(item), group(item) != LONGEST))
