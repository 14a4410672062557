"""The archive of Spark's classes, which a JVM maps instead of reading and checking each; `archive_maker` makes it.

A fresh JVM spends half of its start, and of its first job, on reading Spark's 15,000 classes. An archive of those that
another JVM had loaded (https://docs.oracle.com/en/java/javase/17/vm/class-data-sharing.html) spares it that. Making one
takes as long as two starts, so it is made once for a checkout, and a JVM that finds none starts without.
"""

import hashlib
import os
import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from localcloud.common.checkout import CHECKOUT

FOLDER = CHECKOUT / "build" / "spark-classes"


def archive_path(folder: Path = FOLDER, environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return where the archive for this Java and this Spark is, or belongs; None if there is no Java.

    A JVM checks an archive itself and starts without one that does not fit it, but with a warning and no faster. So
    another Java or another Spark, of which either may have come by an update in the same place, has another archive.

    Args:
        folder: holds the archives.
        environment: says where Java is, as Spark's own scripts look for it.
    """
    home = environment.get("JAVA_HOME")
    java = shutil.which(f"{home}/bin/java" if home else "java", path=environment.get("PATH"))
    spark = find_spec("pyspark")
    if java is None or spark is None or spark.origin is None:
        return None
    parts = [Path(java).resolve(), Path(spark.origin).with_name("jars")]
    # The classes of Java itself.
    parts.append(parts[0].parents[1] / "lib" / "modules")
    kinds = [(str(part), part.stat().st_mtime_ns, part.stat().st_size) for part in parts if part.exists()]
    return folder / f"{hashlib.sha256(repr(kinds).encode()).hexdigest()[:16]}.jsa"


def use_option(folder: Path = FOLDER, environment: Mapping[str, str] = os.environ) -> str:
    """Return the JVM's option that uses the archive, or nothing if there is none; arguments as of `archive_path`."""
    path = archive_path(folder, environment)
    return f'-XX:SharedArchiveFile="{path}"' if path and path.exists() else ""
