"""The process in which a notebook runs: ``python -m localcloud.databricks.notebook_runner``.

It is told what to do by two lines of JSON on standard input, since an environment and a command line could be read by
others: first how to start Spark, then, perhaps much later, what to run. It leaves ``outcome.json`` in its folder. Once
standard input closes, it ends with all the processes that it started.
"""

import json
import linecache
import os
import queue
import signal
import sys
import threading
import traceback
import types
from pathlib import Path
from typing import Any

from localcloud.databricks.dbutils import DBUtils, NotebookExit
from localcloud.databricks.notebook_source import Cell, NotebookError, parse_notebook
from localcloud.databricks.spark_session import install_connector, install_wheels, mount_lake, start_spark
from localcloud.databricks.warm_up import warm_up

OUTCOME_FILE = "outcome.json"
Json = dict[str, Any]


def main() -> None:
    """Start Spark, run one notebook, and leave its outcome."""
    messages = read_messages()
    session = messages.get()
    folder = Path(session["folder"])
    spark = start_spark(folder, session["driver_memory"], session["spark_conf"])
    if session["warm_up"]:
        warm_up(spark, folder / "scratch")
    run = messages.get()
    mount_lake(spark, run["mounts"])
    install_wheels(spark, run["wheels"], folder / "scratch")
    install_connector(spark, run["connector"])
    dbutils = DBUtils(spark, run["parameters"], run["secrets"])
    names = {"spark": spark, "sc": spark.sparkContext, "dbutils": dbutils}
    outcome = run_notebook(Path(run["file"]).read_text(), run["notebook_path"], names)
    gateway: Any = spark.sparkContext._gateway
    if gateway.proc.poll() is not None:
        outcome["driver_lost"] = True
    part = folder / f"{OUTCOME_FILE}.part"
    part.write_text(json.dumps(outcome))
    part.rename(folder / OUTCOME_FILE)


def read_messages() -> "queue.Queue[Json]":
    """Return the messages from standard input as they come; at its end, end this process and all that it started."""
    messages: queue.Queue[Json] = queue.Queue()

    def read() -> None:
        for line in sys.stdin:
            messages.put(json.loads(line))
        os.killpg(os.getpgid(0), signal.SIGKILL)

    threading.Thread(target=read, daemon=True, name="messages").start()
    return messages


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
