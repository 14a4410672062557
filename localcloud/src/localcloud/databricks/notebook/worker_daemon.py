"""PySpark's daemon, which forks the workers, with what every worker needs imported once, before the first fork."""

from pathlib import Path

import pandas  # noqa: F401
import pyarrow  # noqa: F401
from pyspark.daemon import manager

from localcloud.databricks.notebook.volumes import mount_volumes

if __name__ == "__main__":
    mount_volumes(Path.cwd())
    manager()  # type: ignore[no-untyped-call]
