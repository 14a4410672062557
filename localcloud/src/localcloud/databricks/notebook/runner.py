"""The process in which a notebook runs: ``python -m localcloud.databricks.notebook.runner``.

It runs one notebook, with a Spark of its own or on the existing cluster's, and leaves ``outcome.json`` in its folder.
"""

import json
import linecache
import os
import sys
import traceback
import types
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from localcloud.databricks.notebook.dbutils import DBUtils, NotebookExit
from localcloud.databricks.notebook.protocol import OUTCOME_FILE, read_messages
from localcloud.databricks.notebook.source import Cell, NotebookError, parse_notebook
from localcloud.databricks.notebook.spark_session import (
    connect_spark,
    install_connector,
    install_wheels,
    mount_lake,
    start_spark,
)
from localcloud.databricks.notebook.volumes import mount_volumes

Json = dict[str, Any]


def main() -> None:
    """Get Spark, run one notebook, and leave its outcome."""
    run = read_messages().get()
    folder = Path(run["folder"])
    if run["gateway"]:
        spark = connect_spark(run["gateway"], run["group"])
    else:
        spark = start_spark(folder, run["driver_memory"], run["spark_conf"])
    mount_lake(spark, run["mounts"])
    mount_volumes(folder)
    install_wheels(run["wheels"], Path(run["libraries"]))
    install_connector(spark, run["connector"])
    dbutils = DBUtils(spark, run["parameters"], run["secrets"])
    names = {"spark": spark, "sc": spark.sparkContext, "dbutils": dbutils}
    outcome = run_notebook(Path(run["file"]).read_text(), run["notebook_path"], names)
    if not _driver_lives(spark):
        outcome["driver_lost"] = True
    part = folder / f"{OUTCOME_FILE}.part"
    part.write_text(json.dumps(outcome))
    part.rename(folder / OUTCOME_FILE)


def _driver_lives(spark: SparkSession) -> bool:
    try:
        return not spark.sparkContext._jsc.sc().isStopped()
    except (Py4JError, OSError):
        return False


def run_notebook(source: str, path: str, names: Json) -> Json:
    """Run a notebook's cells in one namespace, and return its result, or its error with a trace that names the cell.

    Args:
        source: the notebook in Databricks' source format.
        path: in the workspace, for the trace.
        names: what the namespace has from the start.
    """
    # Functions of a module of this name are shipped to workers by value, as those of a notebook must be.
    module = types.ModuleType("__main__")
    module.__dict__.update(names)
    sys.modules["__main__"] = module
    try:
        for cell in parse_notebook(source):
            _run_cell(cell, path, module.__dict__)
    except NotebookExit as end:
        return {"result": end.value}
    except NotebookError as error:
        return {"error": f"{path}: {error}", "error_trace": ""}
    except (Exception, SystemExit) as error:
        return {"error": _short(error), "error_trace": _trace(error)}
    return {}


def _run_cell(cell: Cell, path: str, namespace: Json) -> None:
    name = f"{path}, cell {cell.number}"
    linecache.cache[name] = (len(cell.code), None, cell.code.splitlines(keepends=True), name)
    exec(compile(cell.code, name, "exec"), namespace)  # noqa: S102 - running notebooks is what this is for


def _short(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _trace(error: BaseException) -> str:
    """Return the stack trace from the notebook's own first frame on."""
    frame = error.__traceback__
    while frame and frame.tb_frame.f_code.co_filename == __file__:
        frame = frame.tb_next
    return "".join(traceback.format_exception(type(error), error, frame))


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    # Not by way of interpreter and JVM shutdown, which take a second and have nothing left to do.
    os._exit(0)
