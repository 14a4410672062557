"""The published content of this version: the wheels, the notebook and Data Factory's definitions."""

from dataclasses import dataclass
from pathlib import Path

import d2c
from d2c.deploy.definitions import FactoryContent, read_definitions
from d2c.deploy.kernel_wheel import KernelWheel, own_kernel
from d2c.deploy.wheel import Wheel, own_wheel
from d2c.errors import D2CError

NOTEBOOK = Path("notebooks", "load_table.py")
DEFINITIONS = Path("adf")


@dataclass(frozen=True)
class Release:
    """The published content of a version."""

    wheel: Wheel
    kernel: KernelWheel | None
    notebook: bytes
    factory: FactoryContent


def own_release(root: Path | None = None) -> Release:
    """Return the published content of this version.

    Args:
        root: the folder around `d2c`, a clone's or the Function app's; this installation's own if None.

    Raises:
        D2CError: if the notebook or the definitions are missing, as in an installed wheel.
    """
    root = root or Path(d2c.__file__).parents[1]
    if not (root / NOTEBOOK).is_file() or not (root / DEFINITIONS).is_dir():
        raise D2CError(
            f"{NOTEBOOK} and {DEFINITIONS}/ are not in {root}: the wheel of d2c does not include them.",
            "Clone the project, and run d2c deploy from the clone.",
            "There is nothing to publish",
        )
    return Release(
        own_wheel(), own_kernel(root), (root / NOTEBOOK).read_bytes(), read_definitions(root / DEFINITIONS)
    )
