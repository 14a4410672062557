"""PySpark's daemon, which forks the workers, with what every worker needs imported once, before the first fork."""

import pandas  # noqa: F401
import pyarrow  # noqa: F401
from pyspark.daemon import manager

if __name__ == "__main__":
    manager()  # type: ignore[no-untyped-call]
