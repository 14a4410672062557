"""The kernel's tests run where it is built."""

import pytest

from d2c.load_run.kernel.module import native


def pytest_collection_modifyitems(items):
    module, word = native()
    if module is None:
        for item in items:
            if item.path.parent.name == "kernel":
                item.add_marker(
                    pytest.mark.skip(reason=f"{word} Build it with `make kernel`, which needs Cargo.")
                )
